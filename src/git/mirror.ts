import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { gitEnvironment, type RemoteAccess } from './environment.ts';
import { git, GitError } from './plumbing.ts';
import { fetchRefs } from './remote.ts';

/**
 * A mirror is a bare repository of ours, one per GitHub repository: what lanes borrow objects from, and where their work is taken
 * in. Only we write in it; its objects are never dropped, because lanes point into it, but put together (`compact.ts`).
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
 * Nothing is fetched when it is there. Throws `CommitGoneError` when GitHub has it no more; anything else is worth a retry.
 */
export async function fetchCommit(mirror: Mirror, access: RemoteAccess, branch: string, oid: string): Promise<void> {
  const before = fetching.get(mirror.gitDir) ?? Promise.resolve();
  const fetch = before
    .catch(() => undefined)
    .then(async () => {
      if (await hasObject(mirror, `${oid}^{commit}`)) return;
      // A branch that was deleted or renamed since can't be fetched; its commit still can, by its name (fault F29).
      await unlessMissing(fetchRefs(mirror.gitDir, access, [`+refs/heads/${branch}:refs/maestro/upstream/${branch}`]));
      if (await hasObject(mirror, `${oid}^{commit}`)) return;
      await unlessMissing(fetchRefs(mirror.gitDir, access, [oid]));
      if (!(await hasObject(mirror, `${oid}^{commit}`))) throw new CommitGoneError(oid, branch);
    });
  fetching.set(mirror.gitDir, fetch);
  await fetch;
}

/** GitHub has the commit no more: its branch was deleted or forced elsewhere, and it was cleared away since. */
export class CommitGoneError extends Error {
  override readonly name = 'CommitGoneError';
  constructor(oid: string, branch: string) {
    super(`commit ${oid.slice(0, 10)} of ${branch} is not on GitHub any more`);
  }
}

/** A fetch for which it is no error that the remote has not what was asked for; git says so in these words only. */
async function unlessMissing(fetch: Promise<void>): Promise<void> {
  try {
    await fetch;
  } catch (error) {
    if (!/couldn't find remote ref|not our ref|unadvertised object/.test(String(error))) throw error;
  }
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

/** Whether a commit is another, or is among those it stands on; false also when it is not in the mirror. */
export async function isAncestor(mirror: Mirror, commit: string, of: string): Promise<boolean> {
  try {
    await git(mirror.gitDir, ['merge-base', '--is-ancestor', commit, of]);
    return true;
  } catch (error) {
    if (error instanceof GitError && !error.isMachines) return false;
    throw error;
  }
}

/** Points a ref of the mirror at an object, so that people and later runs can find it. */
export async function keepRef(mirror: Mirror, ref: string, oid: string): Promise<void> {
  await git(mirror.gitDir, ['update-ref', ref, oid]);
}
