import { stat } from 'node:fs/promises';
import { withoutFence } from '../../telemetry/fence.ts';
import type { Log } from '../../telemetry/log.ts';
import { keeperOf } from '../names.ts';
import type { JobLimits, JobOwner, LaneRef, Place } from '../runner.ts';
import type { Containers, LaneVolumes } from './containers.ts';
import { hasEnded, type Seat } from './converse.ts';
import { spareName, type DockerLanes } from './lanes.ts';

/** How many are kept by one worker: each is a container with a sleeping shell. */
const KEPT = 2;

/** What a spare has to be like. */
export interface SpareKind {
  /** The volume of the tree it starts from. */
  readonly tree: string;
  readonly mirror: string;
  readonly limits: JobLimits;
}

/** A lane over a prepared tree that no run has yet, and its keeper, which waits. */
export interface Spare {
  readonly lane: LaneRef;
  readonly keeper: Seat;
  /** Inode of the mirror that the keeper has mounted: one that was made anew since is another. */
  readonly mirror: number | undefined;
}

/**
 * Spares are made when a run ends, for the next run of its repository: starting a container takes longer than all else there is to
 * do to a new lane. They only save time, and live no longer than this process. No run has a spare, so none's lease is asked for it.
 */
export interface Spares {
  /** Makes one in the background, in place of others of its mirror, and of the oldest when there are too many. */
  make(kind: SpareKind): void;
  /** The one that is as wanted, if there is one or it is being made. It is the caller's from now on. */
  take(kind: Pick<SpareKind, 'tree' | 'mirror'>): Promise<Spare | undefined>;
  /** Removes one that was taken and could not be used. Never rejects. */
  discard(spare: Spare): Promise<void>;
  /** Ends the keeper of one that was taken, and leaves its volumes to whoever finds them. Never rejects. */
  abandon(spare: Spare): Promise<void>;
  /** Whether the lane of this name is one that is being made. */
  isMaking(lane: string): boolean;
  /** Removes those that nobody took. */
  release(): Promise<void>;
  /** Removes those that nobody took, and makes no more. */
  close(): Promise<void>;
}

interface Kept {
  readonly kind: SpareKind;
  readonly making: Promise<Spare | undefined>;
}

export function createSpares(options: {
  readonly containers: Containers;
  readonly lanes: DockerLanes;
  readonly log: Log;
  /** Owner of what no run owns. */
  readonly nobody: JobOwner;
  readonly openKeeper: (place: Place, volumes: LaneVolumes) => Promise<Seat>;
}): Spares {
  const { containers, lanes, log, nobody, openKeeper } = options;
  /** By mirror, the oldest first. */
  const kept = new Map<string, Kept>();
  /** Names of those that are being made. */
  const inMaking = new Set<string>();
  /** Removals that go on. */
  const going = new Set<Promise<void>>();
  let isClosed = false;

  function placeOf(lane: LaneRef, limits: JobLimits): Place {
    return { name: keeperOf(lane), owner: nobody, lane, limits };
  }

  async function open({ tree, mirror, limits }: SpareKind): Promise<Spare | undefined> {
    const lane = { name: spareName(), mirror };
    inMaking.add(lane.name);
    try {
      const from = { owner: nobody, pick: async () => tree, take: async () => undefined };
      const inode = await inodeOf(mirror);
      const keeper = await openKeeper(placeOf(lane, limits), await lanes.ensure(lane, from));
      return { lane, keeper, mirror: inode };
    } catch (error) {
      log.warn({ err: error, tree }, 'a lane could not be made ahead of its run');
      await removeLane(lane);
      return undefined;
    } finally {
      inMaking.delete(lane.name);
    }
  }

  async function removeLane(lane: LaneRef): Promise<void> {
    await containers.removed(lane.name);
    await lanes.remove(lane).catch((error: unknown) => {
      log.warn({ err: error, lane: lane.name }, 'a lane made ahead could not be removed; it is tried again later');
    });
  }

  async function abandon({ lane, keeper }: Spare): Promise<void> {
    keeper.leave();
    await containers.discard(keeper.container, { name: keeperOf(lane), lane });
  }

  async function discard(spare: Spare): Promise<void> {
    await abandon(spare);
    await removeLane(spare.lane);
  }

  async function drop(mirror: string): Promise<void> {
    const dropped = kept.get(mirror);
    kept.delete(mirror);
    const spare = await dropped?.making;
    if (spare !== undefined) await discard(spare);
  }

  function dropInBackground(mirror: string): void {
    const done = withoutFence(() => drop(mirror)).finally(() => going.delete(done));
    going.add(done);
  }

  async function release(): Promise<void> {
    for (const mirror of kept.keys()) dropInBackground(mirror);
    await Promise.all(going);
  }

  return {
    make(kind) {
      if (isClosed || kept.get(kind.mirror)?.kind.tree === kind.tree) return;
      dropInBackground(kind.mirror);
      for (const mirror of [...kept.keys()].slice(0, Math.max(0, kept.size + 1 - KEPT))) dropInBackground(mirror);
      kept.set(kind.mirror, { kind, making: withoutFence(() => open(kind)) });
    },

    async take({ tree, mirror }) {
      const found = kept.get(mirror);
      if (found?.kind.tree !== tree) return undefined;
      kept.delete(mirror);
      const spare = await found.making;
      if (spare === undefined) return undefined;
      if (!(await hasEnded(spare.keeper)) && (await inodeOf(mirror)) === spare.mirror) return spare;
      await withoutFence(() => discard(spare));
      return undefined;
    },

    discard: (spare) => withoutFence(() => discard(spare)),
    abandon,
    isMaking: (lane) => inMaking.has(lane),
    release,

    async close() {
      isClosed = true;
      await release();
    },
  };
}

async function inodeOf(path: string): Promise<number | undefined> {
  return await stat(path).then(
    ({ ino }) => ino,
    () => undefined,
  );
}
