import type { Octokit } from '@octokit/rest';
import type { Clock } from '../../domain/clock.ts';
import type { Repository } from '../../domain/repository.ts';
import { around } from '../../telemetry/failpoint.ts';
import { ForgeError } from '../forge.ts';
import { forgeError, httpProblem, inOurTime } from './problems.ts';
import type { Transport } from './transport.ts';

/** A token is not handed out when it has less than this left: a long push must end before it does. */
const MARGIN_MS = 5 * 60_000;

/** What a token may do; never more than its purpose needs. */
const PERMISSIONS = {
  api: { metadata: 'read', contents: 'read', issues: 'write', pull_requests: 'write', checks: 'write' },
  git: { metadata: 'read', contents: 'write' },
  self: { metadata: 'read' },
} as const;

export type Purpose = keyof typeof PERMISSIONS;

/** Whose token: one repository of an installation, or the installation at large where no repository is concerned. */
export type Holder = Pick<Repository, 'installationId'> & { readonly id?: number };

export interface Token {
  readonly value: string;
  readonly github: Octokit;
  readonly expiresAt: number;
}

/** Installation tokens by holder and purpose, minted when first needed. */
export interface Tokens {
  get(holder: Holder, purpose: Purpose): Promise<Token>;
  /** To be called when GitHub refuses a token: no `get` hands it out again. Of requests under way together, each may say so. */
  refused(token: Token): void;
  /** Revokes all that are held. */
  revokeAll(): Promise<void>;
  /** Every value that is held, for redaction. */
  values(): readonly string[];
}

/** Makes the keeper of tokens. They live in memory only. */
export function createTokens(deps: { readonly transport: Transport; readonly clock: Clock }): Tokens {
  const held = new Map<string, Promise<Token>>();
  const bad = new WeakSet<Token>();
  const values = new Map<string, string>();

  async function mint(key: string, holder: Holder, purpose: Purpose): Promise<Token> {
    const what = `get a token for installation ${holder.installationId}`;
    try {
      const { data, headers } = await around('token', {
        perform: async () =>
          await deps.transport.asApp.rest.apps.createInstallationAccessToken({
            installation_id: holder.installationId,
            permissions: PERMISSIONS[purpose],
            ...(holder.id === undefined ? {} : { repository_ids: [holder.id] }),
          }),
      });
      if (typeof data !== 'object') throw new ForgeError('unavailable', `could not ${what}: the reply was cut off`);
      values.set(key, data.token);
      const expiresAt = inOurTime(Date.parse(data.expires_at), headers, deps.clock);
      return { value: data.token, github: deps.transport.withToken(data.token), expiresAt };
    } catch (error) {
      throw mintError(error, what, deps.clock);
    }
  }

  async function isUsable(token: Promise<Token>): Promise<boolean> {
    const minted = await token.catch(() => undefined);
    return minted !== undefined && !bad.has(minted) && minted.expiresAt - deps.clock.now() > MARGIN_MS;
  }

  async function get(holder: Holder, purpose: Purpose): Promise<Token> {
    const key = keyOf(holder, purpose);
    const known = held.get(key);
    if (known !== undefined && (await isUsable(known))) return known;
    // Somebody else may have begun to mint while we looked at the old one: then theirs serves us too.
    const current = held.get(key);
    if (current !== undefined && current !== known) return current;
    const fresh = mint(key, holder, purpose);
    held.set(key, fresh);
    return fresh;
  }

  async function revokeAll(): Promise<void> {
    const tokens = [...held.values()];
    held.clear();
    values.clear();
    // A token that can't be revoked ends by itself within the hour.
    await Promise.allSettled(
      tokens.map(async (token) => (await token).github.rest.apps.revokeInstallationAccessToken()),
    );
  }

  return { get, refused: (token) => void bad.add(token), revokeAll, values: () => [...values.values()] };
}

function keyOf(holder: Holder, purpose: Purpose): string {
  return `${holder.installationId}/${holder.id ?? '*'}/${purpose}`;
}

/** Refusals of a token, in the operator's words: they mean other things than those of an ordinary request. */
function mintError(error: unknown, what: string, clock: Clock): ForgeError {
  if (error instanceof ForgeError) return error;
  const problem = httpProblem(error);
  const cause = new Error(`HTTP ${problem.status}: ${problem.message}`);
  if (problem.status === 401) {
    return new ForgeError('denied', `could not ${what}: GitHub does not accept the App's id and private key`, {
      cause,
    });
  }
  if (problem.status === 404)
    return new ForgeError('gone', `could not ${what}: the App is not installed there any more`, { cause });
  if (problem.status === 422 && /permission/iu.test(problem.message)) {
    return new ForgeError(
      'denied',
      `could not ${what}: accept the App's new permissions on GitHub (${problem.message})`,
      { cause },
    );
  }
  if (problem.status === 422) {
    return new ForgeError('gone', `could not ${what}: the repository is not part of the installation any more`, {
      cause,
    });
  }
  return forgeError(problem, what, clock);
}
