import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { notFound } from '../errors.ts';
import { labelByName } from '../lookup.ts';
import { paginate } from '../pages.ts';
import { presentLabels } from '../presenters/issue.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { replaceLabels } from './issue-changes.ts';
import { issueOf, namesOf } from './issues.ts';
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
  user: 'triage',
} as const;

const Names = z.array(z.union([z.string(), z.object({ name: z.string() })]));
const Body = z.union([Names, z.object({ labels: Names.optional() })]);

export const issueLabelRoutes: readonly Route[] = [
  onRepository('GET /issues/{issue_number}/labels', 'issues/list-labels-on-issue', READ, (call) =>
    paginate(call, presentLabels(call.hub, issueOf(call)), (label) => label),
  ),
  onRepository('POST /issues/{issue_number}/labels', 'issues/add-labels', WRITE, async (call) => {
    const issue = issueOf(call);
    return await change(call, (wanted) => [...issue.labelIds, ...wanted]);
  }),
  onRepository(
    'PUT /issues/{issue_number}/labels',
    'issues/set-labels',
    WRITE,
    async (call) => await change(call, (wanted) => wanted),
  ),
  onRepository('DELETE /issues/{issue_number}/labels', 'issues/remove-all-labels', WRITE, async (call) => {
    await replaceLabels(call.hub, issueOf(call), [], authorOf(call.actor));
    return { status: 204 };
  }),
  onRepository('DELETE /issues/{issue_number}/labels/{name}', 'issues/remove-label', WRITE, removeOne),
];

async function change(call: RepositoryCall, combine: (wanted: readonly number[]) => readonly number[]): Promise<Reply> {
  const { hub, repository } = call;
  const author = authorOf(call.actor);
  const issue = issueOf(call);
  const body = readBody(Body, call.body);
  const names = namesOf(Array.isArray(body) ? body : (body.labels ?? []));
  await replaceLabels(hub, issue, combine(ensureLabels(hub, repository, names, author)), author);
  return { status: 200, body: presentLabels(hub, issue) };
}

async function removeOne(call: RepositoryCall): Promise<Reply> {
  const { hub, repository } = call;
  const issue = issueOf(call);
  const label = labelByName(hub.world, repository, call.params['name'] ?? '');
  if (label === undefined || !issue.labelIds.includes(label.id)) throw notFound('Label does not exist');
  const left = issue.labelIds.filter((id) => id !== label.id);
  await replaceLabels(hub, issue, left, authorOf(call.actor));
  return { status: 200, body: presentLabels(hub, issue) };
}
