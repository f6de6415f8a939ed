import { mkdir, readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Config } from '../config.ts';

/** A directory for this process's sockets; those of processes that are gone are swept. */
export async function wireDirectory(config: Pick<Config, 'MAESTRO_HOME'>): Promise<string> {
  const wires = path.join(config.MAESTRO_HOME, 'wires');
  await mkdir(wires, { recursive: true, mode: 0o700 });
  for (const pid of await readdir(wires)) {
    if (!isAlive(Number(pid))) await rm(path.join(wires, pid), { recursive: true, force: true });
  }
  return path.join(wires, String(process.pid));
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
