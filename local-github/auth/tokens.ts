import { randomBytes } from 'node:crypto';
import type { Hub } from '../hub.ts';
import type { Installation, InstallationToken, Permissions, UserToken, World } from '../state.ts';

/** A personal token for a user, in the shape of GitHub's classic ones. */
export function issueUserToken(world: World, userId: number): UserToken {
  const token = `ghp_${randomBytes(32).toString('base64url').replace(/[-_]/g, 'x').slice(0, 36)}`;
  const issued: UserToken = { kind: 'user', token, userId };
  world.tokens[token] = issued;
  return issued;
}

/** An installation token, in GitHub's newer and longer shape: `ghs_<App id>_<three dotted parts>`, about 520 characters. */
export function issueInstallationToken(
  hub: Pick<Hub, 'world' | 'clock' | 'audit'>,
  installation: Installation,
  narrowed: {
    readonly permissions: Permissions;
    readonly repositoryIds: number[] | undefined;
    readonly lifetime: number;
  },
): InstallationToken {
  const parts = [27, 105, 256].map((bytes) => randomBytes(bytes).toString('base64url'));
  const issued: InstallationToken = {
    kind: 'installation',
    token: `ghs_${hub.world.app.id}_${parts.join('.')}`,
    installationId: installation.id,
    repositoryIds: narrowed.repositoryIds,
    permissions: narrowed.permissions,
    expiresAt: hub.clock.now() + narrowed.lifetime,
  };
  hub.world.tokens[issued.token] = issued;
  hub.audit.tokens.add(issued.token);
  return issued;
}

/** Forgets tokens that expired more than an hour ago, so that a long-lived server's state stays small. */
export function forgetOldTokens(hub: Pick<Hub, 'world' | 'clock'>): void {
  const limit = hub.clock.now() - 60 * 60 * 1000;
  for (const token of Object.values(hub.world.tokens)) {
    if (token.kind === 'installation' && token.expiresAt < limit) delete hub.world.tokens[token.token];
  }
}
