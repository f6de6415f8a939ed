import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Mirror } from './mirror.ts';

/**
 * Removes what processes that were killed left half done in a mirror: objects in quarantine of the run of this id, which must be
 * ours, and scratch files of processes that are gone. Never touches what somebody else is using.
 */
export async function removeLeftovers(mirror: Mirror, runId: string): Promise<void> {
  const quarantine = path.join(mirror.gitDir, 'quarantine');
  const name = path.basename(mirror.gitDir, '.git');
  await Promise.all([
    removeFrom(quarantine, (entry) => entry.startsWith(`${runId}-`)),
    removeFrom(mirror.gitDir, (entry) => isOfTheDead(/^index-(\d+)-/.exec(entry)?.[1])),
    removeFrom(path.dirname(mirror.gitDir), (entry) => {
      const [dot, id, pid] = entry.split('.');
      return dot === '' && id === name && isOfTheDead(pid);
    }),
  ]);
}

async function removeFrom(directory: string, isLeft: (entry: string) => boolean): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  await Promise.all(
    entries
      .filter(isLeft)
      .map(async (entry) => await rm(path.join(directory, entry), { recursive: true, force: true })),
  );
}

/** Whether a process of this id is gone. */
function isOfTheDead(pid: string | undefined): boolean {
  if (pid === undefined) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
