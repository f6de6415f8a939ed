import type Docker from 'dockerode';
import { around } from '../../telemetry/failpoint.ts';
import { requireName } from '../names.ts';
import { InfrastructureError, type LaneRef } from '../runner.ts';
import { remove } from './container.ts';
import { ask, infrastructure, statusOf } from './engine.ts';
import { LANE, isOurs, nameFor, ownFilter, ownLabels } from './labels.ts';

const DEADLINE_MS = 30_000;

/** Lanes are labelled volumes. The first container on one copies the image's `/lane` into it: empty, and the agent's own. */
export interface DockerLanes {
  ensure(lane: LaneRef): Promise<void>;
  remove(lane: LaneRef): Promise<void>;
  list(): Promise<readonly string[]>;
}

/** Makes the lanes of one installation on one engine. */
export function createDockerLanes(docker: Docker, namespace: string): DockerLanes {
  async function removeContainersOn(lane: string): Promise<void> {
    const filters = ownFilter(namespace, { [LANE]: lane });
    const found = await ask('list containers', DEADLINE_MS, docker.listContainers({ all: true, filters }));
    for (const { Id } of found) {
      await remove(docker.getContainer(Id));
    }
  }

  /** False when it is in use. */
  async function removeVolume(name: string): Promise<boolean> {
    try {
      await around('discard', {
        perform: async () => await ask('remove a volume', DEADLINE_MS, docker.getVolume(name).remove()),
      });
      return true;
    } catch (error) {
      if (statusOf(error) === 404) return true;
      if (statusOf(error) === 409) return false;
      throw infrastructure('remove a volume', error);
    }
  }

  return {
    async ensure({ name }) {
      requireName('lane', name, 60);
      const volume = nameFor(namespace, name);
      const Labels = { ...ownLabels(namespace), [LANE]: name };
      await around('lane', {
        perform: async () =>
          await ask('make a volume', DEADLINE_MS, docker.createVolume({ Name: volume, Labels })).catch(
            (error: unknown) => {
              throw infrastructure('make a volume', error);
            },
          ),
      });
      // Making a volume that exists succeeds, whoever's it is.
      if (!isOurs(namespace, await labelsOfVolume(docker, volume))) throw foreign(volume);
    },

    async remove({ name }) {
      requireName('lane', name, 60);
      const volume = nameFor(namespace, name);
      const labels = await labelsOfVolume(docker, volume);
      if (labels === undefined) return;
      if (!isOurs(namespace, labels)) throw foreign(volume);
      if (await removeVolume(volume)) return;
      await removeContainersOn(name);
      if (await removeVolume(volume)) return;
      throw new InfrastructureError(
        `The volume ${volume} is in use by a container that is not ours: remove that by hand.`,
      );
    },

    async list() {
      const options = { filters: JSON.stringify(ownFilter(namespace)) };
      const { Volumes } = await ask('list volumes', DEADLINE_MS, docker.listVolumes(options));
      return Volumes.flatMap((volume) => volume.Labels?.[LANE] ?? []);
    },
  };
}

function foreign(volume: string): InfrastructureError {
  return new InfrastructureError(
    `The volume ${volume} was not made by this installation of Maestro: remove it by hand.`,
  );
}

async function labelsOfVolume(docker: Docker, name: string): Promise<Record<string, string> | undefined> {
  try {
    const volume = await ask('look at a volume', DEADLINE_MS, docker.getVolume(name).inspect());
    return volume.Labels ?? {};
  } catch (error) {
    if (statusOf(error) === 404) return undefined;
    throw infrastructure('look at a volume', error);
  }
}
