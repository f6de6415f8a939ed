import type { RunId } from '../domain/ids.ts';
import { standing } from '../domain/conduct.ts';
import { isFinal } from '../domain/run.ts';
import type { Word } from '../queue/queue.ts';
import { withFence } from '../telemetry/fence.ts';
import type { WorkerDeps } from './deps.ts';
import { driveRun } from './drive.ts';
import { EndedEarly } from './ending.ts';
import { holdLease } from './lease-hold.ts';
import { reconcile } from './reconcile.ts';

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
  /** Goes on with the runs of workers that died here, without waiting for their leases and places in line to run out. */
  const takeOver = async (): Promise<void> => {
    for (const name of deps.presence.departed()) {
      const runs = await deps.store.releaseLeasesOf(name);
      deps.presence.forget(name);
      if (runs.length > 0) deps.log.warn({ worker: name, runs }, 'a worker died here; its runs are taken over');
      for (const id of runs.slice(0, deps.settings.concurrency - adopted.size)) {
        // One that was there at two deaths in a row may be what kills workers: it waits its turn, and the others get further.
        const run = await deps.store.findRun(id);
        if ((run?.setbacks?.lives ?? 0) > 1) continue;
        const work = handle(deps, { id, lost: never, shutdown: shutdown.signal })
          .then(async (word) => {
            if (word.kind === 'again') await deps.queue.enqueue(id, { delayMs: word.delayMs });
          })
          .catch((error: unknown) => deps.log.error({ err: error, runId: id }, 'a run taken over was interrupted'))
          .finally(() => adopted.delete(work));
        adopted.add(work);
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
  await deps.queue.process((id, signal) => handle(deps, { id, lost: signal, shutdown: shutdown.signal }), {
    concurrency: deps.settings.concurrency,
  });
  return {
    close: async () => {
      clearInterval(timer);
      shutdown.abort(new EndedEarly('shutdown'));
      await deps.queue.close();
      await looking;
      await Promise.all(adopted);
      deps.presence.leave();
    },
  };
}

interface Assignment {
  readonly id: RunId;
  /** Aborted when the queue has lost the job's lock. */
  readonly lost: AbortSignal;
  readonly shutdown: AbortSignal;
}

async function handle(deps: WorkerDeps, { id, lost, shutdown }: Assignment): Promise<Word> {
  const { store, clock, settings } = deps;
  const known = await store.findRun(id);
  const stands = known === undefined ? SETTLED : standing(known, clock.now());
  if (stands.kind === 'settled') return { kind: 'done' };
  if (stands.kind === 'waits') return { kind: 'again', delayMs: stands.at - clock.now() };
  const claimedAt = clock.monotonic();
  const lease = await store.claimRun(id, settings.name, clock.now(), settings.leaseMs);
  // Looked at again before long: the owner may have died just now, and its lease runs out some time within its length.
  if (lease === undefined) return { kind: 'again', delayMs: Math.ceil(settings.leaseMs / 3) };
  await using hold = holdLease(deps, { lease, claimedAt, lost, shutdown });
  // Read again under the lease: the owner before may have gone on since.
  const run = await store.findRun(id);
  if (run === undefined || isFinal(run.state)) return { kind: 'done' };
  return await withFence(
    () => hold.assertOurs(),
    async () => await driveRun(deps, { lease, run, hold }),
  );
}

const SETTLED = { kind: 'settled' } as const;
