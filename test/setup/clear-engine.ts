import type Docker from 'dockerode';

/** Removes from an engine every container and volume of an installation of Maestro. */
export async function clearEngine(docker: Docker, namespace: string): Promise<void> {
  const filters = { label: [`maestro.namespace=${namespace}`] };
  for (const { Id } of await docker.listContainers({ all: true, filters })) {
    await docker.getContainer(Id).remove({ force: true });
  }
  const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(filters) });
  for (const { Name } of Volumes) await docker.getVolume(Name).remove();
}
