import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Mirror } from './mirror.ts';

/**
 * Removes what processes that were killed left half done in a mirror: objects in quarantine and locks on refs of the run of this id,
 * which must be ours, and scratch files of processes that are gone. Never touches what somebody else is using.
 */
export async function removeLeftovers(mirror: Mirror, runId: string): Promise<void> {
  const quarantine = path.join(mirror.gitDir, 'quarantine');
  const name = path.basename(mirror.gitDir, '.git');
  await Promise.all([
    removeFrom(quarantine, (entry) => entry.startsWith(`${runId}-`)),
    removeFrom(mirror.gitDir, (entry) => isOfTheDead(/^(?:index-|fast_import_crash_)(\d+)/.exec(entry)?.[1])),
    // Git writes for milliseconds. A lock that nobody lets go of would keep the run from ever committing again.
    removeFrom(path.join(mirror.gitDir, 'refs', 'maestro', 'runs'), (entry) => entry === `${runId}.lock`, ABANDONED_MS),
    removeFrom(
      path.join(mirror.gitDir, 'refs', 'maestro', 'kept'),
      (entry) => entry.startsWith(`${runId}-`) && entry.endsWith('.lock'),
      ABANDONED_MS,
    ),
    removeFrom(path.join(mirror.gitDir, 'objects', 'pack'), (entry) => /^(?:tmp_|\.tmp-)/.test(entry), ABANDONED_MS),
    removeFrom(path.dirname(mirror.gitDir), (entry) => {
      const [dot, id, pid] = entry.split('.');
      return dot === '' && id === name && isOfTheDead(pid);
    }),
  ]);
}

/** How long git has not written to what it will not write to again. It is given a minute for a command. Milliseconds. */
const ABANDONED_MS = 10 * 60_000;

async function removeFrom(directory: string, isLeft: (entry: string) => boolean, afterMs = 0): Promise<void> {
  const entries = await readdir(directory).catch(() => []);
  await Promise.all(
    entries.filter(isLeft).map(async (entry) => {
      const file = path.join(directory, entry);
      if (afterMs > 0 && !(await isOlderThan(file, afterMs))) return;
      await rm(file, { recursive: true, force: true });
    }),
  );
}

async function isOlderThan(file: string, ms: number): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > ms;
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
