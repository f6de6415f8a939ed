import { setTimeout as pause } from 'node:timers/promises';
import type { EffectName } from '../../src/telemetry/failpoint.ts';
import type { Place } from '../e2e/place.ts';
import type { Role } from './trial.ts';
import { ask, SLOW, TWO, type Work } from './work.ts';
import type { World } from './world.ts';

/** How the product has to find work by itself when it comes back. */
export interface ComingBack {
  /** What happens then. */
  readonly effects: readonly EffectName[];
  readonly work: Work;
  /** Whether it needs a world in which nothing was before. */
  readonly alone: boolean;
  /** With nobody there who hears of it, asks for the work. Gives the issue's number. */
  readonly ask: (world: World, place: Place) => Promise<number>;
  /** Environment of the process that comes back, and of the one after it. */
  readonly first: Readonly<Record<string, string>>;
  readonly second: Readonly<Record<string, string>>;
}

/** Looks through repositories often, and at what is two seconds old. */
const LOOKING = { MAESTRO_SCAN_SECONDS: '4' };

export const COMING_BACK: readonly ComingBack[] = [
  {
    effects: ['sweep', 'redeliver'],
    work: TWO,
    alone: false,
    ask: async (world, place) => {
      const issue = await ask(place, TWO);
      await world.github.control.hooksQuiet();
      return issue;
    },
    first: {},
    // A delivery that was asked for is asked for again in five minutes: sooner, the request itself is found.
    second: LOOKING,
  },
  {
    effects: ['look', 'found'],
    work: TWO,
    alone: true,
    ask: async (world, place) => {
      world.github.control.addFault({ kind: 'drop-hook', event: 'issues.labeled', times: 1 });
      const issue = await ask(place, TWO);
      await pause(2_500);
      return issue;
    },
    first: LOOKING,
    second: LOOKING,
  },
  {
    effects: ['rebuild'],
    work: SLOW,
    alone: true,
    ask: async (world, place) => {
      const roles: readonly Role[] = world.topology === 'up' ? ['up'] : ['app', 'worker'];
      for (const role of roles) await world.ensure(role);
      const issue = await ask(place, SLOW);
      while ((await place.pulls()).length === 0) await pause(50);
      await world.loseEverything();
      return issue;
    },
    first: LOOKING,
    second: LOOKING,
  },
];

/** The situation in which an effect happens; undefined for one that happens in the ordinary course of things. */
export function comingBackWith(effect: EffectName): ComingBack | undefined {
  return COMING_BACK.find(({ effects }) => effects.includes(effect));
}
