import type { Repository } from '../../domain/repository.ts';
import { ForgeError, type Role } from '../forge.ts';
import type { ForgeContext } from './context.ts';

/** What GitHub's `permission` says for each of its own roles. */
const PERMISSION_OF_ROLE: Readonly<Record<Role, string>> = {
  admin: 'admin',
  maintain: 'write',
  write: 'write',
  triage: 'read',
  read: 'read',
  none: 'none',
};

/** Makes the verb that asks for a user's role. */
export function createRoles(context: ForgeContext) {
  async function role(repository: Repository, login: string): Promise<Role> {
    const { data } = await context.client.read(repository, `read the role of ${login}`, (github, at) =>
      github.rest.repos.getCollaboratorPermissionLevel({ ...at, username: login }),
    );
    return roleOf(login, data.permission, data.role_name);
  }
  return { role };
}

/**
 * The role an answer names. A custom role counts as the base its `permission` states. An answer that contradicts itself, or that
 * holds other words than the documented ones, is no answer: rejects with kind `invalid`.
 */
export function roleOf(login: string, permission: unknown, roleName: unknown): Role {
  if (typeof roleName === 'string' && isRole(roleName) && PERMISSION_OF_ROLE[roleName] === permission) return roleName;
  const custom = typeof roleName === 'string' && roleName !== '' && !isRole(roleName);
  if (custom && (permission === 'admin' || permission === 'write' || permission === 'read' || permission === 'none')) {
    return permission;
  }
  const answer = JSON.stringify({ permission, role_name: roleName });
  throw new ForgeError('invalid', `GitHub gave no clear answer on the role of ${login}: ${answer}`);
}

function isRole(name: string): name is Role {
  return Object.hasOwn(PERMISSION_OF_ROLE, name);
}
