import type { Mirror } from './mirror.ts';
import { git } from './plumbing.ts';

/** A commit's message, without its trailers. */
export async function messageOf(mirror: Mirror, commit: string): Promise<string> {
  const message = await git(mirror.gitDir, ['show', '-s', '--format=%B', '--end-of-options', commit]);
  return message.trim().replace(/\n\n(?:[A-Za-z-]+: .*\n?)+$/u, '');
}

/** The files a commit changed against what it stands on, a line each with what became of it: `M`, `A` or `D`. */
export async function filesChanged(mirror: Mirror, commit: string): Promise<string> {
  const args = [
    'diff-tree',
    '-r',
    '--no-commit-id',
    '--name-status',
    '--no-renames',
    '--root',
    '--end-of-options',
    commit,
  ];
  return await git(mirror.gitDir, args, { maxBuffer: 256 * 1024 * 1024 });
}
