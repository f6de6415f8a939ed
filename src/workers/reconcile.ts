import { ACTIVE_STATES } from '../domain/active-run.ts';
import type { RunId } from '../domain/ids.ts';
import { isFinal } from '../domain/run.ts';
import { refill } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';

/**
 * Puts right what a crash, a flushed queue or a lost wake-up left: every run that is not settled is in line (a run that is in
 * line or being worked on is not added again), and no job or lane of a settled run is left here.
 */
export async function reconcile(deps: WorkerDeps): Promise<void> {
  const { store, queue, runner, clock } = deps;
  const open = await store.listRuns({ states: ACTIVE_STATES });
  await refill(queue, { runs: open, now: clock.now(), log: deps.log });
  await deps.shelf.tidy(clock.now());
  const alive = new Set<string>(open.map((run) => run.id));
  const reaped = await runner.reap((owner) => alive.has(owner.runId));
  if (reaped.length > 0) deps.log.info({ jobs: reaped }, 'leftover jobs removed');
  for (const lane of await runner.listLanes()) {
    if (alive.has(lane)) continue;
    // The list was made before: a run may have begun since.
    const run = await store.findRun(lane as RunId);
    if (run === undefined || isFinal(run.state)) await runner.removeLane({ name: lane });
  }
}
