import type { Writable } from 'node:stream';
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
