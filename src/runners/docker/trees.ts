import { randomBytes } from 'node:crypto';
import type { Clock } from '../../domain/clock.ts';
import type { Log } from '../../telemetry/log.ts';
import type { LaneBase } from '../runner.ts';
import { createTurns } from '../turns.ts';
import { statusOf } from './engine.ts';
import { LANE_TREE, TREE, TREE_GROUP, TREE_KB, TREE_VOLUME, nameFor, ownLabels } from './labels.ts';
import type { Volumes } from './volumes.ts';

/** How long a tree may be in the making before it is taken for left behind. */
const UNFINISHED_MS = 6 * 3_600_000;

/** Fills a tree's volume by `base.plant`. Returns its size in kB; undefined when it failed. */
export type Plant = (volume: string, base: LaneBase) => Promise<number | undefined>;

/**
 * Prepared trees: volumes with a finished checkout that lanes start from copy-on-write. A tree is written once, by one job, and
 * never again: every try makes a volume of a new name. It counts from the moment its mark is there, an empty volume made when the
 * tree is finished: until then no lane starts from it. Of two that are made at once the one whose mark is first stays. A mark's age
 * says when the tree was used last.
 */
export interface DockerTrees {
  /** The volume of the tree to start from, made now if none is near; undefined when there is none to be had. */
  pick(base: LaneBase, plant: Plant): Promise<string | undefined>;
  /** Puts a tree at the end of the line of those to be removed, now that a lane starts from it. Never rejects. */
  used(volume: string): Promise<void>;
  /**
   * Removes the trees used least lately that are beyond the budget; before, `spare` is called. Those that lanes start from
   * stay. Gives the volumes of those it removed.
   */
  evict(spare?: () => Promise<void>): Promise<ReadonlySet<string>>;
}

interface Tree {
  readonly name: string;
  readonly group: string;
  readonly volume: string;
  readonly kilobytes: number;
  readonly usedAt: number;
}

/** `budgetBytes` is the disk all trees of the installation may take; 0 turns prepared trees off. */
export function createDockerTrees(options: {
  readonly volumes: Volumes;
  readonly namespace: string;
  readonly budgetBytes: number;
  readonly log: Log;
  readonly clock: Clock;
}): DockerTrees {
  const { volumes, namespace, budgetBytes, log, clock } = options;
  const inTurn = createTurns();

  const markOf = ({ group, name }: Pick<Tree, 'group' | 'name'>): string => nameFor(namespace, `tree-${group}-${name}`);

  async function list(): Promise<readonly Tree[]> {
    const marks = await volumes.list(TREE_KB);
    return marks.map(({ Labels, CreatedAt }) => ({
      name: Labels?.[TREE] ?? '',
      group: Labels?.[TREE_GROUP] ?? '',
      volume: Labels?.[TREE_VOLUME] ?? '',
      kilobytes: Number(Labels?.[TREE_KB] ?? 0),
      usedAt: Date.parse(CreatedAt ?? '') || 0,
    }));
  }

  /** Marks a tree as finished. Gives the volume of the tree that is marked now: another's, when that was first. */
  async function mark(tree: Omit<Tree, 'usedAt'>): Promise<string> {
    const Labels = {
      ...ownLabels(namespace),
      [TREE]: tree.name,
      [TREE_GROUP]: tree.group,
      [TREE_KB]: String(tree.kilobytes),
      [TREE_VOLUME]: tree.volume,
    };
    await volumes.make({ Name: markOf(tree), Labels });
    const marked = await volumes.look(markOf(tree));
    return marked?.Labels?.[TREE_VOLUME] ?? tree.volume;
  }

  /** A tree used now goes to the end of the line: its mark is made anew. In between nobody finds it, which costs a checkout. */
  async function touch(tree: Tree): Promise<void> {
    await volumes.remove(markOf(tree));
    await mark(tree);
  }

  async function grow(base: LaneBase, plant: Plant): Promise<string | undefined> {
    const volume = `${markOf(base)}-${randomBytes(4).toString('hex')}`;
    const Labels = { ...ownLabels(namespace), [TREE]: base.name, [TREE_GROUP]: base.group };
    await volumes.make({ Name: volume, Labels });
    const kilobytes = await plant(volume, base).catch(async (error: unknown) => {
      await volumes.remove(volume);
      throw error;
    });
    const marked =
      kilobytes === undefined ? undefined : await mark({ name: base.name, group: base.group, volume, kilobytes });
    if (marked !== volume) await volumes.remove(volume);
    else log.info({ tree: volume, kilobytes }, 'prepared a tree for lanes to start from');
    return marked;
  }

  /** Trees that were never finished, or whose removal was cut off. */
  async function sweep(inUse: ReadonlySet<string | undefined>, marked: readonly Tree[]): Promise<void> {
    for (const { Name, Labels, CreatedAt } of await volumes.list(TREE)) {
      const isMark = Labels?.[TREE_KB] !== undefined;
      const isYoung = clock.now() - (Date.parse(CreatedAt ?? '') || 0) < UNFINISHED_MS;
      if (isMark || isYoung || inUse.has(Name) || marked.some(({ volume }) => volume === Name)) continue;
      await volumes.remove(Name);
    }
  }

  async function evict(spare?: () => Promise<void>): Promise<ReadonlySet<string>> {
    const removed = new Set<string>();
    const trees = (await list()).toSorted((a, b) => a.usedAt - b.usedAt);
    let over = trees.reduce((sum, tree) => sum + tree.kilobytes * 1024, 0) - budgetBytes;
    if (over > 0) await spare?.();
    const inUse = new Set((await volumes.list(LANE_TREE)).map(({ Labels }) => Labels?.[LANE_TREE]));
    await sweep(inUse, trees);
    for (const tree of trees) {
      if (over <= 0) break;
      if (inUse.has(tree.volume)) continue;
      // Without its mark nobody starts from it any more; what started meanwhile keeps the volume in use.
      await volumes.remove(markOf(tree));
      await volumes.remove(tree.volume);
      removed.add(tree.volume);
      over -= tree.kilobytes * 1024;
      log.info({ tree: tree.volume }, 'removed a prepared tree: the budget for trees is spent');
    }
    return removed;
  }

  async function pick(base: LaneBase, plant: Plant): Promise<string | undefined> {
    if (budgetBytes <= 0) return undefined;
    try {
      const trees = (await list()).filter(({ group }) => group === base.group);
      const nearest = await base.nearest(trees.map(({ name }) => name));
      const found = trees.find(({ name }) => name === nearest);
      if (found === undefined) return nearest === 'none' ? undefined : await grow(base, plant);
      return found.volume;
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      log.warn({ err: error }, 'no tree could be prepared; the lane starts empty');
      return undefined;
    }
  }

  return {
    // What a setup prepares takes long: who comes meanwhile waits for it instead of doing it once more.
    pick: (base, plant) =>
      base.furnishing === undefined ? pick(base, plant) : inTurn(base.group, () => pick(base, plant)),
    async used(volume) {
      try {
        const tree = (await list()).find((one) => one.volume === volume);
        if (tree !== undefined) await touch(tree);
      } catch (error) {
        log.warn({ err: error, tree: volume }, 'it could not be noted that a tree was used');
      }
    },
    evict,
  };
}
