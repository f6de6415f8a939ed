import type Docker from 'dockerode';
import { ask, infrastructure } from './engine.ts';
import { ownFilter } from './labels.ts';

/** A volume as the engine lists it; `CreatedAt`, an RFC 3339 time, is missing from dockerode's types. */
export type ListedVolume = Docker.VolumeInspectInfo & { readonly CreatedAt?: string };

/** The volumes of an installation that carry a label, whatever its value. Throws `InfrastructureError` when the engine fails. */
export async function listVolumes(
  { docker, namespace, callMs }: { readonly docker: Docker; readonly namespace: string; readonly callMs: number },
  label: string,
): Promise<readonly ListedVolume[]> {
  const filters = JSON.stringify({ label: [...ownFilter(namespace).label, label] });
  const found = await ask('list volumes', callMs, (abortSignal) => docker.listVolumes({ filters, abortSignal })).catch(
    (error: unknown) => {
      throw infrastructure('list volumes', error);
    },
  );
  return found.Volumes ?? [];
}
