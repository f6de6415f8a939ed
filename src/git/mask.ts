import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Mirror } from './mirror.ts';
import { git, gitBytes, GitError } from './plumbing.ts';
import { entryAt, readBlob, treeOf, withEntries, writeBlob, type Entry } from './tree.ts';

/** A path an agent is shown otherwise than its branch has it. */
export interface Masked {
  readonly path: string;
  /** As it is on the branch. */
  readonly there: Entry;
  /** As the agent finds it. */
  readonly shown: Entry;
  /** Whether what is shown is a whole version of the file, so that changes of it can be joined with the branch's own. */
  readonly whole: boolean;
}

/**
 * The commit a working copy is brought to so that it shows the masked paths as they are to be shown: one on top of `tip`, so that the
 * agent's own git finds nothing changed. It is on no branch and is never pushed. `at` is epoch milliseconds.
 */
export async function maskedCommit(
  mirror: Mirror,
  tip: string,
  masked: readonly Masked[],
  at: number,
): Promise<string> {
  const changes = masked.map(({ path, shown }) => ({ path, entry: shown }));
  const tree = await withEntries(mirror, await treeOf(mirror, tip), changes);
  const message = "Agents' configuration as the default branch has it\n";
  return await unseenCommit(mirror, { tree, parent: tip, at, message });
}

/** A commit that is on no branch and is never pushed: only for a working copy to be brought to. `at` is epoch milliseconds. */
export async function unseenCommit(
  mirror: Mirror,
  of: { readonly tree: string; readonly parent: string; readonly at: number; readonly message: string },
): Promise<string> {
  const date = `@${Math.floor(of.at / 1000)} +0000`;
  const who = { NAME: 'Maestro', EMAIL: 'agent@maestro.invalid', DATE: date };
  const env = Object.fromEntries(
    Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
  return await git(mirror.gitDir, ['commit-tree', of.tree, '-p', of.parent, '-F', '-'], { env, input: of.message });
}

/**
 * A tree an agent left, with the masked paths as they are to be committed: those it did not touch as the branch has them, its own
 * version of the others, joined with the branch's own changes where that can be done. Gives the paths it changed without having
 * seen all of them, too.
 */
export async function unmask(
  mirror: Mirror,
  tree: string,
  masked: readonly Masked[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly tree: string; readonly changedUnseen: readonly string[] }> {
  const changes: { path: string; entry: Entry }[] = [];
  const changedUnseen: string[] = [];
  for (const mask of masked) {
    const left = await entryAt(mirror, tree, mask.path, env);
    if (isSame(left, mask.shown)) changes.push({ path: mask.path, entry: mask.there });
    else if (mask.whole && mask.there !== undefined && mask.shown !== undefined && left !== undefined) {
      const oids = { there: mask.there.oid, shown: mask.shown.oid, left: left.oid };
      changes.push({ path: mask.path, entry: { mode: left.mode, oid: await join(mirror, oids, env) } });
    } else if (!mask.whole || mask.there !== undefined) changedUnseen.push(mask.path);
  }
  if (changes.length === 0) return { tree, changedUnseen };
  return { tree: await withEntries(mirror, tree, changes, env), changedUnseen };
}

function isSame(one: Entry, other: Entry): boolean {
  return one?.oid === other?.oid && one?.mode === other?.mode;
}

/** The branch's version with what the agent changed of what it was shown; where both changed the same, the agent's. */
async function join(
  mirror: Mirror,
  oids: { readonly there: string; readonly shown: string; readonly left: string },
  env: Readonly<Record<string, string>>,
): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'maestro-join-'));
  const fileOf = async (name: keyof typeof oids): Promise<string> => {
    const file = path.join(directory, name);
    await writeFile(file, await readBlob(mirror, oids[name], env), { mode: 0o600 });
    return file;
  };
  try {
    const files = [await fileOf('there'), await fileOf('shown'), await fileOf('left')];
    const joined = await gitBytes(mirror.gitDir, ['merge-file', '-p', '-q', '--theirs', ...files]);
    return await writeBlob(mirror, joined, env);
  } catch (error) {
    // Binary files can't be joined.
    if (error instanceof GitError && !error.isMachines) return oids.left;
    throw error;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
