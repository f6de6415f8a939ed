import { unseenCommit } from './mask.ts';
import { hasObject, type Mirror } from './mirror.ts';
import { git, GitError } from './plumbing.ts';

/**
 * A commit on top of `tip` that shows what an earlier session left, `work` being a commit on top of the tip of then. What was done on
 * the branch meanwhile is joined with it. Undefined where that can't be: they changed the same, or the branch has gone back since.
 */
export async function workOnTip(
  mirror: Mirror,
  of: { readonly work: string; readonly tip: string; readonly at: number },
): Promise<string | undefined> {
  const { work, tip } = of;
  if (!(await hasObject(mirror, `${work}^{commit}`))) return undefined;
  const parent = await git(mirror.gitDir, ['rev-parse', '--verify', '--end-of-options', `${work}^`]);
  if (parent === tip) return work;
  if (!(await isAncestor(mirror, parent, tip))) return undefined;
  const tree = await joined(mirror, tip, work);
  if (tree === undefined) return undefined;
  return await unseenCommit(mirror, { tree, parent: tip, at: of.at, message: 'Work so far\n' });
}

/** The tree that holds both; undefined when they can't be joined, also where git is too old to try. */
async function joined(mirror: Mirror, tip: string, work: string): Promise<string | undefined> {
  try {
    const out = await git(mirror.gitDir, ['merge-tree', '--write-tree', '--name-only', '--end-of-options', tip, work]);
    return out.split('\n', 1)[0];
  } catch (error) {
    if (error instanceof GitError && !error.isMachines) return undefined;
    throw error;
  }
}

async function isAncestor(mirror: Mirror, older: string, newer: string): Promise<boolean> {
  try {
    await git(mirror.gitDir, ['merge-base', '--is-ancestor', '--end-of-options', older, newer]);
    return true;
  } catch (error) {
    if (error instanceof GitError && !error.isMachines) return false;
    throw error;
  }
}
