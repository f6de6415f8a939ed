import { placeInLine } from '../domain/conduct.ts';
import type { RunId } from '../domain/ids.ts';
import { isFinal } from '../domain/run.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Puts right what a crash, a flushed queue or a lost wake-up left: every run that is not settled is in line (a run that is in
 * line or being worked on is not added again), and no job or lane of a settled run is left here.
 */
export async function reconcile(deps: WorkerDeps): Promise<void> {
  const { store, queue, runner, clock } = deps;
  const open = await store.listRuns({ states: ['queued', 'running', 'parked'], limit: 10_000 });
  const counted = await queue.counts();
  const due = open.filter((run) => placeInLine(run, clock.now()) !== undefined);
  const missing = due.length - (counted.waiting + counted.delayed + counted.active);
  for (const run of open) {
    const place = placeInLine(run, clock.now());
    if (place !== undefined) await queue.enqueue(run.id, place.delayMs === undefined ? {} : { delayMs: place.delayMs });
  }
  if (missing > 0)
    deps.log.warn({ runs: missing }, 'runs were missing from the queue; it was filled again from the store');
  await deps.shelf.tidy(clock.now());
  const alive = new Set<string>(open.map((run) => run.id));
  const reaped = await runner.reap((owner) => alive.has(owner.runId));
  if (reaped.length > 0) deps.log.info({ jobs: reaped }, 'leftover jobs removed');
  for (const lane of await runner.listLanes()) {
    if (alive.has(lane)) continue;
    // The list was made before: a run may have begun since.
    const run = await store.findRun(lane as RunId);
    if (run === undefined || isFinal(run.state)) await runner.removeLane({ name: lane, mirror: '' });
  }
}
