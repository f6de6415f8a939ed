import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import { watchJob } from '../job-watch.ts';
import { keeperOf } from '../names.ts';
import { InfrastructureError, type Errand, type ErrandIo, type JobResult, type Place } from '../runner.ts';
import { createTurns } from '../turns.ts';
import type { Exit } from './container.ts';
import type { Containers } from './containers.ts';
import type { Seat } from './converse.ts';
import { errandOf } from './entry.ts';
import { createErrandReader, type ErrandReader } from './errand-reader.ts';

/** How long after its output the end of a keeper may be seen. */
const EXIT_AFTER_OUTPUT_MS = 2_000;

/** The keepers of the lanes that are being worked on. */
export interface Keepers {
  /** Runs an errand in its lane's keeper, which `open` makes when it is not there, or is another owner's. */
  tend(errand: Errand, io: ErrandIo, open: (place: Place) => Promise<Seat>): Promise<JobResult>;
  /** Makes a seat that runs `KEEPER_ENTRY` the keeper of a lane that has none. */
  adopt(place: Place, seat: Seat): void;
  /** Ends the keeper of a lane, or all. */
  release(lane?: string): Promise<void>;
}

interface Keeper {
  readonly place: Place;
  readonly seat: Seat;
  readonly reader: ErrandReader;
}

export function createKeepers(options: {
  readonly containers: Containers;
  readonly clock: Clock;
  readonly log: Log;
}): Keepers {
  const { containers, clock, log } = options;
  const keepers = new Map<string, Keeper>();
  const inTurn = createTurns();

  async function dismiss(keeper: Keeper): Promise<void> {
    if (keepers.get(keeper.place.lane.name) === keeper) keepers.delete(keeper.place.lane.name);
    keeper.seat.leave();
    await containers.discard(keeper.seat.container, keeper.place);
  }

  async function dismissIn(lane: string): Promise<void> {
    const keeper = keepers.get(lane);
    if (keeper !== undefined) await dismiss(keeper);
  }

  async function keeperFor(errand: Errand, open: (place: Place) => Promise<Seat>): Promise<Keeper> {
    const place = { name: keeperOf(errand.lane), owner: errand.owner, lane: errand.lane, limits: errand.limits };
    const present = keepers.get(errand.lane.name);
    if (present !== undefined) {
      if (isOf(present.place, place) && !present.reader.isOver()) return present;
      log.info({ lane: errand.lane.name }, 'replacing the keeper of a lane');
      await dismiss(present);
    }
    return adopt(place, await open(place));
  }

  function adopt(place: Place, seat: Seat): Keeper {
    const keeper = { place, seat, reader: createErrandReader(seat.output) };
    keepers.set(place.lane.name, keeper);
    return keeper;
  }

  async function doErrand(keeper: Keeper, errand: Errand, io: ErrandIo): Promise<JobResult> {
    const word = randomBytes(16).toString('hex');
    const watch = watchJob({ limits: errand.limits, signal: io.signal, clock });
    const startedAt = clock.monotonic();
    const ended = (): number => clock.monotonic() - startedAt;
    try {
      const answer = keeper.reader.listen({ word, io, watch });
      answer.catch(() => {});
      keeper.seat.input.write(errandOf(errand.argv, word));
      const first = await Promise.race([answer, watch.reached]);
      if (typeof first === 'number') return { ending: 'exited', code: first, durationMs: ended() };
      await keeper.seat.end();
      await dismiss(keeper);
      return { ending: first, code: undefined, durationMs: ended() };
    } catch (error) {
      const cause = await causeOf(error, keeper);
      await dismiss(keeper);
      throw cause;
    } finally {
      watch.stop();
    }
  }

  return {
    tend: (errand, io, open) =>
      inTurn(errand.lane.name, async () => doErrand(await keeperFor(errand, open), errand, io)),

    adopt(place, seat) {
      adopt(place, seat);
    },

    async release(lane) {
      const names = lane === undefined ? [...keepers.keys()] : [lane];
      await Promise.all(names.map((name) => inTurn(name, () => dismissIn(name))));
    },
  };
}

function isOf(made: Place, wanted: Place): boolean {
  return (
    made.owner.runId === wanted.owner.runId &&
    made.owner.epoch === wanted.owner.epoch &&
    made.lane.mirror === wanted.lane.mirror
  );
}

/** What to say of an errand that broke off: that memory ran out, if that was it. */
async function causeOf(broken: unknown, keeper: Keeper): Promise<unknown> {
  if (!(broken instanceof InfrastructureError)) return broken;
  const end = await soonEndOf(keeper);
  if (end === undefined || end === 'removed' || !end.outOfMemory) return broken;
  return new InfrastructureError("The keeper of a lane ran out of memory: raise the session's limit.", {
    cause: broken,
  });
}

async function soonEndOf(keeper: Keeper): Promise<Exit | 'removed' | undefined> {
  try {
    return await Promise.race([keeper.seat.exit, delay(EXIT_AFTER_OUTPUT_MS, undefined, { ref: false })]);
  } catch {
    return undefined;
  }
}
