import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { gitEnvironment, type RemoteAccess } from './environment.ts';
import { git } from './plumbing.ts';
import { fetchRefs } from './remote.ts';

/**
 * A mirror is a bare repository of ours, one per GitHub repository: what lanes borrow objects from, and where their work is taken
 * in. Only we write in it; its objects are never collected, because lanes point into it.
 */
export interface Mirror {
  /** Absolute path of the bare repository. */
  readonly gitDir: string;
}

/** One fetch at a time per mirror in this process; two processes are kept apart by git's own ref locks. */
const fetching = new Map<string, Promise<void>>();

/** The mirror of a repository below `root`, made if it is not there. Made aside and renamed, so that a crash leaves none half made. */
export async function ensureMirror(root: string, repositoryId: number): Promise<Mirror> {
  const gitDir = path.join(root, `${repositoryId}.git`);
  if (existsSync(path.join(gitDir, 'HEAD'))) return { gitDir };
  await mkdir(root, { recursive: true });
  const aside = path.join(root, `.${repositoryId}.${process.pid}.${Date.now()}`);
  await execa('git', ['init', '--quiet', '--bare', aside], { env: gitEnvironment(), extendEnv: false });
  try {
    await rename(aside, gitDir);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (!existsSync(path.join(gitDir, 'HEAD'))) throw error;
  }
  return { gitDir };
}

/**
 * Brings a commit into the mirror: the branch it is on, and, should the branch have moved on without it, the commit by its name.
 * Nothing is fetched when it is there.
 */
export async function fetchCommit(mirror: Mirror, access: RemoteAccess, branch: string, oid: string): Promise<void> {
  const before = fetching.get(mirror.gitDir) ?? Promise.resolve();
  const fetch = before
    .catch(() => undefined)
    .then(async () => {
      if (await hasObject(mirror, `${oid}^{commit}`)) return;
      await fetchRefs(mirror.gitDir, access, [`+refs/heads/${branch}:refs/maestro/upstream/${branch}`]);
      if (await hasObject(mirror, `${oid}^{commit}`)) return;
      await fetchRefs(mirror.gitDir, access, [oid]);
    });
  fetching.set(mirror.gitDir, fetch);
  await fetch;
}

/** Whether the mirror holds an object. */
export async function hasObject(mirror: Mirror, object: string): Promise<boolean> {
  try {
    await git(mirror.gitDir, ['cat-file', '-e', object]);
    return true;
  } catch {
    return false;
  }
}

/** Points a ref of the mirror at an object, so that people and later runs can find it. */
export async function keepRef(mirror: Mirror, ref: string, oid: string): Promise<void> {
  await git(mirror.gitDir, ['update-ref', ref, oid]);
}
