import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { changedFiles } from '../git/diff.ts';
import { listCommits, mergeBase, resolve } from '../git/objects.ts';
import { HttpError, notFound, validationFailed } from '../errors.ts';
import { emitThread } from '../events.ts';
import { accountByLogin, accountById, issueByNumber } from '../lookup.ts';
import { paginate } from '../pages.ts';
import { presentChange, presentCommit } from '../presenters/git.ts';
import { headLabel, isPull, presentPull, presentPullSimple } from '../presenters/pull.ts';
import type { PullIssue } from '../presenters/pull.ts';
import { presentAccount } from '../presenters/account.ts';
import { branchExists, pullNumbers } from '../pull-numbers.ts';
import { pinHead } from '../ref-changed.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { takeId } from '../state.ts';
import { editText, setState } from './issue-changes.ts';
import { newIssue, requireEditor, sortIssues } from './issues.ts';

const READ = { app: [['pull_requests', 'read']], user: 'read' } as const;
const WRITE = { app: [['pull_requests', 'write']], user: 'read' } as const;

const Create = z.object({
  title: z.string().optional(),
  head: z.string(),
  base: z.string(),
  body: z.string().nullish(),
  draft: z.boolean().optional(),
});
const Update = z.object({
  title: z.string().optional(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']).optional(),
  base: z.string().optional(),
});
const Reviewers = z.object({
  reviewers: z.array(z.string()).optional(),
  team_reviewers: z.array(z.string()).optional(),
});

export const pullRoutes: readonly Route[] = [
  onRepository('GET /pulls', 'pulls/list', READ, list),
  onRepository('POST /pulls', 'pulls/create', WRITE, create),
  onRepository('GET /pulls/{pull_number}', 'pulls/get', READ, async (call) => await reply(call, 200, pullOf(call))),
  onRepository('PATCH /pulls/{pull_number}', 'pulls/update', WRITE, update),
  onRepository('GET /pulls/{pull_number}/files', 'pulls/list-files', READ, files),
  onRepository('GET /pulls/{pull_number}/commits', 'pulls/list-commits', READ, commits),
  onRepository('POST /pulls/{pull_number}/requested_reviewers', 'pulls/request-reviewers', WRITE, requestReviewers),
];

/** The pull request a path names. Throws 404, also for an issue's number. */
export function pullOf(call: RepositoryCall): PullIssue {
  const issue = issueByNumber(call.hub.world, call.repository, Number(call.params['pull_number']));
  if (issue === undefined || !isPull(issue)) throw notFound();
  return issue;
}

async function reply(call: RepositoryCall, status: number, issue: PullIssue): Promise<Reply> {
  return { status, body: presentPull(call.hub, issue, await pullNumbers(call.hub, issue)) };
}

function list(call: RepositoryCall): Reply {
  const { hub, query, repository } = call;
  const state = query.get('state') ?? 'open';
  const head = query.get('head');
  const base = query.get('base');
  const found = Object.values(hub.world.issues)
    .filter(isPull)
    .filter(
      (issue) =>
        issue.repositoryId === repository.id &&
        (state === 'all' || issue.state === state) &&
        // GitHub ignores a head filter without an owner.
        (head === null || !head.includes(':') || headLabel(hub, issue).toLowerCase() === head.toLowerCase()) &&
        (base === null || issue.pull.baseRef === base),
    );
  return paginate(call, sortIssues(found, query), (issue) => presentPullSimple(hub, issue));
}

async function create(call: RepositoryCall): Promise<Reply> {
  const { hub, repository, directory } = call;
  const author = authorOf(call.actor);
  const body = readBody(Create, call.body);
  if (body.title === undefined || body.title.trim() === '') {
    throw validationFailed({ resource: 'PullRequest', code: 'missing_field', field: 'title' });
  }
  const owner = accountById(hub.world, repository.ownerId).login;
  const [headOwner, headRef] = body.head.includes(':') ? splitOnce(body.head) : [owner, body.head];
  const headSha =
    headOwner.toLowerCase() === owner.toLowerCase() ? await resolve(directory, `refs/heads/${headRef}`) : undefined;
  const baseSha = await resolve(directory, `refs/heads/${body.base}`);
  if (headSha === undefined) throw validationFailed({ resource: 'PullRequest', code: 'invalid', field: 'head' });
  if (baseSha === undefined) throw validationFailed({ resource: 'PullRequest', code: 'invalid', field: 'base' });
  const common = await mergeBase(directory, baseSha, headSha);
  if (common === undefined) {
    throw custom(`The ${headRef} branch has no history in common with ${body.base}`);
  }
  if (common === headSha) throw custom(`No commits between ${body.base} and ${headRef}`);
  refuseDuplicate(call, { owner, head: headRef, base: body.base });
  const issue = newIssue(hub, repository, { author, title: body.title, body: body.body ?? null });
  issue.pull = {
    id: takeId(hub.world),
    headRef,
    headSha,
    baseRef: body.base,
    baseSha,
    draft: body.draft ?? false,
    mergedAt: null,
    mergedById: null,
    mergeCommitSha: null,
    requestedReviewerIds: [],
  };
  const pull: PullIssue = issue as PullIssue;
  await pinHead(directory, pull);
  await emitThread(hub, pull, { action: 'opened', author });
  const created = await reply(call, 201, pull);
  return { ...created, headers: { location: `${call.address}/${issue.number}` } };
}

function splitOnce(label: string): readonly [string, string] {
  const colon = label.indexOf(':');
  return [label.slice(0, colon), label.slice(colon + 1)];
}

function custom(message: string): HttpError {
  return validationFailed({ resource: 'PullRequest', code: 'custom', message });
}

function refuseDuplicate(
  call: RepositoryCall,
  wanted: { readonly owner: string; readonly head: string; readonly base: string },
): void {
  const known = Object.values(call.hub.world.issues)
    .filter(isPull)
    .some(
      (issue) =>
        issue.repositoryId === call.repository.id &&
        issue.state === 'open' &&
        issue.pull.headRef === wanted.head &&
        issue.pull.baseRef === wanted.base,
    );
  if (known) throw custom(`A pull request already exists for ${wanted.owner}:${wanted.head}.`);
}

async function update(call: RepositoryCall): Promise<Reply> {
  const { hub, directory } = call;
  const author = authorOf(call.actor);
  const issue = pullOf(call);
  const body = readBody(Update, call.body);
  requireEditor(call, issue, author);
  const extra: Record<string, unknown> = {};
  if (body.base !== undefined && body.base !== issue.pull.baseRef) {
    const sha = await resolve(directory, `refs/heads/${body.base}`);
    if (sha === undefined) throw validationFailed({ resource: 'PullRequest', code: 'invalid', field: 'base' });
    extra['base'] = { ref: { from: issue.pull.baseRef }, sha: { from: issue.pull.baseSha } };
    issue.pull.baseRef = body.base;
    issue.pull.baseSha = sha;
  }
  await editText(hub, issue, { author, title: body.title, body: body.body, extra });
  if (body.state === 'open' && issue.state === 'closed') await refuseReopening(call, issue);
  if (body.state !== undefined) await setState(hub, issue, { author, state: body.state, reason: 'completed' });
  return await reply(call, 200, issue);
}

async function refuseReopening(call: RepositoryCall, issue: PullIssue): Promise<void> {
  if (issue.pull.mergedAt === null && (await branchExists(call.directory, issue.pull.headRef))) return;
  throw validationFailed({
    resource: 'PullRequest',
    code: 'invalid',
    field: 'state',
    message:
      issue.pull.mergedAt === null
        ? `state cannot be changed. The ${issue.pull.headRef} branch has been deleted.`
        : 'state cannot be changed. The pull request is merged.',
  });
}

async function files(call: RepositoryCall): Promise<Reply> {
  const { pull } = pullOf(call);
  const base = (await mergeBase(call.directory, pull.baseSha, pull.headSha)) ?? pull.baseSha;
  const found = await changedFiles(call.directory, base, pull.headSha);
  return paginate(call, found, (change) => presentChange(call.hub, call.repository, change, pull.headSha));
}

async function commits(call: RepositoryCall): Promise<Reply> {
  const { pull } = pullOf(call);
  const found = await listCommits(call.directory, ['--topo-order', `${pull.baseSha}..${pull.headSha}`]);
  return paginate(call, found.toReversed(), (commit) => presentCommit(call.hub, call.repository, commit));
}

async function requestReviewers(call: RepositoryCall): Promise<Reply> {
  const { hub } = call;
  const author = authorOf(call.actor);
  const issue = pullOf(call);
  const body = readBody(Reviewers, call.body);
  for (const login of body.reviewers ?? []) {
    const account = accountByLogin(hub.world, login);
    const role = account === undefined ? undefined : call.repository.roles[account.id];
    if (account === undefined || role === undefined || role === 'none') {
      throw new HttpError(
        422,
        'Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.',
      );
    }
    if (account.id === issue.userId) throw new HttpError(422, 'Review cannot be requested from pull request author.');
    if (issue.pull.requestedReviewerIds.includes(account.id)) continue;
    issue.pull.requestedReviewerIds.push(account.id);
    const extra = { requested_reviewer: presentAccount(hub, account) };
    await emitThread(hub, issue, { action: 'review_requested', author, extra });
  }
  return { status: 201, body: presentPullSimple(hub, issue) };
}
