import type Docker from 'dockerode';
import { around } from '../../telemetry/failpoint.ts';
import { requireName } from '../names.ts';
import { InfrastructureError, type LaneRef } from '../runner.ts';
import { remove } from './container.ts';
import type { LaneVolumes } from './containers.ts';
import { ask, infrastructure, statusOf, type Patience } from './engine.ts';
import { LANE, LANE_TREE, TREE, isOurs, nameFor, ownFilter, ownLabels } from './labels.ts';

/**
 * Lanes are labelled volumes. A plain one is empty: the first container on it copies the image's `/lane` into it, the agent's own.
 * One that starts from a tree is two: an overlay over the tree, which a container mounts as its lane, and beside it the base that
 * holds what the lane has written.
 */
export interface DockerLanes {
  /** The lane's volumes. A lane that is not there is made, over the tree that `pick` finds, if that finds one: then it is fresh. */
  ensure(lane: LaneRef, pick?: () => Promise<string | undefined>): Promise<LaneVolumes & { readonly isFresh: boolean }>;
  remove(lane: Pick<LaneRef, 'name'>): Promise<void>;
  /** A volume that shows what lanes over a tree see, for writing to the tree before there are any. The caller removes it. */
  into(tree: string): Promise<string>;
  discard(volume: string): Promise<boolean>;
  list(): Promise<readonly string[]>;
}

/** Makes the lanes of one installation on one engine. */
export function createDockerLanes(options: {
  readonly docker: Docker;
  readonly namespace: string;
  readonly patience: Patience;
  /** Puts `upper` and `work` into a new base. */
  readonly fillBase: (volume: string, lane: LaneRef) => Promise<void>;
}): DockerLanes {
  const { docker, namespace, patience, fillBase } = options;
  const { callMs } = patience;

  async function look(name: string): Promise<Docker.VolumeInspectInfo> {
    return await ask('look at a volume', callMs, (abortSignal) => docker.getVolume(name).inspect({ abortSignal }));
  }

  /** Where the engine keeps a volume, for an overlay's options, in which some characters mean something. */
  async function mountpointOf(name: string): Promise<string> {
    const { Mountpoint } = await look(name).catch((error: unknown) => {
      throw infrastructure('look at a volume', error);
    });
    if (/^\/[\w./-]+$/.test(Mountpoint)) return Mountpoint;
    throw new InfrastructureError(`The volume ${name} is kept in ${Mountpoint}, which no overlay can be made of`);
  }

  async function labelsOfVolume(name: string): Promise<Record<string, string> | undefined> {
    try {
      const volume = await look(name);
      return volume.Labels ?? {};
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw infrastructure('look at a volume', error);
    }
  }

  async function removeContainersOn(lane: string): Promise<void> {
    const filters = ownFilter(namespace, { [LANE]: lane });
    const found = await ask('list containers', callMs, (abortSignal) =>
      docker.listContainers({ all: true, filters, abortSignal }),
    );
    for (const { Id } of found) {
      await remove(docker.getContainer(Id), patience);
    }
  }

  /** False when it is in use. */
  async function removeVolume(name: string): Promise<boolean> {
    try {
      await around('discard', {
        perform: async () =>
          await ask('remove a volume', patience.removalMs, (abortSignal) =>
            docker.getVolume(name).remove({ abortSignal }),
          ),
      });
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return true;
      if (statusOf(error) === 409) return false;
      throw infrastructure('remove a volume', error);
    }
  }

  async function makeVolume(wanted: Docker.VolumeCreateOptions): Promise<void> {
    await around('lane', {
      perform: async () =>
        await ask('make a volume', callMs, (abortSignal) => docker.createVolume({ ...wanted, abortSignal })).catch(
          (error: unknown) => {
            throw infrastructure('make a volume', error);
          },
        ),
    });
  }

  /** Makes a lane's base and, over it and the tree, its overlay. */
  async function makeOver(tree: string, lane: LaneRef): Promise<void> {
    const volume = nameFor(namespace, lane.name);
    const base = baseOf(volume);
    const Labels = { ...ownLabels(namespace), [LANE]: lane.name, [LANE_TREE]: tree };
    await makeVolume({ Name: base, Labels });
    const places = [mountpointOf(tree), mountpointOf(base)] as const;
    const [lower, upper] = await Promise.all([...places, fillBase(base, lane)]);
    const o = `lowerdir=${lower}/lane,upperdir=${upper}/upper,workdir=${upper}/work`;
    await makeVolume({ Name: volume, Labels, Driver: 'local', DriverOpts: { type: 'overlay', device: 'overlay', o } });
  }

  return {
    async ensure(lane, pick) {
      requireName('lane', lane.name, 60);
      const volume = nameFor(namespace, lane.name);
      const known = await labelsOfVolume(volume);
      const tree = known === undefined ? await pick?.() : known[LANE_TREE];
      if (known === undefined) {
        if (tree === undefined) {
          await makeVolume({ Name: volume, Labels: { ...ownLabels(namespace), [LANE]: lane.name } });
        } else {
          await makeOver(tree, lane);
        }
      }
      // Making a volume that exists succeeds, whoever's it is.
      if (!isOurs(namespace, known ?? (await labelsOfVolume(volume)))) throw foreign(volume);
      return { lane: volume, tree, isFresh: known === undefined && tree !== undefined };
    },

    async remove({ name }) {
      requireName('lane', name, 60);
      const volume = nameFor(namespace, name);
      // The base goes last: whoever is cut off between the two finds the rest by its label.
      for (const doomed of [volume, baseOf(volume)]) {
        const labels = await labelsOfVolume(doomed);
        if (labels === undefined) continue;
        if (!isOurs(namespace, labels)) throw foreign(doomed);
        if (await removeVolume(doomed)) continue;
        await removeContainersOn(name);
        if (await removeVolume(doomed)) continue;
        throw new InfrastructureError(
          `The volume ${doomed} is in use by a container that is not ours: remove that by hand.`,
        );
      }
    },

    async into(tree) {
      const volume = `${tree}-in`;
      const device = `${await mountpointOf(tree)}/lane`;
      // A tree's label: should this process die, it is swept with the trees that were never finished.
      const Labels = { ...ownLabels(namespace), [TREE]: volume };
      await makeVolume({ Name: volume, Labels, Driver: 'local', DriverOpts: { type: 'none', o: 'bind', device } });
      return volume;
    },

    discard: removeVolume,

    async list() {
      const filters = JSON.stringify(ownFilter(namespace));
      const { Volumes } = await ask('list volumes', callMs, (abortSignal) =>
        docker.listVolumes({ filters, abortSignal }),
      );
      return [...new Set(Volumes.flatMap((volume) => volume.Labels?.[LANE] ?? []))];
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
