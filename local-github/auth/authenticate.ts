import { badCredentials, HttpError } from '../errors.ts';
import type { Actor, Hub } from '../hub.ts';
import { accountById } from '../lookup.ts';
import { undecodable, verifyAppJwt } from './jwt.ts';

/**
 * Who a request's `Authorization` header stands for. No header is nobody; a header that means nothing throws 401, an
 * installation that is suspended 403.
 */
export function authenticate(hub: Hub, header: string | undefined): Actor {
  if (header === undefined) return { kind: 'anonymous' };
  const secret = secretOf(header);
  if (secret === undefined) throw badCredentials();
  const token = hub.world.tokens[secret];
  if (token === undefined) return authenticateJwt(hub, secret);
  if (token.kind === 'user') return { kind: 'user', account: accountById(hub.world, token.userId) };
  const installation = hub.world.installations[token.installationId];
  if (installation === undefined || token.expiresAt <= hub.clock.now()) throw badCredentials();
  if (installation.suspendedAt !== null) throw suspended();
  return { kind: 'installation', account: accountById(hub.world, hub.world.app.botUserId), token };
}

/** 403 while an installation is suspended. */
export function suspended(): HttpError {
  return new HttpError(403, 'This installation has been suspended');
}

function authenticateJwt(hub: Hub, secret: string): Actor {
  if (secret.startsWith('gh') || secret.split('.').length !== 3) throw badCredentials();
  if (!secret.startsWith('ey')) throw undecodable();
  verifyAppJwt(secret, hub.world.app, Date.now());
  return { kind: 'app' };
}

// `token X`, `Bearer X` (any case) or Basic with the token as password, or as the name with an empty password.
function secretOf(header: string): string | undefined {
  const [scheme = '', value = ''] = header.trim().split(/\s+/, 2);
  switch (scheme.toLowerCase()) {
    case 'token':
    case 'bearer':
      return value === '' ? undefined : value;
    case 'basic': {
      const [, name = '', password = ''] = /^([^:]*):(.*)$/s.exec(Buffer.from(value, 'base64').toString('utf8')) ?? [];
      return (password === '' || password === 'x-oauth-basic' ? name : password) || undefined;
    }
    default:
      return undefined;
  }
}

/** How the audit names somebody. */
export function actorName(actor: Actor): string {
  return actor.kind === 'user' || actor.kind === 'installation' ? actor.account.login : actor.kind;
}
