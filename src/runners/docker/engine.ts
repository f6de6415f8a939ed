import { InfrastructureError } from '../runner.ts';

/** How long an engine may take. Milliseconds. */
export interface Patience {
  /** A call that an engine answers at once unless it is busy unpacking an image or starting ten containers. */
  readonly callMs: number;
  readonly startMs: number;
  /** How long a container may outlive its SIGKILL: the kernel has to tear down its processes and mounts. */
  readonly deathMs: number;
  /** Removing a volume removes its files, one by one. */
  readonly removalMs: number;
  /** How long the engine may be away (a restart) while a job runs before the job is given up. */
  readonly absenceMs: number;
  /** How often it is looked whether a container still runs, whatever its connections say. */
  readonly lookMs: number;
}

export const DEFAULT_PATIENCE: Patience = {
  callMs: 30_000,
  startMs: 120_000,
  deathMs: 60_000,
  removalMs: 300_000,
  absenceMs: 30_000,
  lookMs: 3_000,
};

/**
 * Waits for `call` to the engine, at most `ms`; the signal it is given breaks the connection off then, so that an engine that hangs
 * for hours does not use up our files. Throws `InfrastructureError` that names `what` was being done when the engine is silent, gone,
 * or answers with an error: what that was, `statusOf` tells.
 */
export async function ask<T>(what: string, ms: number, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const late = new AbortController();
  const timer = setTimeout(() => {
    reject(new InfrastructureError(`The Docker engine did not ${what} within ${ms / 1000} s. Is it overloaded?`));
    late.abort();
  }, ms);
  try {
    return await Promise.race([call(late.signal), silence]);
  } catch (error) {
    throw error instanceof InfrastructureError ? error : failure(what, error);
  } finally {
    clearTimeout(timer);
  }
}

function failure(what: string, cause: unknown): InfrastructureError {
  const said =
    statusOf(cause) === undefined
      ? `No Docker engine answers, asked to ${what}: ${wordsOf(cause)}. Start Docker, or set DOCKER_HOST to where it listens.`
      : `The Docker engine could not ${what}: ${wordsOf(cause)}`;
  return new InfrastructureError(said, { cause });
}

/** HTTP status the engine answered with, of an error of `ask` or of dockerode's; undefined for every other error. */
export function statusOf(error: unknown): number | undefined {
  const answer = error instanceof InfrastructureError ? error.cause : error;
  const status = (answer as { statusCode?: unknown } | undefined)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** What the engine said was wrong. */
export function wordsOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  // "(HTTP code 409) unexpected - the engine's words"
  return message.replace(/^\(HTTP code \d+\) [^-]* - /, '').trim();
}
