import { askForMissed, type MissedDeps } from './missed.ts';
import { pruneDeliveries } from './retention.ts';
import { startRounds } from './rounds.ts';
import type { Store } from '../store/store.ts';

export interface ComingBackDeps extends MissedDeps {
  readonly store: MissedDeps['store'] & Pick<Store, 'pruneDeliveries'>;
  readonly sweepMs: number;
  /** How long settled deliveries are kept. Milliseconds. */
  readonly keepMs: number;
}

const HOUR_MS = 3_600_000;

/** Starts, now and from time to time, what makes up for the time the product was down. */
export function startComingBack(deps: ComingBackDeps): { close(): Promise<void> } {
  const { log } = deps;
  const rounds = [
    startRounds({ name: 'missed deliveries', everyMs: deps.sweepMs, log, work: () => askForMissed(deps) }),
    startRounds({ name: 'retention', everyMs: HOUR_MS, log, work: () => pruneDeliveries(deps) }),
  ];
  return { close: async () => void (await Promise.all(rounds.map((round) => round.close()))) };
}
