import type { RunId } from '../domain/ids.ts';
import { isSuspect } from '../domain/setback.ts';
import type { Word } from '../queue/queue.ts';
import { startRounds } from '../rounds.ts';
import type { WorkerDeps } from './deps.ts';
import { EndedEarly } from './ending.ts';
import { handle } from './handle.ts';
import { removeOldLogs } from './old-logs.ts';
import { reconcile } from './reconcile.ts';
import { Seats, type Seat } from './seats.ts';

const HOUR_MS = 3_600_000;

/** A process that takes runs from the queue and works on them under leases. */
export interface Worker {
  /** Stops taking runs, puts those at hand back in line, and waits until nothing of theirs runs. */
  close(): Promise<void>;
}

/** Starts working. What was left by workers that died is put right first, and again every so often. */
export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const shutdown = new AbortController();
  await reconcile(deps);
  const adopted = new Set<Promise<void>>();
  const never = new AbortController().signal;
  /** Runs that came here and need a worker for themselves. */
  const waiting = new Set<RunId>();
  const seats = new Seats((take) => {
    const [id] = waiting;
    if (id === undefined || shutdown.signal.aborted) return;
    waiting.delete(id);
    adopt(id, take());
  });
  const work = { deps, seats, waiting };
  /** Works on a run that did not come from the queue. */
  const adopt = (id: RunId, seat?: Seat): void => {
    const working = handle(work, { id, lost: never, shutdown: shutdown.signal, seat })
      .then(async (word: Word) => {
        if (word.kind === 'again') await deps.queue.enqueue(id, { delayMs: word.delayMs });
      })
      .catch((error: unknown) => deps.log.error({ err: error, runId: id }, 'a run taken over was interrupted'))
      .finally(() => adopted.delete(working));
    adopted.add(working);
  };
  /** Goes on with the runs of workers that died here, without waiting for their leases and places in line to run out. */
  const takeOver = async (): Promise<void> => {
    for (const name of deps.presence.departed()) {
      const ids = await deps.store.releaseLeasesOf(name);
      deps.presence.forget(name);
      if (ids.length > 0) deps.log.warn({ worker: name, runs: ids }, 'a worker died here; its runs are taken over');
      const found = await Promise.all(ids.map(async (id) => await deps.store.findRun(id)));
      const runs = found.filter((run) => run !== undefined);
      const room = deps.settings.concurrency - adopted.size;
      const ordinary = runs.filter((run) => !isSuspect(run)).slice(0, room);
      // Seated here and now, so that no suspect is faster than a run it would keep out.
      for (const run of [...ordinary, ...runs.filter(isSuspect)]) {
        const entry = seats.enter(run, deps.clock.now());
        adopt(run.id, entry.kind === 'seat' ? entry.seat : undefined);
      }
    }
  };
  await takeOver();
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking
      .then(takeOver)
      .then(() => reconcile(deps))
      .catch((error: unknown) => deps.log.error({ err: error }, 'reconciling failed; it is tried again'));
  }, deps.settings.reconcileMs);
  const tidying = startRounds({
    name: 'old session logs',
    everyMs: HOUR_MS,
    log: deps.log,
    work: () => removeOldLogs(deps),
  });
  await deps.queue.process((id, signal) => handle(work, { id, lost: signal, shutdown: shutdown.signal }), {
    concurrency: deps.settings.concurrency,
  });
  return {
    close: async () => {
      clearInterval(timer);
      shutdown.abort(new EndedEarly('shutdown'));
      await deps.queue.close();
      await looking;
      await tidying.close();
      await Promise.all(adopted);
      deps.presence.leave();
    },
  };
}
