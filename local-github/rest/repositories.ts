import { notFound } from '../errors.ts';
import { accountByLogin, atLeast, roleOf } from '../lookup.ts';
import { paginate } from '../pages.ts';
import { presentAccount, presentPrivateUser, presentPublicUser } from '../presenters/account.ts';
import { presentFullRepository } from '../presenters/repository.ts';
import { onRepository, plain } from '../routes.ts';
import type { Call, Reply, RepositoryCall, Route } from '../routes.ts';
import { authorOf } from '../auth/access.ts';
import type { Role } from '../state.ts';

const METADATA = { app: [['metadata', 'read']], user: 'read' } as const;
const COLLABORATORS = { app: [['metadata', 'read']], user: 'write' } as const;

export const repositoryRoutes: readonly Route[] = [
  onRepository('GET ', 'repos/get', METADATA, (call) => ({
    status: 200,
    body: presentFullRepository(call.hub, call.repository, call.actor),
  })),
  onRepository('GET /collaborators/{username}', 'repos/check-collaborator', COLLABORATORS, (call) => {
    if (permissionOf(call).role === 'none') throw notFound();
    return { status: 204 };
  }),
  onRepository(
    'GET /collaborators/{username}/permission',
    'repos/get-collaborator-permission-level',
    COLLABORATORS,
    permission,
  ),
  onRepository('GET /collaborators', 'repos/list-collaborators', COLLABORATORS, collaborators),
  plain('GET /user', 'users/get-authenticated', 'author', user),
  plain('GET /users/{username}', 'users/get-by-username', 'any', (call) => {
    const account = accountByLogin(call.hub.world, call.params['username'] ?? '');
    if (account === undefined) throw notFound();
    return { status: 200, body: presentPublicUser(call.hub, account) };
  }),
];

function user(call: Call): Reply {
  const author = authorOf(call.actor);
  return { status: 200, body: presentPrivateUser(call.hub, author.account) };
}

// The older of the two names for a role: maintain counts as write, triage as read.
function permissionName(role: Role): string {
  if (role === 'maintain') return 'write';
  return role === 'triage' ? 'read' : role;
}

function permissionOf(call: RepositoryCall) {
  const account = accountByLogin(call.hub.world, call.params['username'] ?? '');
  if (account === undefined) throw notFound();
  return { account, role: roleOf(call.hub.world, call.repository, account.id) };
}

function permission(call: RepositoryCall): Reply {
  const { account, role } = permissionOf(call);
  return {
    status: 200,
    body: {
      permission: permissionName(role),
      role_name: role,
      user: {
        ...presentAccount(call.hub, account),
        permissions: permissionFlags(role),
        role_name: role,
      },
    },
  };
}

function permissionFlags(role: Role): Readonly<Record<string, boolean>> {
  return {
    admin: atLeast(role, 'admin'),
    maintain: atLeast(role, 'maintain'),
    push: atLeast(role, 'write'),
    triage: atLeast(role, 'triage'),
    pull: atLeast(role, 'read'),
  };
}

function collaborators(call: RepositoryCall): Reply {
  const { hub, repository } = call;
  const found = Object.values(hub.world.accounts).filter(
    (account) =>
      account.type === 'User' &&
      (account.id === repository.ownerId || (repository.roles[account.id] ?? 'none') !== 'none'),
  );
  return paginate(call, found, (account) => {
    const role = roleOf(hub.world, repository, account.id);
    return { ...presentAccount(hub, account), permissions: permissionFlags(role), role_name: role };
  });
}
