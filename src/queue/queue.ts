import { placeInLine, type Waiting } from '../domain/conduct.ts';
import type { RunId } from '../domain/ids.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * The waiting line of runs. A job carries a run id and nothing else: the store is the record, the queue may be flushed at any
 * time and is filled again from the store.
 */
export interface RunQueue {
  /**
   * Puts a run in line, once: a run that already waits or is being worked on is not added again. `delayMs` holds it back; a run
   * that is held back is brought forward when it is enqueued without.
   */
  enqueue(id: RunId, options?: { readonly delayMs?: number }): Promise<void>;
  /** Starts handing runs to `handler`, at most `concurrency` at a time. Call at most once. */
  process(handler: RunHandler, options: { readonly concurrency: number }): Promise<void>;
  /** How many runs wait, are delayed, and are being worked on. */
  counts(): Promise<{ readonly waiting: number; readonly delayed: number; readonly active: number }>;
  /** Rejects, with what to do about it, when the queue cannot be used (unreachable, evicting). */
  check(): Promise<void>;
  /** Stops taking runs, waits for the handlers that are going, lets go of connections. */
  close(): Promise<void>;
}

/** Works on one run until it can't go on. `signal` is aborted when the queue has lost the job's lock. */
export type RunHandler = (id: RunId, signal: AbortSignal) => Promise<Word>;

/** What the queue is to do with a run next: nothing, or hand it out again after a while. */
export type Word = { readonly kind: 'done' } | { readonly kind: 'again'; readonly delayMs: number };

/** The queue did not take a run: it is away, full, or read-only. The store has the run; asking again later is safe. */
export class QueueUnavailableError extends Error {
  override readonly name = 'QueueUnavailableError';
}

/**
 * Puts runs in line that belong there, where most are already: so a queue that was flushed, or did not take a run, fills again.
 *
 * @param of.runs Those that are not settled.
 * @param of.now Epoch milliseconds.
 * @param of.isGlance Looks no further where the line is as long as it should be.
 * @returns How many were missing.
 */
export async function refill(
  queue: Pick<RunQueue, 'enqueue' | 'counts'>,
  of: {
    readonly runs: readonly (Waiting & { readonly id: RunId })[];
    readonly now: number;
    readonly isGlance?: boolean;
    readonly log: Log;
  },
): Promise<number> {
  const due = of.runs.flatMap((run) => {
    const place = placeInLine(run, of.now);
    return place === undefined ? [] : [{ id: run.id, ...place }];
  });
  const before = await lengthOf(queue);
  if (of.isGlance === true && before >= due.length) return 0;
  for (const { id, delayMs } of due) await queue.enqueue(id, delayMs === undefined ? {} : { delayMs });
  const missing = Math.max(0, due.length - before);
  if (missing > 0)
    of.log.warn({ runs: missing }, 'runs were missing from the queue; it was filled again from the store');
  return missing;
}

async function lengthOf(queue: Pick<RunQueue, 'counts'>): Promise<number> {
  const { waiting, delayed, active } = await queue.counts();
  return waiting + delayed + active;
}
