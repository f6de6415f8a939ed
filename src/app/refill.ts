import { ACTIVE_STATES } from '../domain/active-run.ts';
import { placeInLine } from '../domain/conduct.ts';
import type { Clock } from '../domain/clock.ts';
import type { RunQueue } from '../queue/queue.ts';
import type { Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';

/**
 * Puts every run that is not settled in line, where most are already: so a queue that was flushed fills again whatever the workers do.
 * Says how many were missing.
 */
export async function refillQueue(deps: {
  readonly store: Pick<Store, 'listRuns'>;
  readonly queue: Pick<RunQueue, 'enqueue' | 'counts'>;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<number> {
  const { store, queue, clock, log } = deps;
  const all = await store.listRuns({ states: ACTIVE_STATES });
  const open = all.filter((run) => placeInLine(run, clock.now()) !== undefined);
  const before = await inLine(queue);
  // Nothing can be missing from a line that is as long as it should be.
  if (before >= open.length) return 0;
  for (const { id, parkedUntil } of open) {
    await queue.enqueue(id, { delayMs: Math.max(0, (parkedUntil ?? 0) - clock.now()) });
  }
  const missing = (await inLine(queue)) - before;
  if (missing > 0) log.warn({ runs: missing }, 'runs were missing from the queue; it was filled again from the store');
  return Math.max(0, missing);
}

async function inLine(queue: Pick<RunQueue, 'counts'>): Promise<number> {
  const { waiting, delayed, active } = await queue.counts();
  return waiting + delayed + active;
}
