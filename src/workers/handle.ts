import { setTimeout as pause } from 'node:timers/promises';
import { standing } from '../domain/conduct.ts';
import type { RunId } from '../domain/ids.ts';
import { isFinal, type Run } from '../domain/run.ts';
import { handedBack, isSuspect, seating } from '../domain/setback.ts';
import type { Word } from '../queue/queue.ts';
import type { Lease } from '../store/store.ts';
import { withFence } from '../telemetry/fence.ts';
import type { WorkerDeps } from './deps.ts';
import { driveRun } from './drive.ts';
import { holdLease } from './lease-hold.ts';
import type { Seat, Seats } from './seats.ts';

/** How long a run that finds the worker closed is held here, before another worker may have it. Milliseconds. */
const CLOSED_MS = 2_000;

/** What a worker's handling of runs has in common. */
export interface Work {
  readonly deps: WorkerDeps;
  readonly seats: Seats;
  /** Runs that came here and need a worker for themselves. */
  readonly waiting: Set<RunId>;
}

export interface Assignment {
  readonly id: RunId;
  /** Aborted when the queue has lost the job's lock. */
  readonly lost: AbortSignal;
  readonly shutdown: AbortSignal;
  /** The place it was given already. */
  readonly seat?: Seat | undefined;
}

/** Works on a run that came to this worker, if there is something to do, room for it, and nobody else has it. */
export async function handle(work: Work, assignment: Assignment): Promise<Word> {
  const { store, clock } = work.deps;
  const { id } = assignment;
  let { seat } = assignment;
  try {
    const known = await store.findRun(id);
    const stands = known === undefined ? SETTLED : standing(known, clock.now());
    if (known === undefined || stands.kind === 'settled' || stands.kind === 'held') return { kind: 'done' };
    if (stands.kind === 'waits') return { kind: 'again', delayMs: stands.at - clock.now() };
    if (seat === undefined) {
      const given = await seatFor(work, assignment, known);
      if ('kind' in given) return given;
      seat = given;
    }
    return await underLease(work, assignment, async ({ lease, run, hold }) => {
      // Another worker may have died of it since.
      if (isSuspect(run) && !isSuspect(known)) return { kind: 'again', delayMs: 0 };
      seat?.review(run);
      return await driveRun(work.deps, { lease, run, hold, onChange: (changed) => seat?.review(changed) });
    });
  } finally {
    seat?.leave();
  }
}

/** Finds a run its place at this worker; gives what the queue is to do with it when there is none. */
async function seatFor(work: Work, assignment: Assignment, run: Run): Promise<Seat | Word> {
  const { seats, waiting, deps } = work;
  const { id, lost, shutdown } = assignment;
  const now = deps.clock.now();
  let entry = seats.enter(run, now);
  if (entry.kind === 'closed') {
    await Promise.race([
      seats.changed(),
      pause(CLOSED_MS, undefined, { ref: false, signal: shutdown }).catch(() => {}),
    ]);
    entry = seats.enter(run, now);
  }
  switch (entry.kind) {
    case 'seat':
      return entry.seat;
    case 'closed':
      return { kind: 'again', delayMs: 0 };
    case 'wait': {
      if (entry.isOver) {
        const seat = await seats.turn(AbortSignal.any([lost, shutdown]));
        if (seat !== undefined) return seat;
      }
      if (entry.say !== undefined) await sayWaiting(work, assignment);
      waiting.add(id);
      return againSoon(deps);
    }
  }
}

/** Puts on record, and tells if that can do no harm, that a run waits until a worker has nothing else at hand. */
async function sayWaiting(work: Work, assignment: Assignment): Promise<void> {
  const { log, clock } = work.deps;
  const { seats } = work;
  log.warn({ runId: assignment.id }, 'a run that was there when workers died waits to be worked on alone');
  await underLease(work, assignment, async ({ lease, run, hold }) => {
    const decided = seating(run, { others: 1, besideSuspect: seats.isAlone, now: clock.now() });
    if (decided.kind !== 'wait' || decided.say === undefined) return { kind: 'done' };
    return await driveRun(work.deps, { lease, run, hold, waits: decided.say });
  });
}

/** Does something with a run under its lease, behind the fence. */
async function underLease(
  { deps }: Work,
  { id, lost, shutdown }: Assignment,
  act: (drive: Pick<Parameters<typeof driveRun>[1], 'lease' | 'run' | 'hold'>) => Promise<Word>,
): Promise<Word> {
  const { store, clock, settings } = deps;
  const claimedAt = clock.monotonic();
  const lease = await store.claimRun(id, settings.name, clock.now(), settings.leaseMs);
  if (lease === undefined) return againSoon(deps);
  await using hold = holdLease(deps, { lease, claimedAt, lost, shutdown });
  // Read again under the lease: the owner before may have gone on since.
  const run = await store.findRun(id);
  if (run === undefined || isFinal(run.state)) return { kind: 'done' };
  const word = await withFence(
    id,
    () => hold.assertOurs(),
    async () => await act({ lease, run, hold }),
  );
  if (hold.isLost()) await tellAlive(deps, lease);
  return word;
}

/** A worker that only could not renew its lease did not die. Where nobody has the run yet, its record says so. */
async function tellAlive({ store, log }: WorkerDeps, lease: Lease): Promise<void> {
  try {
    const run = await store.findRun(lease.runId);
    if (run !== undefined && !isFinal(run.state)) await store.updateRun(lease, { setbacks: handedBack(run) });
  } catch (error) {
    log.debug({ err: error, runId: lease.runId }, 'a lost lease passed on');
  }
}

/** Looked at again before long: the owner may have died just now, and its lease runs out some time within its length. */
function againSoon({ settings }: WorkerDeps): Word {
  return { kind: 'again', delayMs: Math.ceil(settings.leaseMs / 3) };
}

const SETTLED = { kind: 'settled' } as const;
