import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { Place } from '../runner.ts';
import type { Containers } from './containers.ts';
import { hasEnded, type Seat } from './converse.ts';

/** Containers started before their job is known. */
export interface Seats {
  /** Opens a seat for a job to come. Never rejects: without the seat the job gets a container when it comes. */
  make(place: Place, open: () => Promise<Seat>): Promise<void>;
  /** The seat made for this job; undefined when there is none, or it is not as the job needs it. */
  take(job: Place): Promise<Seat | undefined>;
  /** Gives up the seats that nobody took, of a lane or all. */
  release(lane?: string): Promise<void>;
}

interface Waiting {
  readonly place: Place;
  readonly opening: Promise<Seat | undefined>;
}

export function createSeats(options: {
  readonly containers: Containers;
  readonly clock: Clock;
  readonly log: Log;
}): Seats {
  const { containers, log } = options;
  const waiting = new Map<string, Waiting>();

  async function giveUp({ place, opening }: Waiting): Promise<void> {
    const seat = await opening;
    if (seat === undefined) return;
    seat.leave();
    await containers.discard(seat.container, place);
  }

  return {
    async make(place, open) {
      const before = waiting.get(place.name);
      if (before !== undefined) {
        if (isFor(before.place, place)) return;
        waiting.delete(place.name);
        await giveUp(before);
      }
      const opening = open().catch((error: unknown) => {
        log.warn({ err: error, job: place.name }, 'a container could not be started ahead of its job');
        return undefined;
      });
      waiting.set(place.name, { place, opening });
      await opening;
    },

    async take(job) {
      const found = waiting.get(job.name);
      if (found === undefined) return undefined;
      waiting.delete(job.name);
      const seat = isFor(found.place, job) ? await found.opening : undefined;
      if (seat !== undefined && !(await hasEnded(seat))) return seat;
      await giveUp(found);
      return undefined;
    },

    async release(lane) {
      const left = [...waiting.values()].filter(({ place }) => lane === undefined || place.lane.name === lane);
      for (const { place } of left) waiting.delete(place.name);
      await Promise.all(left.map(giveUp));
    },
  };
}

/** Whether the container of one place is as good as that of the other. Time and output are not the container's to limit. */
function isFor(made: Place, wanted: Place): boolean {
  return keyOf(made) === keyOf(wanted);
}

function keyOf({ name, owner, lane, socket, limits, image }: Place): string {
  const { memoryBytes, cpus, pids } = limits;
  return JSON.stringify([
    name,
    owner.runId,
    owner.epoch,
    lane.name,
    lane.mirror,
    socket,
    memoryBytes,
    cpus,
    pids,
    image?.agents,
    image?.own,
  ]);
}
