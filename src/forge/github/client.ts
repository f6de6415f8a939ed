import { setTimeout as sleep } from 'node:timers/promises';
import type { Octokit } from '@octokit/rest';
import type { Clock } from '../../domain/clock.ts';
import { fullName, type Repository } from '../../domain/repository.ts';
import { around, type EffectName } from '../../telemetry/failpoint.ts';
import type { Log } from '../../telemetry/log.ts';
import { ForgeError } from '../forge.ts';
import type { Pace } from './pace.ts';
import { forgeError, httpProblem } from './problems.ts';
import type { Holder, Purpose, Token, Tokens } from './tokens.ts';

/** A repository's present name, in octokit's words. */
export interface Place {
  readonly owner: string;
  readonly repo: string;
}

export interface Reply<T> {
  readonly status: number;
  readonly headers: { readonly link?: string | undefined };
  readonly data: T;
}

/** A request for a repository, made with a token for it alone, under the name it has now. */
export type Call<T> = (github: Octokit, at: Place) => Promise<Reply<T>>;

/**
 * Requests with everything that goes wrong on the way handled once: names that changed, tokens that expired, limits, lost
 * replies. `what` is verb and thing, for the error's text. All reject with `ForgeError`.
 */
export interface GithubClient {
  /** A request that changes nothing, repeated a few times when no usable answer comes. */
  read<T>(repository: Repository, what: string, call: Call<T>): Promise<Reply<T>>;
  /** Like `read`, with undefined for a thing that isn't there; still rejects when the repository itself is gone. */
  find<T>(repository: Repository, what: string, call: Call<T>): Promise<Reply<T> | undefined>;
  /** A request that changes something, as part of an effect: sent once. Kind `unavailable` means that it may have happened. */
  write<T>(repository: Repository, effect: EffectName, what: string, call: Call<T>): Promise<Reply<T>>;
  /** A request that concerns no repository by name. */
  send<T>(
    holder: Holder,
    purpose: Purpose,
    what: string,
    call: (github: Octokit) => Promise<Reply<T>>,
  ): Promise<Reply<T>>;
  /** What is left of our measure of writes for those that may be left out, 0 to 1. */
  writeRoom(): number;
  /** The repository as it is called now. */
  current(repository: Repository, purpose?: Purpose): Promise<Repository>;
  /** Waits before try number `attempt` + 1. */
  pause(attempt: number): Promise<void>;
}

export interface ClientDeps {
  readonly tokens: Tokens;
  readonly clock: Clock;
  readonly log: Log;
  readonly backoffMs: number;
  readonly pace: Pace;
}

/** How often a read is tried. */
const READ_TRIES = 3;
/** How long a repository's name is believed. */
const NAME_TTL_MS = 60_000;

interface Named {
  readonly repository: Repository;
  readonly until: number;
}

interface RepositoryReply {
  readonly id: number;
  readonly name: string;
  readonly owner: { readonly login: string };
  readonly default_branch: string;
}

/** Makes the client. Its memory: names of repositories, and limits GitHub told us of. */
export function createClient(deps: ClientDeps): GithubClient {
  const names = new Map<number, Named>();
  const limitedUntil = new Map<number, number>();

  async function pause(attempt: number): Promise<void> {
    await sleep(deps.backoffMs * 2 ** (attempt - 1));
  }

  /** One request; a token that GitHub refuses is replaced once. */
  async function once<T>(
    holder: Holder,
    purpose: Purpose,
    what: string,
    call: (github: Octokit) => Promise<Reply<T>>,
  ): Promise<Reply<T>> {
    refuseWhileLimited(holder, what);
    for (let attempt = 1; ; attempt++) {
      let token: Token | undefined;
      try {
        token = await deps.tokens.get(holder, purpose);
        return usable(await call(token.github), what);
      } catch (error) {
        if (error instanceof ForgeError) throw noted(holder, error);
        const problem = httpProblem(error);
        if (problem.status !== 401 || attempt > 1) throw noted(holder, forgeError(problem, what, deps.clock));
        if (token !== undefined) deps.tokens.refused(token);
      }
    }
  }

  async function send<T>(
    holder: Holder,
    purpose: Purpose,
    what: string,
    call: (github: Octokit) => Promise<Reply<T>>,
  ): Promise<Reply<T>> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(holder, purpose, what, call);
      } catch (error) {
        if (!isKind(error, 'unavailable') || attempt === READ_TRIES) throw error;
        await pause(attempt);
      }
    }
  }

  /** Asks GitHub what the repository of this id is called. Rejects with kind `gone` when the App can't see it. */
  async function current(repository: Repository, purpose: Purpose = 'api'): Promise<Repository> {
    const what = `read repository ${fullName(repository)}`;
    const { data } = await send(
      repository,
      purpose,
      what,
      (github) => github.request('GET /repositories/{id}', { id: repository.id }) as Promise<Reply<RepositoryReply>>,
    );
    const found: Repository = {
      id: repository.id,
      installationId: repository.installationId,
      owner: data.owner.login,
      name: data.name,
      defaultBranch: data.default_branch,
    };
    names.set(repository.id, { repository: found, until: deps.clock.now() + NAME_TTL_MS });
    return found;
  }

  async function place(repository: Repository): Promise<Place> {
    const known = names.get(repository.id);
    const found = known !== undefined && known.until > deps.clock.now() ? known.repository : await current(repository);
    return { owner: found.owner, repo: found.name };
  }

  /** A request under the present name. "Not found" may mean "renamed since": then the name is asked for again, once. */
  async function underName<T>(repository: Repository, call: Call<T>, run: Runner): Promise<Reply<T>> {
    const at = await place(repository);
    try {
      return await run((github) => call(github, at));
    } catch (error) {
      if (!isKind(error, 'gone')) throw error;
      const now = await current(repository);
      if (now.owner === at.owner && now.name === at.repo) throw error;
      return run((github) => call(github, { owner: now.owner, repo: now.name }));
    }
  }

  function read<T>(repository: Repository, what: string, call: Call<T>): Promise<Reply<T>> {
    return underName(repository, call, (request) =>
      send(repository, 'api', `${what} in ${fullName(repository)}`, request),
    );
  }

  async function find<T>(repository: Repository, what: string, call: Call<T>): Promise<Reply<T> | undefined> {
    const known = names.get(repository.id);
    try {
      return await read(repository, what, call);
    } catch (error) {
      // After `gone`, the client asked for the repository anew: if that worked, only the thing is missing.
      const asked = names.get(repository.id);
      if (isKind(error, 'gone') && asked !== undefined && asked !== known) return undefined;
      throw error;
    }
  }

  async function write<T>(repository: Repository, effect: EffectName, what: string, call: Call<T>): Promise<Reply<T>> {
    const full = `${what} in ${fullName(repository)}`;
    await deps.pace.turn(full);
    const reply = await around(effect, {
      perform: async () => await underName(repository, call, (request) => once(repository, 'api', full, request)),
    });
    deps.log.debug({ repository: fullName(repository), what }, 'wrote to GitHub');
    return reply;
  }

  function refuseWhileLimited(holder: Holder, what: string): void {
    const until = limitedUntil.get(holder.installationId) ?? 0;
    if (until <= deps.clock.now()) return;
    const message = `did not ${what}: GitHub limits our requests until ${new Date(until).toISOString()}`;
    throw new ForgeError('limited', message, { retryAt: until });
  }

  function noted(holder: Holder, error: ForgeError): ForgeError {
    if (error.retryAt !== undefined) {
      limitedUntil.set(holder.installationId, error.retryAt);
      deps.log.warn({ installationId: holder.installationId, retryAt: error.retryAt }, 'limited by GitHub');
    }
    return error;
  }

  return { read, find, write, writeRoom: () => deps.pace.room(), send, current, pause };
}

type Runner = <T>(request: (github: Octokit) => Promise<Reply<T>>) => Promise<Reply<T>>;

/** Whether an error is a `ForgeError` of one kind. */
export function isKind(error: unknown, kind: ForgeError['kind']): error is ForgeError {
  return error instanceof ForgeError && error.kind === kind;
}

/**
 * octokit gives a cut body as text, with the status of success, and a redirect as an answer. Neither is one: the first may have
 * taken effect, the second means that the name is old.
 */
function usable<T>(reply: Reply<T>, what: string): Reply<T> {
  if (reply.status >= 300) {
    throw new ForgeError('gone', `could not ${what}: GitHub knows it under another name`);
  }
  if (reply.status !== 204 && (typeof reply.data !== 'object' || reply.data === null)) {
    throw new ForgeError('unavailable', `could not ${what}: the reply was cut off`);
  }
  return reply;
}
