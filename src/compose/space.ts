import { statfs } from 'node:fs/promises';
import type { Config } from '../config.ts';

/** Tells what is left on the disk of `MAESTRO_HOME`, and what a task needs there to begin. Bytes. */
export function spaceOf(config: Pick<Config, 'MAESTRO_HOME' | 'MAESTRO_DISK_FLOOR_MB'>) {
  return async (): Promise<{ readonly left: number; readonly needed: number }> => {
    const { bavail, bsize } = await statfs(config.MAESTRO_HOME);
    return { left: bavail * bsize, needed: config.MAESTRO_DISK_FLOOR_MB * 1024 ** 2 };
  };
}
