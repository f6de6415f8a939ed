import { randomUUID } from 'node:crypto';
import { chmod, lstat, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { JobFiles } from '../runner.ts';

/**
 * Removes a directory and all in it, also what was made read-only; fine if it is not there. It is first moved to `trash`, so that
 * its name is free, and half a removal is never taken for the whole thing.
 */
export async function removeTree(path: string, trash: string): Promise<void> {
  const doomed = join(trash, randomUUID());
  await mkdir(trash, { recursive: true });
  try {
    await rename(path, doomed);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  await deleteTree(doomed);
}

/** Deletes what was moved to `trash` by a process that did not live to delete it. */
export async function emptyTrash(trash: string): Promise<void> {
  const left = await readdir(trash).catch(() => []);
  for (const name of left) await deleteTree(join(trash, name));
}

/** Two may delete the same at once, a process that starts and one that cleans up: what the other was faster with is gone. */
async function deleteTree(path: string): Promise<void> {
  await makeWritable(path).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  });
  await rm(path, { recursive: true, force: true, maxRetries: 3 });
}

/** Gives us the right to delete what is in `directory` and below. Never follows a symbolic link. */
async function makeWritable(directory: string): Promise<void> {
  const info = await lstat(directory).catch(() => undefined);
  if (info?.isDirectory() !== true) return;
  if ((info.mode & 0o700) !== 0o700) await chmod(directory, 0o700);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isDirectory()) await makeWritable(join(directory, entry.name));
  }
}

/** Writes files below `directory`, by relative path, private and executable. */
export async function writeFiles(directory: string, files: JobFiles): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    const target = join(directory, path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(target, content, { mode: 0o700 });
  }
}
