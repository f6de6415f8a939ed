import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DirectoryInUseError, lockDirectory, type DirectoryLock } from './directory-lock.ts';
import type { Presence } from './store.ts';

/**
 * Makes the presence of worker `name` known below `root`. The operating system ends it at the moment the process dies, however it
 * dies; the directory that stays behind tells the others.
 *
 * @throws Error when a worker of that name is alive.
 */
export function openPresence(root: string, name: string): Presence {
  const directoryOf = (of: string): string => path.join(root, encodeURIComponent(of));
  const here = directoryOf(name);
  let returned = listed(root).includes(name);
  const lock = lockPatiently(here);

  const isDead = (other: string): boolean => {
    try {
      lockDirectory(directoryOf(other)).release();
      return true;
    } catch (error) {
      if (error instanceof DirectoryInUseError) return false;
      throw error;
    }
  };
  return {
    departed: () => [...(returned ? [name] : []), ...listed(root).filter((other) => other !== name && isDead(other))],
    forget: (other) => {
      if (other === name) returned = false;
      else rmSync(directoryOf(other), { recursive: true, force: true });
    },
    leave: () => {
      rmSync(here, { recursive: true, force: true });
      lock.release();
    },
  };
}

/** Takes the lock even if another worker is just looking whether anybody has it. */
function lockPatiently(directory: string): DirectoryLock {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return lockDirectory(directory, 'Two workers may not have the same name: give one another MAESTRO_WORKER.');
    } catch (error) {
      if (attempt === 5 || !(error instanceof DirectoryInUseError)) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 20);
    }
  }
}

function listed(root: string): readonly string[] {
  try {
    return readdirSync(root).map((entry) => decodeURIComponent(entry));
  } catch {
    return [];
  }
}
