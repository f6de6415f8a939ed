import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { timestamp } from '../clock.ts';
import { HttpError, notFound } from '../errors.ts';
import { isAncestor, listCommits, readCommit, resolve } from '../git/objects.ts';
import { moveRef } from '../git/refs.ts';
import { mergedTree, writeCommit } from '../git/write.ts';
import type { Author } from '../hub.ts';
import { noreplyAddress } from '../presenters/git.ts';
import type { PullIssue } from '../presenters/pull.ts';
import { headLabel, presentReview } from '../presenters/pull.ts';
import { markMerged, refChanged } from '../ref-changed.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { takeId } from '../state.ts';
import type { Review } from '../state.ts';
import { paginate } from '../pages.ts';
import { pullOf } from './pulls.ts';

const Merge = z.object({
  commit_title: z.string().optional(),
  commit_message: z.string().optional(),
  sha: z.string().optional(),
  merge_method: z.enum(['merge', 'squash', 'rebase']).optional(),
});
const CreateReview = z.object({
  body: z.string().optional(),
  event: z.enum(['APPROVE', 'REQUEST_CHANGES', 'COMMENT']).optional(),
  commit_id: z.string().optional(),
});

export const mergeRoutes: readonly Route[] = [
  onRepository('PUT /pulls/{pull_number}/merge', 'pulls/merge', { app: [['contents', 'write']], user: 'write' }, merge),
  onRepository(
    'GET /pulls/{pull_number}/merge',
    'pulls/check-if-merged',
    { app: [['contents', 'read']], user: 'read' },
    (call) => {
      if (pullOf(call).pull.mergedAt === null) throw notFound();
      return { status: 204 };
    },
  ),
  onRepository(
    'GET /pulls/{pull_number}/reviews',
    'pulls/list-reviews',
    { app: [['pull_requests', 'read']], user: 'read' },
    (call) => {
      const issue = pullOf(call);
      const found = Object.values(call.hub.world.reviews).filter((review) => review.issueId === issue.id);
      return paginate(call, found, (review) => presentReview(call.hub, review, issue));
    },
  ),
  onRepository(
    'POST /pulls/{pull_number}/reviews',
    'pulls/create-review',
    { app: [['pull_requests', 'write']], user: 'read' },
    review,
  ),
];

async function merge(call: RepositoryCall): Promise<Reply> {
  const { hub, repository, directory } = call;
  const author = authorOf(call.actor);
  const issue = pullOf(call);
  const body = readBody(Merge, call.body);
  const { pull } = issue;
  if (pull.mergedAt !== null || issue.state === 'closed') throw new HttpError(405, 'Pull Request is not mergeable');
  if (pull.draft) throw new HttpError(405, 'Pull Request is still a draft');
  if (body.sha !== undefined && body.sha !== pull.headSha) {
    throw new HttpError(409, 'Head branch was modified. Review and try the merge again.');
  }
  const before = await resolve(directory, `refs/heads/${pull.baseRef}`);
  if (before === undefined) throw new HttpError(405, 'Pull Request is not mergeable');
  const after = await mergeInto(call, issue, { base: before, author, options: body });
  const change = { ref: `refs/heads/${pull.baseRef}`, before, after };
  await moveRef(directory, change);
  await markMerged(hub, issue, { author, sha: after });
  await refChanged(hub, repository, change, { author, via: 'rest', merge: true });
  return { status: 200, body: { sha: after, merged: true, message: 'Pull Request successfully merged' } };
}

async function mergeInto(
  call: RepositoryCall,
  issue: PullIssue,
  merge: { readonly base: string; readonly author: Author; readonly options: z.infer<typeof Merge> },
): Promise<string> {
  const { hub, directory } = call;
  const { pull } = issue;
  const { account } = merge.author;
  const tree = await mergedTree(directory, merge.base, pull.headSha);
  if (tree === undefined) throw new HttpError(405, 'Pull Request is not mergeable');
  const person = { name: account.login, email: noreplyAddress(account), date: timestamp(hub.clock.now()) };
  const committer = { name: 'GitHub', email: 'noreply@github.com', date: person.date };
  const method = merge.options.merge_method ?? 'merge';
  if (method === 'rebase') return await rebase(directory, merge.base, pull.headSha);
  const squash = method === 'squash';
  const title =
    merge.options.commit_title ??
    (squash
      ? `${issue.title} (#${issue.number})`
      : `Merge pull request #${issue.number} from ${headLabel(hub, issue).replace(':', '/')}`);
  const text = merge.options.commit_message ?? (squash ? '' : issue.title);
  return await writeCommit(directory, {
    tree,
    parents: squash ? [merge.base] : [merge.base, pull.headSha],
    message: text === '' ? title : `${title}\n\n${text}`,
    author: person,
    committer,
  });
}

// Commits on top of the base as it is are only written anew; git 2.39 can't replay others without a working copy.
async function rebase(directory: string, base: string, head: string): Promise<string> {
  if (!(await isAncestor(directory, base, head))) {
    throw new HttpError(
      405,
      "This branch can't be rebased: the local GitHub rebases only what is up to date with its base",
    );
  }
  const commits = (await listCommits(directory, ['--topo-order', '--no-merges', `${base}..${head}`])).toReversed();
  let tip = base;
  for (const commit of commits) tip = await writeCommit(directory, { ...commit, parents: [tip] });
  return tip;
}

const REVIEW_STATES = { APPROVE: 'APPROVED', REQUEST_CHANGES: 'CHANGES_REQUESTED', COMMENT: 'COMMENTED' } as const;

async function review(call: RepositoryCall): Promise<Reply> {
  const { hub } = call;
  const author = authorOf(call.actor);
  const issue = pullOf(call);
  const body = readBody(CreateReview, call.body);
  if (author.account.id === issue.userId && (body.event === 'APPROVE' || body.event === 'REQUEST_CHANGES')) {
    const verb = body.event === 'APPROVE' ? 'approve' : 'request changes on';
    throw new HttpError(422, 'Unprocessable Entity', { errors: [`Can not ${verb} your own pull request`] });
  }
  const commit = body.commit_id === undefined ? undefined : await readCommit(call.directory, body.commit_id);
  const made: Review = {
    id: takeId(hub.world),
    issueId: issue.id,
    userId: author.account.id,
    body: body.body ?? '',
    state: body.event === undefined ? 'PENDING' : REVIEW_STATES[body.event],
    commitSha: commit?.sha ?? issue.pull.headSha,
    submittedAt: timestamp(hub.clock.now()),
  };
  hub.world.reviews[made.id] = made;
  return { status: 200, body: presentReview(hub, made, issue) };
}
