import type { Clock } from '../domain/clock.ts';
import type { JobLimits, JobResult } from './runner.ts';

/** Why a job is ended from outside. */
type Limit = Exclude<JobResult['ending'], 'exited' | 'memory'>;

/** Keeps the time, the output and the caller's signal of one job, and says once why it must end. */
export interface JobWatch {
  /** Settles with the first reason to end the job; never, if it ends by itself. */
  readonly reached: Promise<Limit>;
  /** The reason, once there is one. */
  reason(): Limit | undefined;
  /** The job printed `bytes`: it is not idle. Returns how many of them are within the output limit. */
  heard(bytes: number): number;
  /** The reader of the output makes the job wait; until `release` the job's silence is not its own. */
  hold(): void;
  release(): void;
  /** From now on nothing is a reason any more. */
  stop(): void;
}

/** Starts watching a job that starts now. */
export function watchJob(options: {
  readonly limits: JobLimits;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}): JobWatch {
  const { limits, signal, clock } = options;
  const { promise: reached, resolve } = Promise.withResolvers<Limit>();
  let reason: Limit | undefined;
  let stopped = false;
  let output = 0;
  let holders = 0;
  let lastHeard = clock.monotonic();

  const wall = setTimeout(() => end('wall'), limits.wallMs);
  let idle = setTimeout(checkIdle, limits.idleMs);
  const abort = (): void => end('aborted');
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();

  function stop(): void {
    stopped = true;
    clearTimeout(wall);
    clearTimeout(idle);
    signal.removeEventListener('abort', abort);
  }

  function end(why: Limit): void {
    if (stopped) return;
    stop();
    reason = why;
    resolve(why);
  }

  function checkIdle(): void {
    const quietMs = holders > 0 ? 0 : clock.monotonic() - lastHeard;
    if (quietMs >= limits.idleMs) end('idle');
    // One timer for the whole job: re-arming one at every chunk costs more than the chunk.
    else idle = setTimeout(checkIdle, Math.max(1, limits.idleMs - quietMs));
  }

  return {
    reached,
    reason: () => reason,
    heard(bytes) {
      lastHeard = clock.monotonic();
      const allowed = Math.max(0, Math.min(bytes, limits.outputBytes - output));
      output += bytes;
      if (output > limits.outputBytes) end('output');
      return allowed;
    },
    hold() {
      holders += 1;
    },
    release() {
      holders -= 1;
      lastHeard = clock.monotonic();
    },
    stop,
  };
}
