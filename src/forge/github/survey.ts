import type { Repository } from '../../domain/repository.ts';
import type { Sender } from '../../domain/webhook.ts';
import type {
  InstalledRepository,
  Labeling,
  Reaction,
  Survey,
  SurveyedComment,
  SurveyedCommit,
  SurveyedIssue,
  SurveyedPush,
} from '../forge.ts';
import { asApp } from './as-app.ts';
import type { Call, Reply } from './client.ts';
import type { IdentityDeps } from './identity.ts';
import { GHOST } from './issues.ts';
import { hasNext } from './pages.ts';

/** More pages than this are not asked for in one go: 10,000 things. */
const PAGES = 100;
/** A run of more commits than this can't be rebuilt. */
const COMMIT_PAGES = 10;
const REACTIONS: readonly Reaction[] = ['eyes', 'rocket', 'hooray', 'confused', '+1'];

interface Account {
  readonly id: number;
  readonly login: string;
  readonly type: string;
}

interface Issue {
  readonly number: number;
  readonly title: string;
  readonly body?: string | null;
  readonly state: string;
  readonly user: Account | null;
  readonly updated_at: string;
  readonly closed_at?: string | null;
  readonly closed_by?: Account | null;
  readonly pull_request?: unknown;
  readonly labels: readonly (string | { readonly name?: string })[];
}

/** Makes the verbs that look through repositories. They need no permission beyond the App's own. */
export function createSurvey(deps: IdentityDeps): Omit<Survey, 'ourPullRequests'> {
  const { client, transport } = deps;

  async function installedRepositories(): Promise<readonly InstalledRepository[]> {
    const found: InstalledRepository[] = [];
    for (let page = 1; page <= PAGES; page++) {
      const installations = await asApp(deps, 'list the installations of the App', () =>
        transport.asApp.rest.apps.listInstallations({ per_page: 100, page }),
      );
      for (const { id, created_at, suspended_at } of installations) {
        if (suspended_at === null) found.push(...(await repositoriesOf(id, Date.parse(created_at))));
      }
      if (installations.length < 100) break;
    }
    return found;
  }

  async function repositoriesOf(installationId: number, installedAt: number): Promise<readonly InstalledRepository[]> {
    const found: InstalledRepository[] = [];
    for (let page = 1; page <= PAGES; page++) {
      const { data, headers } = await client.send({ installationId }, 'self', 'list the repositories', (github) =>
        github.rest.apps.listReposAccessibleToInstallation({ per_page: 100, page }),
      );
      for (const { id, name, owner, default_branch, archived } of data.repositories) {
        if (archived) continue;
        const repository = { id, name, owner: owner.login, installationId, defaultBranch: default_branch };
        found.push({ repository, installedAt });
      }
      if (!hasNext(headers.link)) break;
    }
    return found;
  }

  async function changedIssues(repository: Repository, since: number): Promise<readonly SurveyedIssue[]> {
    const issues = await all(repository, 'list the issues that changed', (page): Call<readonly Issue[]> => {
      const query = {
        since: iso(since),
        state: 'open',
        sort: 'updated',
        direction: 'asc',
        per_page: 100,
        page,
      } as const;
      return (github, at) => github.rest.issues.listForRepo({ ...at, ...query });
    });
    return issues.map(toIssue).filter(({ issue }) => !issue.isPullRequest);
  }

  async function surveyedIssue(repository: Repository, number: number): Promise<SurveyedIssue | undefined> {
    const reply = await client.find(repository, `read #${number}`, (github, at) =>
      github.rest.issues.get({ ...at, issue_number: number }),
    );
    return reply && toIssue(reply.data);
  }

  async function labelings(repository: Repository, issue: number): Promise<readonly Labeling[]> {
    const events = await all(
      repository,
      `list the events of #${issue}`,
      (page) => (github, at) => github.rest.issues.listEvents({ ...at, issue_number: issue, per_page: 100, page }),
    );
    return events.flatMap((event): Labeling[] => {
      const kind = event.event;
      if ((kind !== 'labeled' && kind !== 'unlabeled') || !('label' in event)) return [];
      const label = event.label.name.toLowerCase();
      return [{ kind, id: event.id, label, sender: senderOf(event.actor), at: Date.parse(event.created_at) }];
    });
  }

  async function newComments(repository: Repository, since: number): Promise<readonly SurveyedComment[]> {
    const comments = await all(repository, 'list the new comments', (page) => (github, at) => {
      const query = { since: iso(since), sort: 'created', direction: 'asc', per_page: 100, page } as const;
      return github.rest.issues.listCommentsForRepo({ ...at, ...query });
    });
    return comments
      .filter((one) => one.created_at === one.updated_at && Date.parse(one.created_at) >= since)
      .map((one) => ({
        id: one.id,
        thread: Number(one.issue_url.split('/').at(-1)),
        body: one.body ?? '',
        sender: senderOf(one.user),
        at: Date.parse(one.created_at),
        reactions: REACTIONS.filter((content) => (one.reactions?.[content] ?? 0) > 0),
      }));
  }

  async function commentBody(repository: Repository, id: number): Promise<string | undefined> {
    const reply = await client.find(repository, `read comment ${id}`, (github, at) =>
      github.rest.issues.getComment({ ...at, comment_id: id }),
    );
    return reply === undefined ? undefined : (reply.data.body ?? '');
  }

  async function pushesTo(repository: Repository, branch: string, since: number): Promise<readonly SurveyedPush[]> {
    const found: SurveyedPush[] = [];
    let after: string | undefined;
    for (let page = 1; page <= PAGES; page++) {
      const { data, headers } = await client.read(repository, `list the pushes to ${branch}`, (github, at) =>
        github.rest.repos.listActivities({
          ...at,
          ref: `refs/heads/${branch}`,
          per_page: 100,
          ...(after === undefined ? {} : { after }),
        }),
      );
      for (const activity of data) {
        const at = Date.parse(activity.timestamp);
        if (at < since) return found.toReversed();
        if (activity.activity_type === 'branch_deletion') continue;
        found.push({ before: activity.before, after: activity.after, sender: senderOf(activity.actor), at });
      }
      const next = /<([^>]+)>;\s*rel="next"/u.exec(headers.link ?? '')?.[1];
      after = next === undefined ? undefined : (new URL(next).searchParams.get('after') ?? undefined);
      if (after === undefined) break;
    }
    return found.toReversed();
  }

  async function commitsOn(repository: Repository, head: string, until: string): Promise<readonly SurveyedCommit[]> {
    const listed = new Map<string, { readonly message: string; readonly parent: string | undefined }>();
    const chain: SurveyedCommit[] = [];
    let wanted: string | undefined = head;
    for (let page = 1; page <= COMMIT_PAGES && wanted !== undefined && wanted !== until; page++) {
      const { data, headers } = await client.read(repository, `list the commits of ${head}`, (github, at) =>
        github.rest.repos.listCommits({ ...at, sha: head, per_page: 100, page }),
      );
      for (const { sha, commit, parents } of data)
        listed.set(sha, { message: commit.message, parent: parents[0]?.sha });
      // As far as what is listed reaches; GitHub lists the other parents of merges in between.
      for (let one = listed.get(wanted); one !== undefined && wanted !== until; one = listed.get(wanted ?? '')) {
        chain.push({ sha: wanted ?? '', message: one.message });
        wanted = one.parent;
      }
      if (!hasNext(headers.link)) break;
    }
    return chain.toReversed();
  }

  async function messagesBetween(repository: Repository, before: string, after: string): Promise<readonly string[]> {
    const reply = await client.find(repository, `compare ${before} with ${after}`, (github, at) =>
      github.rest.repos.compareCommitsWithBasehead({ ...at, basehead: `${before}...${after}` }),
    );
    return reply?.data.commits.map(({ commit }) => commit.message) ?? [];
  }

  /** Every page of a list. */
  async function all<Item>(
    repository: Repository,
    what: string,
    call: (page: number) => Call<readonly Item[]>,
  ): Promise<readonly Item[]> {
    const found: Item[] = [];
    for (let page = 1; page <= PAGES; page++) {
      const { data, headers }: Reply<readonly Item[]> = await client.read(repository, what, call(page));
      found.push(...data);
      if (!hasNext(headers.link)) break;
    }
    return found;
  }

  return {
    installedRepositories,
    changedIssues,
    surveyedIssue,
    labelings,
    newComments,
    commentBody,
    pushesTo,
    commitsOn,
    messagesBetween,
  };
}

function toIssue(issue: Issue): SurveyedIssue {
  return {
    author: senderOf(issue.user),
    updatedAt: Date.parse(issue.updated_at),
    closed:
      issue.closed_at && issue.closed_by !== undefined
        ? { by: senderOf(issue.closed_by), at: Date.parse(issue.closed_at) }
        : undefined,
    issue: {
      number: issue.number,
      title: issue.title,
      body: issue.body ?? '',
      open: issue.state === 'open',
      isPullRequest: issue.pull_request !== undefined && issue.pull_request !== null,
      labels: issue.labels.map((label) => (typeof label === 'string' ? label : (label.name ?? '')).toLowerCase()),
    },
  };
}

/** Whoever deleted their account is nobody, and may do nothing. */
function senderOf(account: Account | null | undefined): Sender {
  if (account === null || account === undefined) return { ...GHOST, bot: false };
  return { id: account.id, login: account.login, bot: account.type !== 'User' };
}

function iso(at: number): string {
  return new Date(at).toISOString().replace(/\.\d{3}Z$/u, 'Z');
}
