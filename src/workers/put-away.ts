import { standing, type Ending } from '../domain/conduct.ts';
import type { RetryPolicy } from '../domain/retry.ts';
import type { Run, Setbacks } from '../domain/run.ts';
import { afterInterruption, handedBack } from '../domain/setback.ts';
import type { Word } from '../queue/queue.ts';
import { OrdersWaitingError, type Lease } from '../store/store.ts';
import { around } from '../telemetry/failpoint.ts';
import type { Announcer } from './announce.ts';
import type { WorkerDeps } from './deps.ts';
import { tellTooLate } from './exec.ts';
import type { HeldRun } from './held-run.ts';
import { recordPushed, takeLastOrders } from './pushed.ts';
import { interruptionOf } from './interruption.ts';
import type { LeaseHold } from './lease-hold.ts';
import type { RunScope } from './record.ts';

/** Nothing is left to do, or somebody else does it. */
export const DONE: Word = { kind: 'done' };

export const AT_ONCE: Word = { kind: 'again', delayMs: 0 };

export interface Drive {
  readonly lease: Lease;
  readonly run: Run;
  readonly hold: LeaseHold;
  /** Why it is not worked on now: only this is recorded and told. */
  readonly waits?: { readonly reason: string; readonly setbacks: Setbacks };
  /** Told whenever the run's record changed. */
  readonly onChange?: (run: Run) => void;
}

/** A run while it is worked on. */
export interface Driving {
  readonly held: HeldRun;
  readonly announcer: Announcer;
  readonly log: RunScope['log'];
  readonly drive: Drive;
}

/** Lets a run wait, holding nothing; without `at` until a worker has room for it. */
export async function park(
  deps: WorkerDeps,
  driving: Driving,
  wait: { readonly at: number | undefined; readonly reason: string; readonly setbacks: Setbacks },
): Promise<Word> {
  const { held, announcer } = driving;
  const { at, reason, setbacks } = wait;
  await held.changeRun({ state: 'parked', reason, parkedUntil: at, setbacks });
  await held.audit(deps.clock.now(), 'run parked', wait);
  if (setbacks.aloneTold !== false) await announcer.sayNow();
  return { kind: 'again', delayMs: at === undefined ? 0 : Math.max(0, at - deps.clock.now()) };
}

/** Lets a run wait, holding nothing, until a person says how to go on. */
export async function pause(deps: WorkerDeps, driving: Driving): Promise<Word> {
  const { held, announcer } = driving;
  const by = held.run.steering?.paused?.by ?? 'somebody';
  const reason = `Paused by @${by}. \`/maestro resume\` goes on.`;
  await held.changeRun({ state: 'parked', reason, parkedUntil: undefined, setbacks: handedBack(held.run) });
  await held.audit(deps.clock.now(), 'run paused', { by });
  await announcer.sayNow();
  return await asItStands(deps, held);
}

/** What the queue is to do with a run that was just put away. */
export async function asItStands({ clock }: Pick<WorkerDeps, 'clock'>, held: HeldRun): Promise<Word> {
  await held.reload();
  const stands = standing(held.run, clock.now());
  if (stands.kind === 'waits') return { kind: 'again', delayMs: Math.max(0, stands.at - clock.now()) };
  // Asked for while it was being put away: nobody else would put it in line.
  return stands.kind === 'held' ? DONE : AT_ONCE;
}

/**
 * Ends a run wherever it is, and whatever people have asked of it meanwhile: that is on its record, for when it is opened again, and
 * so is a commit that came to be on the branch.
 */
export async function endAnyway(
  deps: WorkerDeps,
  driving: Driving,
  ending: Ending & { readonly silent?: boolean },
): Promise<Word> {
  const { held, log, drive } = driving;
  if (ending.silent !== true) await tellTooLate({ deps, held, log, saving: drive.hold.saving });
  await recordPushed(deps, held);
  await takeLastOrders(deps, held);
  return await end(deps, driving, ending);
}

/**
 * Says the last word, then writes it down: a crash between the two says it again. A run that was asked for something it has not
 * taken in does not end, and comes back at once.
 */
export async function end(
  deps: WorkerDeps,
  driving: Driving,
  { state, reason, silent = false }: Ending & { readonly silent?: boolean },
): Promise<Word> {
  const { held, announcer, log, drive } = driving;
  const endedAt = deps.clock.now();
  try {
    if (!silent) await announcer.finish({ ...held.run, state, reason, endedAt });
  } catch (error) {
    // Where GitHub does not let us in any more there is nobody to tell, and trying again would keep the run for ever.
    const means = afterInterruption(held.run, interruptionOf(error, drive.hold.saving), nowOf(deps));
    if (means.kind !== 'end') throw error;
    log.warn({ err: error }, 'GitHub does not take the last word on the run; it is on record only');
  }
  await deps.runner.removeLane({ name: held.run.id }).catch((error: unknown) =>
    // The reconciler takes it away once the run is settled; that it can't be must not keep the run from being so.
    log.warn({ err: error }, 'the lane of a run that ends could not be removed yet'),
  );
  try {
    await around('end', {
      // Before it is so: afterwards nobody would come by again to write it down.
      intent: async () =>
        await held.auditOnce(`end/${state}/${held.run.steering?.taken ?? 0}`, endedAt, `run ${state}`, { reason }),
      perform: async () => await held.changeRun({ state, reason, endedAt }),
    });
  } catch (error) {
    if (error instanceof OrdersWaitingError) return AT_ONCE;
    throw error;
  }
  return DONE;
}

/** What decisions about setbacks go by. */
export function nowOf(deps: WorkerDeps): { readonly now: number; readonly retry: RetryPolicy } {
  return { now: deps.clock.now(), retry: deps.settings.retry };
}
