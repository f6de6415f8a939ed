import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { timestamp } from '../clock.ts';
import { notFound, validationFailed } from '../errors.ts';
import { emitThread } from '../events.ts';
import type { Author, Hub } from '../hub.ts';
import { accountByLogin, atLeast, issueByNumber, labelByName, roleOf } from '../lookup.ts';
import { paginate } from '../pages.ts';
import { presentIssue } from '../presenters/issue.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { takeId } from '../state.ts';
import type { Issue, Repository } from '../state.ts';
import { editText, emitLabeled, replaceLabels, setState } from './issue-changes.ts';
import { ensureLabels } from './labels.ts';

const READ = {
  app: [
    ['issues', 'read'],
    ['pull_requests', 'read'],
  ],
  user: 'read',
} as const;
const WRITE = {
  app: [
    ['issues', 'write'],
    ['pull_requests', 'write'],
  ],
  user: 'read',
} as const;

const LabelNames = z.array(z.union([z.string(), z.object({ name: z.string() })]));
const Title = z.union([z.string(), z.number()]).transform(String);
const Create = z.object({
  title: Title,
  body: z.string().nullish(),
  labels: LabelNames.optional(),
  assignees: z.array(z.string()).optional(),
});
const Update = z.object({
  title: Title.nullish(),
  body: z.string().nullish(),
  state: z.enum(['open', 'closed']).optional(),
  state_reason: z.enum(['completed', 'not_planned', 'duplicate', 'reopened']).nullish(),
  labels: LabelNames.optional(),
  assignees: z.array(z.string()).optional(),
});
const Assignees = z.object({ assignees: z.array(z.string()).optional() });

export const issueRoutes: readonly Route[] = [
  onRepository('GET /issues', 'issues/list-for-repo', READ, list),
  onRepository('POST /issues', 'issues/create', { app: [['issues', 'write']], user: 'read' }, create),
  onRepository('GET /issues/{issue_number}', 'issues/get', READ, (call) => ({
    status: 200,
    body: presentIssue(call.hub, issueOf(call)),
  })),
  onRepository('PATCH /issues/{issue_number}', 'issues/update', WRITE, update),
  onRepository('POST /issues/{issue_number}/assignees', 'issues/add-assignees', WRITE, addAssignees),
];

/** The issue or pull request a path names. Throws 404. */
export function issueOf(call: RepositoryCall, parameter = 'issue_number'): Issue {
  const issue = issueByNumber(call.hub.world, call.repository, Number(call.params[parameter]));
  if (issue === undefined) throw notFound();
  return issue;
}

function list(call: RepositoryCall): Reply {
  const { hub, query, repository } = call;
  const state = query.get('state') ?? 'open';
  const labels = (query.get('labels') ?? '').split(',').filter((name) => name !== '');
  const creator = query.get('creator');
  const since = query.get('since');
  const ids = labels.map((name) => labelByName(hub.world, repository, name)?.id);
  const found = Object.values(hub.world.issues).filter(
    (issue) =>
      issue.repositoryId === repository.id &&
      (state === 'all' || issue.state === state) &&
      ids.every((id) => id !== undefined && issue.labelIds.includes(id)) &&
      (creator === null || accountByLogin(hub.world, creator)?.id === issue.userId) &&
      (since === null || Date.parse(issue.updatedAt) >= Date.parse(since)),
  );
  return paginate(call, sortIssues(found, query), (issue) => presentIssue(hub, issue));
}

/** Sorts as `sort` and `direction` say: newest made first unless told otherwise. */
export function sortIssues<Sorted extends Issue>(issues: readonly Sorted[], query: URLSearchParams): Sorted[] {
  const key = query.get('sort') === 'updated' ? 'updatedAt' : 'createdAt';
  const sorted = issues.toSorted((one, other) => one[key].localeCompare(other[key]) || one.number - other.number);
  return query.get('direction') === 'asc' ? sorted : sorted.reverse();
}

async function create(call: RepositoryCall): Promise<Reply> {
  const { hub, repository } = call;
  const author = authorOf(call.actor);
  const body = readBody(Create, call.body);
  if (body.title.trim() === '') {
    throw validationFailed({ resource: 'Issue', code: 'missing_field', field: 'title' });
  }
  const issue = newIssue(hub, repository, { author, title: body.title, body: body.body ?? null });
  // People without triage rights may open issues, but what they say of labels and assignees is dropped in silence.
  const triages = mayTriage(hub, repository, author);
  if (triages) {
    issue.labelIds = ensureLabels(hub, repository, namesOf(body.labels ?? []), author);
    issue.assigneeIds = accountIds(hub, body.assignees ?? []);
  }
  await emitThread(hub, issue, { action: 'opened', author });
  for (const id of issue.labelIds) await emitLabeled(hub, issue, { labelId: id, action: 'labeled', author });
  return {
    status: 201,
    body: presentIssue(hub, issue),
    headers: { location: String(presentIssue(hub, issue)['url']) },
  };
}

/** Whether an author may set labels and assignees. */
function mayTriage(hub: Hub, repository: Repository, author: Author): boolean {
  return author.kind === 'installation' || atLeast(roleOf(hub.world, repository, author.account.id), 'triage');
}

/** Puts a new open issue with the next number into the world. Nothing is told yet. */
export function newIssue(
  hub: Hub,
  repository: Repository,
  text: { readonly author: Author; readonly title: string; readonly body: string | null },
): Issue {
  const now = timestamp(hub.clock.now());
  const counted = repository;
  const issue: Issue = {
    id: takeId(hub.world),
    repositoryId: repository.id,
    number: counted.nextNumber,
    title: text.title,
    body: text.body,
    state: 'open',
    stateReason: null,
    userId: text.author.account.id,
    viaApp: text.author.kind === 'installation',
    labelIds: [],
    assigneeIds: [],
    createdAt: now,
    updatedAt: now,
    closedAt: null,
    closedById: null,
    pull: null,
  };
  counted.nextNumber += 1;
  hub.world.issues[issue.id] = issue;
  return issue;
}

async function update(call: RepositoryCall): Promise<Reply> {
  const { hub, repository } = call;
  const author = authorOf(call.actor);
  const issue = issueOf(call);
  const body = readBody(Update, call.body);
  requireEditor(call, issue, author);
  await editText(hub, issue, { author, title: body.title, body: body.body });
  if (body.labels !== undefined && mayTriage(hub, repository, author)) {
    await replaceLabels(hub, issue, ensureLabels(hub, repository, namesOf(body.labels), author), author);
  }
  if (body.assignees !== undefined && mayTriage(hub, repository, author)) {
    issue.assigneeIds = accountIds(hub, body.assignees);
  }
  if (body.state !== undefined) {
    const reason = body.state_reason === 'not_planned' ? 'not_planned' : 'completed';
    await setState(hub, issue, { author, state: body.state, reason });
  }
  return { status: 200, body: presentIssue(hub, issue) };
}

/** Throws 403 unless the caller wrote the thread or may triage the repository. */
export function requireEditor(call: RepositoryCall, thread: { readonly userId: number }, author: Author): void {
  if (thread.userId === author.account.id || mayTriage(call.hub, call.repository, author)) return;
  throw notFound();
}

async function addAssignees(call: RepositoryCall): Promise<Reply> {
  const { hub } = call;
  const author = authorOf(call.actor);
  const issue = issueOf(call);
  const body = readBody(Assignees, call.body);
  const wanted = accountIds(hub, body.assignees ?? []).filter(
    (id) => roleOf(hub.world, call.repository, id) !== 'none' && !issue.assigneeIds.includes(id),
  );
  // GitHub ignores people it may not assign; the reply shows who is.
  for (const id of mayTriage(hub, call.repository, author) ? wanted : []) {
    issue.assigneeIds.push(id);
    await emitThread(hub, issue, {
      action: 'assigned',
      author,
      extra: { assignee: presentIssue(hub, issue)['assignee'] },
    });
  }
  return { status: 201, body: presentIssue(hub, issue) };
}

function accountIds(hub: Hub, logins: readonly string[]): number[] {
  return logins.flatMap((login) => accountByLogin(hub.world, login)?.id ?? []);
}

/** Label names, however the caller wrote them. */
export function namesOf(labels: readonly (string | { readonly name: string })[]): string[] {
  return labels.map((label) => (typeof label === 'string' ? label : label.name));
}
