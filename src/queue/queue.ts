import type { RunId } from '../domain/ids.ts';

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
