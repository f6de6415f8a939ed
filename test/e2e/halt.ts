import type { RunId } from '../../src/domain/ids.ts';
import { type Failpoint, watchFailpoints } from '../../src/telemetry/failpoint.ts';
import type { Harness } from './harness.ts';
import { isFinal } from '../../src/domain/run.ts';
import type { Place } from './place.ts';

/** Where a run is to be held: the first time it passes a point at all, or the first time after its pull request was opened. */
export interface Step {
  readonly point: Failpoint;
  readonly phase: Phase;
}

export type Phase = 'before the pull request' | 'after it';

/** A run held at a step, until it is let go. */
export interface Halt {
  /** Waits until the run comes by; false when it ends without. */
  reached(): Promise<boolean>;
  release(): void;
}

/** Holds runs of a product that works in this process. */
export interface Halting extends Disposable {
  /** Holds the first run of a place at a step. */
  at(place: Place, step: Step): Halt;
  /** The steps that the run of a place has passed. */
  passed(place: Place): readonly Step[];
}

/** How long a busy machine may take over a run. Milliseconds. */
export const LONG_MS = 200_000;

/** Waits for the end of a place's run, for as long as a busy machine may take. */
export async function untilOver(place: Place): Promise<void> {
  await place.until('the end of the run', async () => await isOver(place), LONG_MS);
}

async function isOver(place: Place): Promise<boolean> {
  const runs = await place.runs();
  return runs.length > 0 && runs.every(({ state }) => isFinal(state));
}

interface Watched {
  readonly step: Step;
  readonly reach: () => void;
  readonly released: Promise<void>;
}

/** Begins to watch what a product passes. */
export function haltsOf(harness: Harness): Halting {
  const watched = new Map<number, Watched>();
  const passed = new Map<number, Step[]>();
  const places = new Map<string, Promise<number | undefined>>();
  const hasPull = new Set<number>();

  const placeOf = async (run: string): Promise<number | undefined> => {
    const known = places.get(run) ?? harness.store.findRun(run as RunId).then((found) => found?.repository.id);
    places.set(run, known);
    return await known;
  };

  const watching = watchFailpoints(async (point, run) => {
    const id = run === undefined ? undefined : await placeOf(run);
    if (id === undefined) return;
    const phase: Phase = hasPull.has(id) ? 'after it' : 'before the pull request';
    if (point === 'pull-request.after-record') hasPull.add(id);
    const before = passed.get(id) ?? [];
    if (before.some((step) => step.point === point && step.phase === phase)) return;
    passed.set(id, [...before, { point, phase }]);
    const one = watched.get(id);
    if (one?.step.point !== point || one.step.phase !== phase) return;
    one.reach();
    await one.released;
  });

  return {
    at: (place, step) => {
      const released = Promise.withResolvers<void>();
      let isReached = false;
      watched.set(place.id, { step, reach: () => (isReached = true), released: released.promise });
      const reached = async (): Promise<boolean> => {
        await place.until('the step', async () => isReached || (await isOver(place)), LONG_MS);
        return isReached;
      };
      return { reached, release: () => released.resolve() };
    },
    passed: (place) => passed.get(place.id) ?? [],
    [Symbol.dispose]: () => watching[Symbol.dispose](),
  };
}
