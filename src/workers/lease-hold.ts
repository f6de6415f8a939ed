import type { Clock } from '../domain/clock.ts';
import type { Lease, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { EndedEarly } from './ending.ts';

/** How often a worker looks whether a person has stopped its run. */
const STOP_POLL_MS = 1_000;

/** Part of a lease's life after which a worker that could not renew it stops, so that it has ended before the next one begins. */
const STOP_AFTER = 5 / 6;

/** A lease kept alive while a run is worked on. Disposing releases it. */
export interface LeaseHold extends AsyncDisposable {
  /** Aborted with an `EndedEarly` when the work has to end before the tasks do. */
  readonly signal: AbortSignal;
  /** The same, but deaf to a person's stop: saving what was done goes on. */
  readonly saving: AbortSignal;
  /**
   * Looks at the time that has passed, not only at the signal: a process that was stopped, or whose event loop was blocked, had
   * no timer to abort anything.
   *
   * @throws EndedEarly when the lease was lost, or not renewed in time.
   */
  assertOurs(): void;
  /** Whether the lease was lost, or not renewed in time. */
  isLost(): boolean;
}

/** Renews a lease at a third of its life and watches for a person's stop until disposed. */
export function holdLease(
  deps: {
    readonly store: Pick<Store, 'renewLease' | 'releaseLease' | 'findRun'>;
    readonly clock: Clock;
    readonly log: Log;
    readonly settings: { readonly leaseMs: number };
  },
  of: {
    readonly lease: Lease;
    /** When the lease was asked for, on the monotonic clock: its life began no earlier. */
    readonly claimedAt: number;
    /** Aborted when the queue has lost the job's lock. */
    readonly lost: AbortSignal;
    readonly shutdown: AbortSignal;
  },
): LeaseHold {
  const { store, clock, log } = deps;
  const { leaseMs } = deps.settings;
  const ours = new AbortController();
  const stop = new AbortController();
  const saving = AbortSignal.any([ours.signal, of.shutdown]);
  const lose = (): void => ours.abort(new EndedEarly('lost'));
  of.lost.addEventListener('abort', lose, { once: true });
  if (of.lost.aborted) lose();
  let renewedAt = of.claimedAt;
  let renewing = false;

  const isLate = (): boolean => clock.monotonic() - renewedAt >= leaseMs * STOP_AFTER;
  const renew = async (): Promise<void> => {
    const askedAt = clock.monotonic();
    renewing = true;
    try {
      if (await store.renewLease(of.lease, clock.now(), leaseMs)) renewedAt = Math.max(renewedAt, askedAt);
      else lose();
    } catch (error) {
      log.warn({ err: error, runId: of.lease.runId }, 'lease could not be renewed');
    } finally {
      renewing = false;
    }
  };
  const watch = async (): Promise<void> => {
    const run = await store.findRun(of.lease.runId);
    if (run?.stop !== undefined) stop.abort(new EndedEarly('stop'));
  };
  const tick = (): void => {
    if (isLate()) lose();
    else if (!renewing && clock.monotonic() - renewedAt >= leaseMs / 4) void renew();
  };
  // Twice as often as a lease is renewed: a store that hangs is noticed as well as one that says no.
  const renewals = setInterval(tick, leaseMs / 6);
  const watches = setInterval(() => void watch().catch(() => undefined), Math.min(STOP_POLL_MS, leaseMs / 3));
  return {
    signal: AbortSignal.any([saving, stop.signal]),
    saving,
    assertOurs: () => {
      if (isLate()) lose();
      if (ours.signal.aborted) throw new EndedEarly('lost');
    },
    isLost: () => ours.signal.aborted,
    [Symbol.asyncDispose]: async (): Promise<void> => {
      clearInterval(renewals);
      clearInterval(watches);
      of.lost.removeEventListener('abort', lose);
      await store
        .releaseLease(of.lease)
        .catch((error: unknown) =>
          log.warn({ err: error, runId: of.lease.runId }, 'lease could not be released; it runs out by itself'),
        );
    },
  };
}
