import type { RunId } from '../domain/ids.ts';
import { isFinal } from '../domain/run.ts';
import type { Word } from '../queue/queue.ts';
import type { Lease } from '../store/store.ts';
import { withFence } from '../telemetry/fence.ts';
import type { WorkerDeps } from './deps.ts';
import { driveRun } from './drive.ts';
import { EndedEarly, endingOf } from './ending.ts';
import { reconcile } from './reconcile.ts';

/** How often a worker looks whether a person has stopped its run. */
const STOP_POLL_MS = 1_000;

/** A process that takes runs from the queue and works on them under leases. */
export interface Worker {
  /** Stops taking runs, puts those at hand back in line, and waits until nothing of theirs runs. */
  close(): Promise<void>;
}

/** Starts working. What was left by workers that died is put right first, and again every so often. */
export async function startWorker(deps: WorkerDeps): Promise<Worker> {
  const shutdown = new AbortController();
  await reconcile(deps);
  let looking: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking
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
  if (known === undefined || isFinal(known.state)) return { kind: 'done' };
  if (
    known.state === 'parked' &&
    known.stop === undefined &&
    known.parkedUntil !== undefined &&
    known.parkedUntil > clock.now()
  ) {
    return { kind: 'again', delayMs: known.parkedUntil - clock.now() };
  }
  const lease = await store.claimRun(id, settings.name, clock.now(), settings.leaseMs);
  // Looked at again before long: the owner may have died just now, and its lease runs out some time within its length.
  if (lease === undefined) return { kind: 'again', delayMs: Math.ceil(settings.leaseMs / 3) };
  await using hold = keepLease(deps, { lease, lost, shutdown });
  // Read again under the lease: the owner before may have gone on since.
  const run = await store.findRun(id);
  if (run === undefined || isFinal(run.state)) return { kind: 'done' };
  const { signal, saving } = hold;
  return await withFence(hold.assertHeld, async () => await driveRun(deps, { lease, run, signal, saving }));
}

/** Renews a lease and watches for a person's stop until disposed, which releases it. */
function keepLease(
  deps: WorkerDeps,
  of: { readonly lease: Lease; readonly lost: AbortSignal; readonly shutdown: AbortSignal },
) {
  const { store, clock, settings, log } = deps;
  const ours = new AbortController();
  const stop = new AbortController();
  const saving = AbortSignal.any([ours.signal, of.shutdown]);
  of.lost.addEventListener('abort', () => ours.abort(new EndedEarly('lost')), { once: true });
  if (of.lost.aborted) ours.abort(new EndedEarly('lost'));
  let renewedAt = clock.monotonic();

  const renew = async (): Promise<void> => {
    const asked = clock.monotonic();
    try {
      if (await store.renewLease(of.lease, clock.now(), settings.leaseMs)) renewedAt = asked;
      else ours.abort(new EndedEarly('lost'));
    } catch (error) {
      log.warn({ err: error, runId: of.lease.runId }, 'lease could not be renewed');
      if (clock.monotonic() - renewedAt > settings.leaseMs) ours.abort(new EndedEarly('lost'));
    }
  };
  /** A process that slept past its lease knows it first by the clock, and for certain from the store. */
  const assertHeld = async (): Promise<void> => {
    if (clock.monotonic() - renewedAt > settings.leaseMs) await renew();
    if (endingOf(ours.signal) !== undefined) throw new EndedEarly('lost');
  };
  const watch = async (): Promise<void> => {
    const run = await store.findRun(of.lease.runId);
    if (run?.stop !== undefined) stop.abort(new EndedEarly('stop'));
  };
  const renewals = setInterval(() => void renew(), settings.leaseMs / 3);
  const watches = setInterval(() => void watch().catch(() => undefined), Math.min(STOP_POLL_MS, settings.leaseMs / 3));
  return {
    signal: AbortSignal.any([saving, stop.signal]),
    saving,
    assertHeld,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      clearInterval(renewals);
      clearInterval(watches);
      await store
        .releaseLease(of.lease)
        .catch((error: unknown) =>
          log.warn({ err: error, runId: of.lease.runId }, 'lease could not be released; it runs out by itself'),
        );
    },
  };
}
