import type Docker from 'dockerode';
import { around } from '../../telemetry/failpoint.ts';
import { ask, statusOf, type Patience } from './engine.ts';
import { ownFilter } from './labels.ts';

/** A volume as the engine lists it; `CreatedAt`, an RFC 3339 time, is missing from dockerode's types. */
export type ListedVolume = Docker.VolumeInspectInfo & { readonly CreatedAt?: string };

/** Makes and removes volumes. Everything throws `InfrastructureError` when the engine fails. */
export interface Volumes {
  /** Making one that exists succeeds, whoever's it is. */
  make(wanted: Docker.VolumeCreateOptions): Promise<void>;
  /** False when it is in use. Fine if it is gone. */
  remove(name: string): Promise<boolean>;
  /** Undefined when it is not there. */
  look(name: string): Promise<Docker.VolumeInspectInfo | undefined>;
  /** Those of the installation that carry a label, whatever its value. */
  list(label: string): Promise<readonly ListedVolume[]>;
}

/** Makes the volumes of one installation on one engine. */
export function createVolumes(options: {
  readonly docker: Docker;
  readonly namespace: string;
  readonly patience: Patience;
}): Volumes {
  const { docker, namespace } = options;
  const { callMs, removalMs } = options.patience;

  return {
    async make(wanted) {
      await around('lane', {
        perform: async () =>
          await ask('make a volume', callMs, (abortSignal) => docker.createVolume({ ...wanted, abortSignal })),
      });
    },

    async remove(name) {
      try {
        await around('discard', {
          perform: async () =>
            await ask('remove a volume', removalMs, (abortSignal) => docker.getVolume(name).remove({ abortSignal })),
        });
        return true;
      } catch (error) {
        if (statusOf(error) === 404) return true;
        if (statusOf(error) === 409) return false;
        throw error;
      }
    },

    async look(name) {
      try {
        return await ask('look at a volume', callMs, (abortSignal) => docker.getVolume(name).inspect({ abortSignal }));
      } catch (error) {
        if (statusOf(error) === 404) return undefined;
        throw error;
      }
    },

    async list(label) {
      const filters = JSON.stringify({ label: [...ownFilter(namespace).label, label] });
      const found = await ask('list volumes', callMs, (abortSignal) => docker.listVolumes({ filters, abortSignal }));
      return found.Volumes ?? [];
    },
  };
}
