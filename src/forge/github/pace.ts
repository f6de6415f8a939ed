import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '../../domain/clock.ts';
import { ForgeError } from '../forge.ts';

export interface PaceOptions {
  readonly clock: Clock;
  /** At most this many writes in any minute, all of them at once if need be. */
  readonly perMinute: number;
  /** At most this many writes in any hour. */
  readonly perHour: number;
}

/** Keeps what we write to GitHub below what it takes from one App, which it documents as 80 writes a minute and 500 an hour. */
export interface Pace {
  /** Waits until one more may be written. Rejects with kind `limited`, and when to come again, if that is further off than `PATIENCE_MS`. */
  turn(what: string): Promise<void>;
  /** How much may be written without those who must write having to wait, from 1 to 0. */
  room(): number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Longest wait for a turn: whoever has to wait longer does better to come again than to hold what it holds. */
const PATIENCE_MS = 2 * MINUTE_MS;
/** How often somebody who waits to write looks at the clock again. */
const STEP_MS = 1000;

/**
 * Makes a measure with nothing written yet. Every write counts in two windows, which nobody may overdraw. `room` is for what may be
 * left out: of half the hour's measure, filled up evenly through the hour, it says what is left; so edits in between become rarer
 * long before the hour is used up, and the other half of it is there for what must be said.
 */
export function createPace({ clock, perMinute, perHour }: PaceOptions): Pace {
  const turns: number[] = [];
  const most = perHour / 2;
  let left = most;
  let countedAt = clock.monotonic();

  function filledUp(now: number): number {
    left = Math.min(most, left + ((now - countedAt) / HOUR_MS) * most);
    countedAt = now;
    return left;
  }

  /** When the window of so many writes lets the next one in. */
  function freeAt(writes: number, windowMs: number, now: number): number {
    const first = turns.length < writes ? undefined : turns.at(-writes);
    return first === undefined ? now : first + windowMs;
  }

  return {
    async turn(what) {
      const now = clock.monotonic();
      const turn = Math.max(now, freeAt(perMinute, MINUTE_MS, now), freeAt(perHour, HOUR_MS, now));
      if (turn - now > PATIENCE_MS) {
        const retryAt = Math.ceil(clock.now() + (turn - now));
        const until = new Date(retryAt).toISOString();
        throw new ForgeError('limited', `did not ${what}: GitHub takes no more writes from us until ${until}`, {
          retryAt,
        });
      }
      turns.push(turn);
      turns.splice(0, turns.length - perHour);
      left = filledUp(now) - 1;
      for (let wait = turn - now; wait > 0; wait = turn - clock.monotonic()) await sleep(Math.min(wait, STEP_MS));
    },

    room() {
      const now = clock.monotonic();
      const inMinute = turns.length - (turns.findLastIndex((turn) => turn <= now - MINUTE_MS) + 1);
      return Math.max(0, Math.min(1 - inMinute / perMinute, filledUp(now) / most));
    },
  };
}
