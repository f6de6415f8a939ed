import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { timestamp } from '../clock.ts';
import { notFound } from '../errors.ts';
import { paginate } from '../pages.ts';
import { presentReaction } from '../presenters/issue.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { REACTIONS, takeId } from '../state.ts';
import type { Reaction } from '../state.ts';
import { commentOf } from './comments.ts';
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

const Create = z.object({ content: z.enum(REACTIONS) });

type Target = Pick<Reaction, 'target' | 'targetId'>;

export const reactionRoutes: readonly Route[] = [
  ...routesFor('/issues/{issue_number}/reactions', 'issue', (call) => ({
    target: 'issue',
    targetId: issueOf(call).id,
  })),
  ...routesFor('/issues/comments/{comment_id}/reactions', 'issue-comment', (call) => ({
    target: 'comment',
    targetId: commentOf(call).id,
  })),
];

function routesFor(path: string, name: string, targetOf: (call: RepositoryCall) => Target): Route[] {
  return [
    onRepository(`GET ${path}`, `reactions/list-for-${name}`, READ, (call) => list(call, targetOf(call))),
    onRepository(`POST ${path}`, `reactions/create-for-${name}`, WRITE, (call) => create(call, targetOf(call))),
    onRepository(`DELETE ${path}/{reaction_id}`, `reactions/delete-for-${name}`, WRITE, (call) =>
      remove(call, targetOf(call)),
    ),
  ];
}

function reactionsTo(call: RepositoryCall, target: Target): Reaction[] {
  return Object.values(call.hub.world.reactions).filter(
    (reaction) => reaction.target === target.target && reaction.targetId === target.targetId,
  );
}

function list(call: RepositoryCall, target: Target): Reply {
  const content = call.query.get('content');
  const found = reactionsTo(call, target).filter((reaction) => content === null || reaction.content === content);
  return paginate(call, found, (reaction) => presentReaction(call.hub, reaction));
}

function create(call: RepositoryCall, target: Target): Reply {
  const { hub } = call;
  const { account } = authorOf(call.actor);
  const { content } = readBody(Create, call.body);
  const known = reactionsTo(call, target).find((one) => one.userId === account.id && one.content === content);
  if (known !== undefined) return { status: 200, body: presentReaction(hub, known) };
  const reaction: Reaction = {
    id: takeId(hub.world),
    ...target,
    userId: account.id,
    content,
    createdAt: timestamp(hub.clock.now()),
  };
  hub.world.reactions[reaction.id] = reaction;
  return { status: 201, body: presentReaction(hub, reaction) };
}

function remove(call: RepositoryCall, target: Target): Reply {
  const { account } = authorOf(call.actor);
  const found = reactionsTo(call, target).find((reaction) => reaction.id === Number(call.params['reaction_id']));
  if (found === undefined || found.userId !== account.id) throw notFound();
  delete call.hub.world.reactions[found.id];
  return { status: 204 };
}
