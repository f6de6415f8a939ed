import type { Run, StopRequest } from '../domain/run.ts';
import type { AppDeps } from './deps.ts';

/**
 * Asks for the end of runs, on behalf of a person. A run that waits is put in line, so that a worker ends it. Returns the note
 * for the delivery.
 */
export async function stopRuns(
  deps: Pick<AppDeps, 'store' | 'queue'>,
  runs: readonly Run[],
  stop: StopRequest,
): Promise<string> {
  for (const run of runs) {
    if (await deps.store.requestStop(run.id, stop)) {
      await deps.store.audit({
        at: stop.at,
        runId: run.id,
        actor: stop.by,
        action: 'stop requested',
        detail: { reason: stop.reason },
      });
    }
    await deps.queue.enqueue(run.id);
  }
  return `stop requested: ${runs.map((run) => run.id).join(', ')}`;
}
