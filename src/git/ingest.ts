import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { around } from '../telemetry/failpoint.ts';
import { git } from './plumbing.ts';
import type { Mirror } from './mirror.ts';

/**
 * Objects an agent made, taken in but not yet believed: they lie in a directory of their own beside the mirror's, as git's own
 * receive-pack does it, and join the mirror only when they have been looked at.
 */
export interface Quarantine extends AsyncDisposable {
  /** Environment under which git sees the quarantined objects beside the mirror's. */
  readonly env: Readonly<Record<string, string>>;
  /** Moves the objects into the mirror. */
  accept(): Promise<void>;
}

export interface Ingestion {
  /** `[a-z0-9-]`; a leftover of an earlier try under the same name is removed. */
  readonly name: string;
  readonly pack: Readable;
  /** Largest pack taken, in bytes. */
  readonly maxBytes: number;
}

/** Reads a pack into quarantine, every object checked by `index-pack --strict`. Throws `GitError` when git does not like it. */
export async function quarantine(mirror: Mirror, ingestion: Ingestion): Promise<Quarantine> {
  const directory = path.join(mirror.gitDir, 'quarantine', ingestion.name);
  await rm(directory, { recursive: true, force: true });
  await mkdir(path.join(directory, 'pack'), { recursive: true });
  const env = {
    GIT_OBJECT_DIRECTORY: directory,
    GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(mirror.gitDir, 'objects'),
  };
  const discard = () => rm(directory, { recursive: true, force: true });
  try {
    await git(
      mirror.gitDir,
      ['index-pack', '--stdin', '--strict', '--fix-thin', `--max-input-size=${ingestion.maxBytes}`],
      {
        env,
        input: ingestion.pack,
        timeoutMs: 600_000,
      },
    );
  } catch (error) {
    await discard();
    throw error;
  }
  return {
    env,
    accept: () => around('capture', { perform: () => moveObjects(directory, path.join(mirror.gitDir, 'objects')) }),
    [Symbol.asyncDispose]: discard,
  };
}

/** Moves a quarantine's files, each pack before its index, because an index is what makes a pack be seen. */
async function moveObjects(from: string, to: string): Promise<void> {
  await mkdir(path.join(to, 'pack'), { recursive: true });
  const packs = await readdir(path.join(from, 'pack'));
  for (const name of packs.toSorted((a, b) => Number(a.endsWith('.idx')) - Number(b.endsWith('.idx')))) {
    await rename(path.join(from, 'pack', name), path.join(to, 'pack', name));
  }
  for (const fan of await readdir(from)) {
    if (!/^[0-9a-f]{2}$/.test(fan)) continue;
    await mkdir(path.join(to, fan), { recursive: true });
    for (const name of await readdir(path.join(from, fan)))
      await rename(path.join(from, fan, name), path.join(to, fan, name));
  }
}
