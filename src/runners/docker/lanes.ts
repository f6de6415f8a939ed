import { randomBytes } from 'node:crypto';
import type Docker from 'dockerode';
import { requireName } from '../names.ts';
import { InfrastructureError, type JobOwner, type LaneRef } from '../runner.ts';
import { remove } from './container.ts';
import type { LaneVolumes } from './containers.ts';
import { ask, type Patience } from './engine.ts';
import {
  LANE,
  LANE_AT,
  LANE_TREE,
  TREE,
  isOurs,
  nameFor,
  ownFilter,
  ownLabels,
  ownerLabels,
  ownerOf,
} from './labels.ts';
import type { Volumes } from './volumes.ts';

/** What the names of lanes begin with that no run has yet. */
const SPARE = 'spare-';

/**
 * Lanes are labelled volumes. A plain one is empty: the first container on it copies the image's `/lane` into it, the agent's own.
 * One that starts from a tree is two: an overlay over the tree, which a container mounts as its lane, and beside it the base that
 * holds what the lane has written. A spare is such a lane that was made before its run: the run's lane is then an empty volume that
 * says which spare it is. Making that volume gives the spare to the run, for good.
 */
export interface DockerLanes {
  /**
   * The lane's volumes. A lane that is not there is made, over the tree that `from` picks, if that picks one: then it is fresh. A
   * spare over that tree is taken instead of making one.
   */
  ensure(lane: LaneRef, from?: LaneOrigin): Promise<LaneVolumes & { readonly isFresh: boolean }>;
  remove(lane: Pick<LaneRef, 'name'>): Promise<void>;
  /** A volume that shows what lanes over a tree see, for writing to the tree before there are any. The caller removes it. */
  into(tree: string): Promise<string>;
  /** Names of the lanes that runs have. */
  list(): Promise<readonly string[]>;
  spares(): Promise<readonly SpareLane[]>;
}

/** Where a new lane may come from. */
export interface LaneOrigin {
  readonly owner: JobOwner;
  pick(): Promise<string | undefined>;
  /** The name of a spare over this tree that nobody else will take. */
  take(tree: string): Promise<string | undefined>;
}

export interface SpareLane {
  readonly name: string;
  /** In milliseconds since 1970. */
  readonly madeAt: number;
  /** Who took it. */
  readonly owner: JobOwner | undefined;
}

/** A name for a new spare. */
export function spareName(): string {
  return `${SPARE}${randomBytes(8).toString('hex')}`;
}

export function isSpare(lane: string): boolean {
  return lane.startsWith(SPARE);
}

/** Makes the lanes of one installation on one engine. */
export function createDockerLanes(options: {
  readonly docker: Docker;
  readonly namespace: string;
  readonly patience: Patience;
  readonly volumes: Volumes;
  /** Puts `upper` and `work` into a new base. */
  readonly fillBase: (volume: string, lane: LaneRef) => Promise<void>;
}): DockerLanes {
  const { docker, namespace, patience, volumes, fillBase } = options;

  /** Where the engine keeps a volume, for an overlay's options, in which some characters mean something. */
  async function mountpointOf(name: string): Promise<string> {
    const mountpoint = (await volumes.look(name))?.Mountpoint;
    if (mountpoint !== undefined && /^\/[\w./-]+$/.test(mountpoint)) return mountpoint;
    throw new InfrastructureError(
      mountpoint === undefined
        ? `The volume ${name} is not there any more`
        : `The volume ${name} is kept in ${mountpoint}, which no overlay can be made of`,
    );
  }

  async function labelsOfVolume(name: string): Promise<Record<string, string> | undefined> {
    const volume = await volumes.look(name);
    return volume === undefined ? undefined : (volume.Labels ?? {});
  }

  async function removeContainersOn(lane: string): Promise<void> {
    const filters = ownFilter(namespace, { [LANE]: lane });
    const found = await ask('list containers', patience.callMs, (abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    for (const { Id } of found) {
      await remove(docker.getContainer(Id), patience);
    }
  }

  /** Makes a lane's base and, over it and the tree, its overlay. */
  async function makeOver(tree: string, lane: LaneRef): Promise<void> {
    const volume = nameFor(namespace, lane.name);
    const base = baseOf(volume);
    const Labels = { ...ownLabels(namespace), [LANE]: lane.name, [LANE_TREE]: tree };
    await volumes.make({ Name: base, Labels });
    const places = [mountpointOf(tree), mountpointOf(base)] as const;
    const [lower, upper] = await Promise.all([...places, fillBase(base, lane)]);
    const o = `lowerdir=${lower}/lane,upperdir=${upper}/upper,workdir=${upper}/work`;
    await volumes.make({
      Name: volume,
      Labels,
      Driver: 'local',
      DriverOpts: { type: 'overlay', device: 'overlay', o },
    });
  }

  /** Makes the volume that says which spare a run's lane is. */
  async function give(
    spare: string,
    to: { readonly volume: string; readonly tree: string; readonly lane: LaneRef; readonly owner: JobOwner },
  ): Promise<void> {
    const which = { [LANE]: to.lane.name, [LANE_TREE]: to.tree, [LANE_AT]: spare };
    await volumes.make({ Name: to.volume, Labels: { ...ownLabels(namespace), ...ownerLabels(to.owner), ...which } });
  }

  /** Makes a lane that is not there. Gives its labels. */
  async function make(lane: LaneRef, from: LaneOrigin | undefined): Promise<Record<string, string> | undefined> {
    const volume = nameFor(namespace, lane.name);
    const tree = await from?.pick();
    if (from === undefined || tree === undefined) {
      await volumes.make({ Name: volume, Labels: { ...ownLabels(namespace), [LANE]: lane.name } });
    } else {
      const spare = await from.take(tree);
      if (spare === undefined) await makeOver(tree, lane);
      else await give(spare, { volume, tree, lane, owner: from.owner });
    }
    return await labelsOfVolume(volume);
  }

  async function removeLane(name: string): Promise<void> {
    const volume = nameFor(namespace, name);
    // The base goes last: whoever is cut off between the two finds the rest by its label. So does the name of a spare.
    for (const doomed of [volume, baseOf(volume)]) {
      const labels = await labelsOfVolume(doomed);
      if (labels === undefined) continue;
      if (!isOurs(namespace, labels)) throw foreign(doomed);
      const at = labels[LANE_AT];
      if (at !== undefined) await removeLane(at);
      if (await volumes.remove(doomed)) continue;
      await removeContainersOn(name);
      if (await volumes.remove(doomed)) continue;
      throw new InfrastructureError(
        `The volume ${doomed} is in use by a container that is not ours: remove that by hand.`,
      );
    }
  }

  return {
    async ensure(lane, from) {
      requireName('lane', lane.name, 60);
      const volume = nameFor(namespace, lane.name);
      const known = await labelsOfVolume(volume);
      // Making a volume that exists succeeds, whoever's it is: so its labels are looked at afterwards.
      const labels = known ?? (await make(lane, from));
      if (labels === undefined || !isOurs(namespace, labels)) throw foreign(volume);
      const [tree, at] = [labels[LANE_TREE], labels[LANE_AT]];
      const isFresh = known === undefined && tree !== undefined;
      return { lane: at === undefined ? volume : nameFor(namespace, at), tree, isFresh };
    },

    async remove({ name }) {
      requireName('lane', name, 60);
      await removeLane(name);
    },

    async into(tree) {
      const volume = `${tree}-in`;
      const device = `${await mountpointOf(tree)}/lane`;
      // A tree's label: should this process die, it is swept with the trees that were never finished.
      const Labels = { ...ownLabels(namespace), [TREE]: volume };
      await volumes.make({ Name: volume, Labels, Driver: 'local', DriverOpts: { type: 'none', o: 'bind', device } });
      return volume;
    },

    async list() {
      const names = (await volumes.list(LANE)).flatMap(({ Labels }) => Labels?.[LANE] ?? []);
      return [...new Set(names)].filter((name) => !isSpare(name));
    },

    async spares() {
      const there = await volumes.list(LANE);
      const owners = new Map(there.map(({ Labels }) => [Labels?.[LANE_AT], ownerOf(Labels ?? {})]));
      const spares = there.map(({ Labels, CreatedAt }) => ({
        name: Labels?.[LANE] ?? '',
        madeAt: Date.parse(CreatedAt ?? '') || 0,
      }));
      return spares.filter(({ name }) => isSpare(name)).map((spare) => ({ ...spare, owner: owners.get(spare.name) }));
    },
  };
}

function baseOf(volume: string): string {
  return `${volume}-base`;
}

function foreign(volume: string): InfrastructureError {
  return new InfrastructureError(
    `The volume ${volume} was not made by this installation of Maestro: remove it by hand.`,
  );
}
