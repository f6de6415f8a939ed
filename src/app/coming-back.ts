import { ACTIVE_STATES } from '../domain/active-run.ts';
import { askForMissed, type MissedDeps } from './missed.ts';
import type { ScanDeps } from './scan-deps.ts';
import { scan } from './scan.ts';
import { bringBack } from './put-off.ts';
import { rebuildRuns } from './rebuild.ts';
import { refill, type RunQueue } from '../queue/queue.ts';
import { forgetOld } from './retention.ts';
import { startRounds } from '../rounds.ts';
import type { Store } from '../store/store.ts';

export interface ComingBackDeps extends MissedDeps, Omit<ScanDeps, 'graceMs'> {
  readonly store: Store;
  readonly queue: RunQueue;
  readonly sweepMs: number;
  readonly scanMs: number;
  /** How long settled deliveries are kept. Milliseconds. */
  readonly keepMs: number;
}

/** A flushed queue is filled again within a minute (faults F09). Milliseconds. */
const REFILL_MS = 15_000;
/** How soon after a run its playbook's next one begins, at most. Milliseconds. */
const AFTER_MS = 5_000;
const HOUR_MS = 3_600_000;
/** GitHub gives up on a delivery after ten seconds; the rest is for a delivery that waits in line. Milliseconds. */
const GRACE_MS = 60_000;

export interface ComingBack {
  /** Resolves when repositories were looked through for the first time, however that went. */
  readonly lookedThrough: Promise<void>;
  close(): Promise<void>;
}

/** Starts, now and from time to time, what makes up for the time the product was down. */
export function startComingBack(deps: ComingBackDeps): ComingBack {
  const { log } = deps;
  const scanning = startRounds({
    name: 'scan',
    everyMs: deps.scanMs,
    log,
    work: async (signal) => await scan(forScan(deps), signal),
  });
  const others = [
    startRounds({ name: 'missed deliveries', everyMs: deps.sweepMs, log, work: () => askForMissed(deps) }),
    startRounds({ name: 'queue', everyMs: REFILL_MS, log, work: () => refillQueue(deps) }),
    startRounds({ name: 'put off', everyMs: AFTER_MS, log, work: () => bringBack(deps) }),
    startRounds({ name: 'retention', everyMs: HOUR_MS, log, work: () => forgetOld(deps) }),
  ];
  return {
    lookedThrough: scanning.first,
    close: async () => void (await Promise.all([scanning, ...others].map((rounds) => rounds.close()))),
  };
}

/** A queue that was flushed fills again whatever the workers do. */
async function refillQueue({ store, queue, clock, log }: ComingBackDeps): Promise<void> {
  const runs = await store.listRuns({ states: ACTIVE_STATES });
  await refill(queue, { runs, now: clock.now(), isGlance: true, log });
}

/** A repository's lost runs are rebuilt before it is looked through, so that nothing they did is taken for undone. */
function forScan(deps: ComingBackDeps): ScanDeps {
  return {
    ...deps,
    graceMs: Math.min(GRACE_MS, deps.scanMs / 2),
    before: async (repository, since) => void (await rebuildRuns(deps, repository, since)),
  };
}
