import { git, gitOnce } from './process.ts';

export interface FileChange {
  readonly path: string;
  readonly previousPath: string | undefined;
  readonly status: 'added' | 'removed' | 'modified' | 'renamed' | 'changed';
  readonly sha: string;
  readonly additions: number;
  readonly deletions: number;
  /** Hunks only, without git's header; undefined for binary files. */
  readonly patch: string | undefined;
}

const STATUS: Readonly<Record<string, FileChange['status']>> = {
  A: 'added',
  D: 'removed',
  M: 'modified',
  R: 'renamed',
  T: 'changed',
};

/** What differs between two trees or commits, with hunks. */
export async function changedFiles(directory: string, from: string, to: string): Promise<FileChange[]> {
  const raw = await git(directory, ['diff', '--raw', '-z', '--numstat', '--no-abbrev', '-M', from, to]);
  const files = parseRaw(raw);
  const patches = splitPatches(await git(directory, ['diff', '-M', '--no-color', from, to]));
  return files.map((file, index) => ({ ...file, patch: hunksOf(patches[index]) }));
}

function parseRaw(raw: string): Omit<FileChange, 'patch'>[] {
  const fields = raw.split('\0');
  const changes: { status: string; sha: string; path: string; previous: string | undefined }[] = [];
  const counts: { additions: number; deletions: number }[] = [];
  for (let index = 0; index < fields.length;) {
    const field = fields[index] ?? '';
    const count = /^(\d+|-)\t(\d+|-)\t(.*)$/s.exec(field);
    if (field.startsWith(':')) {
      const [, , before = '', after = '', status = ''] = field.split(' ');
      const renamed = status.startsWith('R');
      changes.push({
        status: status.slice(0, 1),
        sha: status === 'D' ? before : after,
        path: fields[index + (renamed ? 2 : 1)] ?? '',
        previous: renamed ? fields[index + 1] : undefined,
      });
      index += renamed ? 3 : 2;
    } else if (count === null) {
      index += 1;
    } else {
      counts.push({ additions: Number(count[1]) || 0, deletions: Number(count[2]) || 0 });
      // A rename's numstat line has an empty path, then both paths as fields of their own.
      index += count[3] === '' ? 3 : 1;
    }
  }
  return changes.map((change, index) => ({
    path: change.path,
    previousPath: change.previous,
    status: STATUS[change.status] ?? 'modified',
    sha: change.sha,
    additions: counts[index]?.additions ?? 0,
    deletions: counts[index]?.deletions ?? 0,
  }));
}

function splitPatches(diff: string): string[] {
  return diff.split(/^(?=diff --git )/m).filter((part) => part !== '');
}

function hunksOf(patch: string | undefined): string | undefined {
  const start = patch?.search(/^@@ /m) ?? -1;
  return patch === undefined || start < 0 ? undefined : patch.slice(start).replace(/\n$/, '');
}

/** Paths that a commit, by its sha, adds, removes and changes against its first parent. */
export async function touchedPaths(
  directory: string,
  sha: string,
): Promise<{ readonly added: string[]; readonly removed: string[]; readonly modified: string[] }> {
  const output = await gitOnce(directory, [
    'diff-tree',
    '--root',
    '-r',
    '-z',
    '--no-renames',
    '--name-status',
    '--no-commit-id',
    '-m',
    '--first-parent',
    sha,
  ]);
  const fields = output.split('\0');
  const touched = { added: [] as string[], removed: [] as string[], modified: [] as string[] };
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const path = fields[index + 1] ?? '';
    if (fields[index] === 'A') touched.added.push(path);
    else if (fields[index] === 'D') touched.removed.push(path);
    else touched.modified.push(path);
  }
  return touched;
}
