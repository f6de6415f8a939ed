import { statfs } from 'node:fs/promises';
import { InfrastructureError } from '../runners/runner.ts';

/**
 * Makes sure that a task is begun only where its work can be kept: nothing is lost by a run that waits, and much by an agent whose
 * work finds no room (fault F18). `floorBytes` is what must be left on the disk of `home`.
 *
 * @throws InfrastructureError that says how much is left: the run waits and looks again.
 */
export async function requireSpace(home: string, floorBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(home);
  const left = bavail * bsize;
  if (left >= floorBytes) return;
  throw new InfrastructureError(
    `the worker's disk is nearly full: ${megabytes(left)} left, ${megabytes(floorBytes)} needed to begin a task`,
  );
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / 1024 ** 2)} MB`;
}
