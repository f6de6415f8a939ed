import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { timestamp } from '../clock.ts';
import { HttpError, notFound, validationFailed } from '../errors.ts';
import { emitComment } from '../events.ts';
import type { Author, Hub } from '../hub.ts';
import { atLeast, roleOf } from '../lookup.ts';
import { paginate } from '../pages.ts';
import { commentsOf, presentComment } from '../presenters/issue.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { takeId } from '../state.ts';
import type { Comment, Issue } from '../state.ts';
import { issueOf } from './issues.ts';

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

const Text = z.object({ body: z.string() });
// GitHub's limit for the body of a comment, in UTF-16 units.
const LONGEST = 65_536;

export const commentRoutes: readonly Route[] = [
  onRepository('GET /issues/{issue_number}/comments', 'issues/list-comments', READ, list),
  onRepository('GET /issues/comments', 'issues/list-comments-for-repo', READ, listAll),
  onRepository('POST /issues/{issue_number}/comments', 'issues/create-comment', WRITE, create),
  onRepository('GET /issues/comments/{comment_id}', 'issues/get-comment', READ, (call) =>
    reply(call, 200, commentOf(call)),
  ),
  onRepository('PATCH /issues/comments/{comment_id}', 'issues/update-comment', WRITE, update),
  onRepository('DELETE /issues/comments/{comment_id}', 'issues/delete-comment', WRITE, remove),
];

/** The comment a path names. Throws 404. */
export function commentOf(call: RepositoryCall): Comment {
  const comment = call.hub.world.comments[Number(call.params['comment_id'])];
  if (comment === undefined || comment.repositoryId !== call.repository.id) throw notFound();
  return comment;
}

function threadOf(hub: Hub, comment: Comment): Issue {
  const issue = hub.world.issues[comment.issueId];
  if (issue === undefined) throw notFound();
  return issue;
}

function reply(call: RepositoryCall, status: number, comment: Comment): Reply {
  return { status, body: presentComment(call.hub, comment, threadOf(call.hub, comment)) };
}

function list(call: RepositoryCall): Reply {
  const issue = issueOf(call);
  const since = Date.parse(call.query.get('since') ?? '') || 0;
  const found = commentsOf(call.hub, issue).filter((comment) => Date.parse(comment.updatedAt) >= since);
  return paginate(call, found, (comment) => presentComment(call.hub, comment, issue));
}

function listAll(call: RepositoryCall): Reply {
  const since = Date.parse(call.query.get('since') ?? '') || 0;
  const found = Object.values(call.hub.world.comments).filter(
    (comment) => comment.repositoryId === call.repository.id && Date.parse(comment.updatedAt) >= since,
  );
  const sorted = call.query.get('direction') === 'desc' ? found.toReversed() : found;
  return paginate(call, sorted, (comment) => presentComment(call.hub, comment, threadOf(call.hub, comment)));
}

function create(call: RepositoryCall): Reply {
  const { hub, repository } = call;
  const author = authorOf(call.actor);
  const issue = issueOf(call);
  const { body } = readBody(Text, call.body);
  refuseUnfit(body);
  const now = timestamp(hub.clock.now());
  const comment: Comment = {
    id: takeId(hub.world),
    repositoryId: repository.id,
    issueId: issue.id,
    userId: author.account.id,
    viaApp: author.kind === 'installation',
    body,
    createdAt: now,
    updatedAt: now,
  };
  hub.world.comments[comment.id] = comment;
  issue.updatedAt = now;
  emitComment(hub, comment, { issue, action: 'created', author });
  return { ...reply(call, 201, comment), headers: { location: String(presentComment(hub, comment, issue)['url']) } };
}

function refuseUnfit(body: string): void {
  if (body.trim() === '') {
    throw validationFailed({
      resource: 'IssueComment',
      code: 'unprocessable',
      field: 'data',
      message: 'Body cannot be blank',
    });
  }
  if (body.length > LONGEST) {
    throw validationFailed({
      resource: 'IssueComment',
      code: 'unprocessable',
      field: 'data',
      message: `Body is too long (maximum is ${LONGEST} characters)`,
    });
  }
}

function update(call: RepositoryCall): Reply {
  const { hub } = call;
  const author = authorOf(call.actor);
  const comment = commentOf(call);
  const { body } = readBody(Text, call.body);
  refuseUnfit(body);
  requireOwner(call, comment, author);
  const from = comment.body;
  comment.body = body;
  comment.updatedAt = timestamp(hub.clock.now());
  if (from !== body) {
    const extra = { changes: { body: { from } } };
    emitComment(hub, comment, { issue: threadOf(hub, comment), action: 'edited', author, extra });
  }
  return reply(call, 200, comment);
}

function remove(call: RepositoryCall): Reply {
  const { hub } = call;
  const author = authorOf(call.actor);
  const comment = commentOf(call);
  requireOwner(call, comment, author);
  emitComment(hub, comment, { issue: threadOf(hub, comment), action: 'deleted', author });
  delete hub.world.comments[comment.id];
  for (const reaction of Object.values(hub.world.reactions)) {
    if (reaction.target === 'comment' && reaction.targetId === comment.id) delete hub.world.reactions[reaction.id];
  }
  return { status: 204 };
}

function requireOwner(call: RepositoryCall, comment: Comment, author: Author): void {
  if (comment.userId === author.account.id || author.kind === 'installation') return;
  if (atLeast(roleOf(call.hub.world, call.repository, author.account.id), 'write')) return;
  throw new HttpError(403, 'Must have admin rights to Repository.');
}
