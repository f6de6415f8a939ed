import type { Log } from '../../telemetry/log.ts';
import { keeperOf } from '../names.ts';
import type { JobOwner, LaneBase, LaneRef, Place } from '../runner.ts';
import type { Containers, LaneVolumes } from './containers.ts';
import type { Seat } from './converse.ts';
import { KEEPER_ENTRY, entryOf } from './entry.ts';
import type { Keepers } from './keepers.ts';
import type { DockerLanes } from './lanes.ts';
import type { Planter } from './planter.ts';
import { createSpares, type Spare, type SpareKind } from './spares.ts';
import type { DockerTrees } from './trees.ts';

/** Lanes that start from prepared trees where the engine can do that, and from spares where there are any. */
export interface LaneStarts {
  /** The lane's volumes. One that is not there is made as `base` wishes; it is fresh when it starts from a tree. */
  ensure(lane: LaneRef, base: LaneBase): Promise<LaneVolumes & { readonly isFresh: boolean }>;
  /** Removes a lane, and trees beyond their budget. The next run of its repository will find a spare. */
  remove(lane: Pick<LaneRef, 'name'>): Promise<void>;
  /** Whether the lane of this name is a spare that is being made. */
  isMaking(lane: string): boolean;
  /** Removes the spares, and waits for what goes on. */
  close(): Promise<void>;
}

export function createLaneStarts(options: {
  readonly containers: Containers;
  readonly keepers: Keepers;
  readonly lanes: DockerLanes;
  readonly trees: DockerTrees;
  readonly log: Log;
  /** Owner of what no run owns. */
  readonly nobody: JobOwner;
  /** Whether the engine mounts overlays over prepared trees. */
  readonly overlays: 'untried' | 'work' | 'fail';
  readonly plant: Planter;
  readonly open: (place: Place, entry: readonly string[], volumes: LaneVolumes) => Promise<Seat>;
}): LaneStarts {
  const { containers, keepers, lanes, trees, log, nobody, plant, open } = options;
  const spares = createSpares({
    containers,
    lanes,
    log,
    nobody,
    openKeeper: (place, volumes) => open(place, KEEPER_ENTRY, volumes),
  });
  let { overlays } = options;
  /** Settles when it is written down which trees were used. */
  let noting: Promise<unknown> = Promise.resolve();
  /** What a spare for the next run of a lane's repository would be like, by the lane's name. */
  const alike = new Map<string, SpareKind>();

  /** The lane's volumes; a new one comes with a keeper if there is a spare. */
  async function start(lane: LaneRef, base: LaneBase): Promise<LaneVolumes & { readonly isFresh: boolean }> {
    const { owner, limits } = base;
    let spare: Spare | undefined;
    try {
      const volumes = await lanes.ensure(lane, {
        owner,
        async pick() {
          // A tree whose use is being noted can't be seen for a moment.
          await noting;
          return trees.pick(base, (volume) => plant(volume, base, lane));
        },
        async take(tree) {
          spare = await spares.take({ tree, mirror: lane.mirror });
          return spare?.lane.name;
        },
      });
      if (spare !== undefined) keepers.adopt({ name: keeperOf(lane), owner, lane, limits }, spare.keeper);
      return volumes;
    } catch (error) {
      if (spare !== undefined) await undo(lane, spare);
      throw error;
    }
  }

  /** Removes a spare that was to become a lane; where it can't be known whether it did, its volumes stay. */
  async function undo(lane: LaneRef, spare: Spare): Promise<void> {
    try {
      await lanes.remove(lane);
    } catch (error) {
      log.warn({ err: error, lane: lane.name }, 'it is not known whether a lane was made: what there is of it stays');
      await spares.abandon(spare);
      return;
    }
    await spares.discard(spare);
  }

  /** Whether a container on these volumes starts at all. */
  async function probe(lane: LaneRef, base: LaneBase, volumes: LaneVolumes): Promise<void> {
    const place = { name: `${lane.name}-probe`, owner: base.owner, lane, limits: base.limits };
    const seat = await open(place, entryOf(place), volumes);
    seat.leave();
    await containers.discard(seat.container, place);
  }

  /** Finds out whether the engine mounts a lane's overlay. False if not: then the lane is gone. */
  async function mounts(lane: LaneRef, base: LaneBase, volumes: LaneVolumes): Promise<boolean> {
    try {
      await probe(lane, base, volumes);
      overlays = 'work';
      return true;
    } catch (error) {
      // An engine that hangs, or has no room, says nothing about what it can mount.
      if (!/\bmount/i.test(error instanceof Error ? error.message : '')) throw error;
      overlays = 'fail';
      log.warn({ err: error }, 'this engine can mount no overlay over a prepared tree: lanes start empty');
      await lanes.remove(lane);
      return false;
    }
  }

  return {
    async ensure(lane, base) {
      if (overlays === 'fail') return lanes.ensure(lane);
      const volumes = await start(lane, base);
      const { tree, isFresh } = volumes;
      if (tree === undefined) return volumes;
      const before = noting;
      if (isFresh) noting = trees.used(tree).then(async () => await before);
      if (overlays === 'untried' && !(await mounts(lane, base, volumes))) return lanes.ensure(lane);
      alike.set(lane.name, { tree, mirror: lane.mirror, limits: base.limits });
      return volumes;
    },

    async remove(lane) {
      await lanes.remove(lane);
      await noting;
      const evicted = await trees.evict(() => spares.release());
      const kind = alike.get(lane.name);
      alike.delete(lane.name);
      if (kind !== undefined && !evicted.has(kind.tree)) spares.make(kind);
    },

    isMaking: (lane) => spares.isMaking(lane),

    async close() {
      await spares.close();
      await noting;
    },
  };
}
