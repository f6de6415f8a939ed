import { open, readFile, rename, stat } from 'node:fs/promises';
import type { Clock } from '../domain/clock.ts';
import { AccessError, type Access } from './access.ts';
import { underFileLock } from './file-lock.ts';
import type { Login, LoginKind } from './login-file.ts';
import { EARLY_MS } from './token-access.ts';
import { askForToken } from './token-endpoint.ts';

/**
 * Authorizes with the tokens of a person's subscription, kept in a file that all processes share. Renewing changes the token that
 * renews (whoever uses the old one again is logged out), so one process at a time does it, under a lock beside the file, and only
 * after looking whether another has done it.
 */
export function loginAccess(options: {
  readonly kind: LoginKind;
  /** The file; its directory has to be writable. */
  readonly path: string;
  readonly clock: Clock;
  /** Where tokens are renewed, if not where the CLI does it. */
  readonly tokenUrl?: string;
}): Access {
  const { kind, path, clock } = options;
  let known: Login | undefined;
  let renewing: Promise<Login> | undefined;
  /** The token the endpoint did not accept: only another one will do. */
  let rejected: string | undefined;

  const isFresh = (login: Login): boolean => login.accessToken !== rejected && login.expiresAt - EARLY_MS > clock.now();

  async function current(): Promise<Login> {
    if (known !== undefined && isFresh(known)) return known;
    const { login } = await read();
    known = isFresh(login) ? login : await (renewing ??= renew().finally(() => (renewing = undefined)));
    return known;
  }

  async function read(): Promise<{ readonly text: string; readonly login: Login }> {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new AccessError(`The ${kind.title} login in ${path} can't be read.`, { isPassing: false, cause });
    });
    const login = kind.read(text);
    if (login === undefined)
      throw new AccessError(`${path} holds no ${kind.title} login: make it with \`${kind.logIn}\`.`, {
        isPassing: false,
      });
    return { text, login };
  }

  async function renew(): Promise<Login> {
    return await underFileLock(`${path}.lock`, async () => {
      const { text, login } = await read();
      // Another process was faster.
      if (isFresh(login)) return login;
      try {
        const answer = await askForToken({
          url: options.tokenUrl ?? kind.tokenUrl,
          json: { grant_type: 'refresh_token', refresh_token: login.refreshToken, client_id: kind.clientId },
          whose: `The ${kind.title} login in ${path}`,
        });
        const renewed = kind.write(text, answer, clock.now());
        await replace(path, renewed);
        return kind.read(renewed) ?? login;
      } catch (error) {
        return await afterFailure(login, error);
      }
    });
  }

  /** A token that is still good is used as long as the place that renews it is away; somebody else may also have renewed it. */
  async function afterFailure(login: Login, error: unknown): Promise<Login> {
    const later = (await read()).login;
    if (isFresh(later)) return later;
    const isGood = login.accessToken !== rejected && login.expiresAt > clock.now();
    if (isGood && error instanceof AccessError && error.isPassing) return login;
    if (!(error instanceof AccessError) || error.isPassing) throw error;
    throw new AccessError(`${error.message} Log in again with \`${kind.logIn}\` and replace the file.`, {
      isPassing: false,
      cause: error,
    });
  }

  return {
    needsBody: false,
    async authorize({ headers }) {
      const login = await current();
      const own = kind.headers(login);
      const betas = [headers['anthropic-beta'], own['anthropic-beta']].filter((beta) => typeof beta === 'string');
      return {
        headers: {
          ...own,
          ...(betas.length === 0 ? {} : { 'anthropic-beta': betas.join(',') }),
          authorization: `Bearer ${login.accessToken}`,
        },
        secrets: [login.accessToken, login.refreshToken],
      };
    },
    refused() {
      rejected = known?.accessToken;
    },
  };
}

/** The new text is whole on the disk before it is there: the old token that renews is worth nothing any more. */
async function replace(path: string, text: string): Promise<void> {
  const { mode } = await stat(path);
  const next = `${path}.new`;
  const file = await open(next, 'w', 0o600);
  try {
    await file.chmod(mode & 0o777);
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(next, path);
}
