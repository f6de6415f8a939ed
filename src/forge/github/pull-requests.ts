import type { Repository } from '../../domain/repository.ts';
import { ForgeError, type OurPullRequest, type PullRequestRequest, type PullRequestState } from '../forge.ts';
import type { ForgeContext } from './context.ts';
import { ensure } from './ensure.ts';
import { hasNext } from './pages.ts';
import { readSignedRecord, signedRecord } from './signed-record.ts';

/** GitHub takes 65,536 characters of body and 256 of title. */
const BODY_LENGTH = 65_000;
const TITLE_LENGTH = 256;

/** More pages than this are not asked for in one go. */
const PAGES = 100;

interface PullRequest {
  readonly number: number;
  readonly node_id: string;
  readonly html_url: string;
  readonly draft?: boolean;
  readonly state: string;
  readonly merged_at: string | null;
  readonly body: string | null;
  readonly title: string;
  readonly user: { readonly id: number } | null;
  readonly head: { readonly ref: string; readonly sha: string; readonly repo: { readonly id: number } | null };
}

interface ListedPullRequest extends PullRequest {
  readonly user: { readonly id: number } | null;
}

const READY =
  'mutation ($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { clientMutationId } }';

const DRAFT = 'mutation ($id: ID!) { convertPullRequestToDraft(input: { pullRequestId: $id }) { clientMutationId } }';

/** Makes the verbs about pull requests. */
export function createPullRequests(context: ForgeContext) {
  const { client } = context;
  const pause = (attempt: number): Promise<void> => client.pause(attempt);

  async function findPullRequest(repository: Repository, branch: string): Promise<PullRequestState | undefined> {
    const { data } = await client.read(repository, `look for the pull request of ${branch}`, (github, at) =>
      github.rest.pulls.list({ ...at, head: `${at.owner}:${branch}`, state: 'all', per_page: 100 }),
    );
    // A filter GitHub can't make sense of is ignored, so what it lets through is looked at again. One that a person opened from
    // our branch is theirs: its words are not ours to replace (fault F32).
    const { bot } = await context.identity(repository);
    const ours = data.filter(
      (pull) => pull.head.ref === branch && pull.head.repo?.id === repository.id && pull.user?.id === bot.id,
    );
    const found = ours.find((pull) => pull.state === 'open') ?? ours[0];
    return found === undefined ? undefined : toState(found);
  }

  function ensurePullRequest(repository: Repository, request: PullRequestRequest): Promise<PullRequestState> {
    const { head, base, draft } = request;
    return context.serially(`pull/${repository.id}/${head}`, () =>
      ensure({
        pause,
        find: () => findPullRequest(repository, head),
        make: async () => {
          const { data } = await client.write(
            repository,
            'open',
            `open a pull request from ${head} to ${base}`,
            (github, at) => github.rest.pulls.create({ ...at, head, base, draft, ...text(repository, request) }),
          );
          return toState(data);
        },
      }),
    );
  }

  async function describePullRequest(
    repository: Repository,
    number: number,
    wanted: { readonly title: string; readonly body: string; readonly record?: unknown },
  ): Promise<void> {
    const { title, body } = text(repository, wanted);
    await ensure({
      pause,
      find: async () => {
        const { data } = await pull(repository, number);
        const same = data.title === title && (data.body ?? '').replaceAll('\r\n', '\n') === body;
        return same ? true : undefined;
      },
      make: async () => {
        await client.write(repository, 'describe', `describe pull request #${number}`, (github, at) =>
          github.rest.pulls.update({ ...at, pull_number: number, title, body }),
        );
        return true;
      },
    });
  }

  async function markReady(repository: Repository, number: number): Promise<void> {
    await ensure({
      pause,
      find: async () => {
        const { data } = await pull(repository, number);
        // GitHub takes none out of draft that was closed.
        return data.draft === true && data.state === 'open' ? undefined : true;
      },
      make: async () => {
        const { data } = await pull(repository, number);
        // REST can't take a pull request out of draft.
        await client.write(repository, 'ready', `mark pull request #${number} ready`, async (github) => {
          const answer = await github.graphql<unknown>(READY, { id: data.node_id });
          return { status: 200, headers: {}, data: answer };
        });
        return true;
      },
    });
  }

  async function markDraft(repository: Repository, number: number): Promise<void> {
    await ensure({
      pause,
      find: async () => {
        const { data } = await pull(repository, number);
        return data.draft !== true && data.state === 'open' ? undefined : true;
      },
      make: async () => {
        const { data } = await pull(repository, number);
        // REST can only open a draft.
        await client.write(repository, 'draft', `make pull request #${number} a draft again`, async (github) => {
          const answer = await github.graphql<unknown>(DRAFT, { id: data.node_id });
          return { status: 200, headers: {}, data: answer };
        });
        return true;
      },
    });
  }

  function pull(repository: Repository, number: number) {
    return client.read(repository, `read pull request #${number}`, (github, at) =>
      github.rest.pulls.get({ ...at, pull_number: number }),
    );
  }

  function text(
    repository: Repository,
    request: { readonly title: string; readonly body: string; readonly record?: unknown },
  ) {
    const title = context.redact(request.title).slice(0, TITLE_LENGTH).trim();
    if (title === '') throw new ForgeError('invalid', 'a pull request needs a title');
    const hidden =
      request.record === undefined ? '' : `\n\n${signedRecord(context.markerSecret, repository.id, request.record)}`;
    return { title, body: `${context.redact(request.body).slice(0, BODY_LENGTH - hidden.length)}${hidden}` };
  }

  /** The open ones first, whatever their age; then those that changed since. */
  async function ourPullRequests(repository: Repository, since: number): Promise<readonly OurPullRequest[]> {
    const found = [...(await listed(repository, 'open', 0)), ...(await listed(repository, 'closed', since))];
    const { bot } = await context.identity(repository);
    return found
      .filter((pull) => pull.user?.id === bot.id && pull.head.repo?.id === repository.id)
      .map((pull) => ({
        ...toState(pull),
        branch: pull.head.ref,
        title: pull.title,
        record: readSignedRecord(context.markerSecret, repository.id, pull.body ?? ''),
      }));
  }

  async function listed(
    repository: Repository,
    state: 'open' | 'closed',
    since: number,
  ): Promise<readonly ListedPullRequest[]> {
    const found: ListedPullRequest[] = [];
    for (let page = 1; page <= PAGES; page++) {
      const { data, headers } = await client.read(repository, `list the ${state} pull requests`, (github, at) =>
        github.rest.pulls.list({ ...at, state, sort: 'updated', direction: 'desc', per_page: 100, page }),
      );
      const young = data.filter((pull) => Date.parse(pull.updated_at) >= since);
      found.push(...young);
      if (young.length < data.length || !hasNext(headers.link)) break;
    }
    return found;
  }

  return { findPullRequest, ensurePullRequest, describePullRequest, markReady, markDraft, ourPullRequests };
}

function toState(pull: PullRequest): PullRequestState {
  return {
    number: pull.number,
    url: pull.html_url,
    draft: pull.draft ?? false,
    open: pull.state === 'open',
    merged: pull.merged_at !== null,
    headSha: pull.head.sha,
    body: pull.body ?? '',
  };
}
