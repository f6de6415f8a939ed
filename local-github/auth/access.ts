import { HttpError, notAccessible, notFound } from '../errors.ts';
import type { Actor, Author, Hub } from '../hub.ts';
import { atLeast, covers, roleOf } from '../lookup.ts';
import type { Level, Permissions, Repository, Role } from '../state.ts';

/** What an operation on a repository needs: one of these permissions from an App's token, this role from a person. */
export interface Access {
  /** `[]`: Apps may not call it. `metadata` comes with every token. */
  readonly app: readonly (readonly [permission: string, level: Level])[];
  /** `none`: people may not call it. */
  readonly user: Role;
}

/** Throws 404 for a repository the caller may not see, 403 for one it may not do this in. */
export function checkAccess(hub: Hub, actor: Actor, repository: Repository, access: Access): void {
  if (!canSee(hub, actor, repository)) throw notFound();
  switch (actor.kind) {
    case 'installation':
      checkInstallation(hub, actor, repository, access);
      return;
    case 'user':
      checkUser(hub, actor, repository, access);
      return;
    case 'app':
      throw new HttpError(403, 'Resource not accessible by integration');
    case 'anonymous':
      if (access.user !== 'read' || access.app.every(([, level]) => level === 'write')) {
        throw new HttpError(401, 'Requires authentication');
      }
      return;
  }
}

/** Whether somebody may know that a repository exists. */
export function canSee(hub: Hub, actor: Actor, repository: Repository): boolean {
  if (!repository.private) return true;
  if (actor.kind === 'user') return atLeast(roleOf(hub.world, repository, actor.account.id), 'read');
  return actor.kind === 'installation' && reaches(hub, actor, repository);
}

/** Whether an installation token is good for a repository. */
export function reaches(
  hub: Hub,
  actor: Extract<Actor, { readonly kind: 'installation' }>,
  repository: Repository,
): boolean {
  const installation = hub.world.installations[actor.token.installationId];
  if (installation === undefined || !covers(installation, repository)) return false;
  return actor.token.repositoryIds?.includes(repository.id) ?? true;
}

/** Whether a token's permissions hold one at a level. */
export function grants(permissions: Permissions, permission: string, level: Level): boolean {
  if (permission === 'metadata') return level === 'read';
  const granted = permissions[permission];
  return granted === 'write' || (granted === 'read' && level === 'read');
}

function checkInstallation(
  hub: Hub,
  actor: Extract<Actor, { readonly kind: 'installation' }>,
  repository: Repository,
  access: Access,
): void {
  const accepted = access.app.map(([permission, level]) => `${permission}=${level}`).join('; ');
  const readsPublic = !repository.private && access.app.some(([, level]) => level === 'read');
  if (!reaches(hub, actor, repository) && !readsPublic) throw notAccessible(accepted);
  if (!reaches(hub, actor, repository)) return;
  if (!access.app.some(([permission, level]) => grants(actor.token.permissions, permission, level))) {
    throw notAccessible(accepted);
  }
}

function checkUser(
  hub: Hub,
  actor: Extract<Author, { readonly kind: 'user' }>,
  repository: Repository,
  access: Access,
): void {
  if (access.user === 'none') throw new HttpError(403, 'You must authenticate via a GitHub App.');
  if (!atLeast(roleOf(hub.world, repository, actor.account.id), access.user)) {
    throw new HttpError(
      403,
      access.user === 'admin' ? 'Must have admin rights to Repository.' : 'Must have push access to repository.',
    );
  }
}

/** The caller as an author. Throws 401 for nobody and 403 for the App without an installation. */
export function authorOf(actor: Actor): Author {
  if (actor.kind === 'anonymous') throw new HttpError(401, 'Requires authentication');
  if (actor.kind === 'app') throw new HttpError(403, 'Resource not accessible by integration');
  return actor;
}
