import { Writable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobWatch } from './job-watch.ts';
import { InfrastructureError } from './runner.ts';

/**
 * Passes what a job printed on to `sink`, as far as the output limit allows, and waits while `sink` is full. Throws
 * `InfrastructureError` when the sink is broken or closed: output would be lost.
 */
export async function deliver(bytes: Buffer, sink: Writable, watch: JobWatch): Promise<void> {
  const allowed = watch.heard(bytes.length);
  if (allowed === 0) return;
  requireOpen(sink);
  if (sink.write(allowed === bytes.length ? bytes : bytes.subarray(0, allowed))) return;
  watch.hold();
  try {
    await drained(sink);
  } finally {
    watch.release();
  }
}

function requireOpen(sink: Writable): void {
  if (sink.writable) return;
  const reason = sink.errored === null ? 'it is closed' : sink.errored.message;
  throw new InfrastructureError(`The output of a job could not be written: ${reason}`, { cause: sink.errored });
}

async function drained(sink: Writable): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const events = ['drain', 'close', 'error', 'finish'] as const;
  const done = (): void => resolve();
  for (const event of events) sink.on(event, done);
  try {
    if (sink.writableNeedDrain) await promise;
  } finally {
    for (const event of events) sink.off(event, done);
  }
  requireOpen(sink);
}

/** The output of a job that is being passed on. */
export interface Reading {
  /** Settles at the end of the output; rejects when it broke off, or where it goes did. */
  readonly done: Promise<unknown>;
  /** Bytes passed on so far. */
  progress(): number;
}

/** How long the rest of the output may take, without progress, once its job is dead. */
const REST_MS = 30_000;
/** The same when the job was ended from outside: nobody is owed the last bytes of that. */
const REST_WHEN_FORGIVING_MS = 1_000;

/**
 * Reads the output of a job that is dead to its end, as long as there is progress. Throws when it breaks off or stands still, but
 * not when `forgiving`.
 */
export async function readRest(reading: Reading, forgiving: boolean): Promise<void> {
  for (;;) {
    const before = reading.progress();
    const stop = new AbortController();
    const timer = delay(forgiving ? REST_WHEN_FORGIVING_MS : REST_MS, 'late' as const, { signal: stop.signal });
    timer.catch(() => {});
    try {
      if ((await Promise.race([reading.done, timer])) !== 'late') return;
    } catch (error) {
      if (forgiving) return;
      throw error;
    } finally {
      stop.abort();
    }
    if (reading.progress() !== before) continue;
    if (forgiving) return;
    throw new InfrastructureError('The output of a job is not being read to its end');
  }
}

/** A sink that keeps the last 2,000 characters of what is written to it. */
export function lastWords(): { readonly sink: Writable; text(): string } {
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text = (text + chunk.toString()).slice(-2_000);
      done();
    },
  });
  return { sink, text: () => text };
}
