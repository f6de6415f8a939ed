import type { Mirror } from './mirror.ts';
import { git, GitError } from './plumbing.ts';

const LONGEST_LIST = 256 * 1024 * 1024;

/** How many files a commit holds. */
export async function countFiles(mirror: Mirror, commit: string): Promise<number> {
  return lines(await git(mirror.gitDir, ['ls-tree', '-r', '--name-only', commit], { maxBuffer: LONGEST_LIST }));
}

/** In how many files two commits differ; undefined when one of them is not in the mirror. */
export async function countChanges(mirror: Mirror, before: string, after: string): Promise<number | undefined> {
  const args = ['diff-tree', '-r', '--name-only', '--no-renames', '--end-of-options', before, after];
  try {
    return lines(await git(mirror.gitDir, args, { maxBuffer: LONGEST_LIST }));
  } catch (error) {
    if (error instanceof GitError) return undefined;
    throw error;
  }
}

/** Git quotes a line end in a name. */
function lines(list: string): number {
  return list === '' ? 0 : list.split('\n').length;
}
