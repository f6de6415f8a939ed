import { FILE_MODE } from './file-mode.ts';

/** A change to one path, as the host sees it in the tree an agent left. Modes are git's octal strings. */
export interface Change {
  readonly path: string;
  readonly status: 'added' | 'modified' | 'removed';
  readonly mode: string;
  /** Bytes; undefined where it is certainly no more than may be. */
  readonly size?: number;
}

/** Modes of files that are taken. */
const TAKEN: ReadonlySet<string> = new Set([FILE_MODE.file, FILE_MODE.executable, FILE_MODE.link]);

export interface PolicyLimits {
  /** Largest file, in bytes. GitHub refuses files over 100 MB (docs: "About large files on GitHub"). */
  readonly fileBytes: number;
  /** Most paths one task may change. */
  readonly files: number;
}

export const DEFAULT_LIMITS: PolicyLimits = { fileBytes: 100 * 1024 * 1024, files: 5_000 };

/** Why a change may not be committed, as a sentence naming the path. */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

/**
 * What the changes of a task must not hold: workflows (the App has no permission for them, so the push would be refused whole),
 * submodules, odd modes, files GitHub would not take, and `.git` in any spelling a file system may fold.
 */
export function violations(changes: readonly Change[], limits: PolicyLimits): readonly Violation[] {
  const found: Violation[] = [];
  if (changes.length > limits.files) {
    found.push({
      path: changes[0]?.path ?? '',
      message: `the task changes ${changes.length} files; at most ${limits.files} are taken in one commit`,
    });
  }
  for (const change of changes) {
    const message = complaint(change, limits);
    if (message !== undefined) found.push({ path: change.path, message });
  }
  return found;
}

function complaint(change: Change, limits: PolicyLimits): string | undefined {
  const shown = JSON.stringify(change.path);
  if (change.path.split('/').some(looksLikeDotGit))
    return `${shown} would be read as git's own directory on some file systems`;
  if (/[\u0000-\u001f\u007f]/.test(change.path)) return `${shown} has control characters in its name`;
  if (new TextEncoder().encode(change.path).length > 4096)
    return `the path that begins with ${shown.slice(0, 60)} is longer than 4,096 bytes`;
  if (change.path.toLowerCase().startsWith('.github/workflows/')) {
    return `${shown} is a workflow, which Maestro has no permission to change; a person must make this change`;
  }
  if (change.status === 'removed') return undefined;
  if (change.mode === FILE_MODE.submodule)
    return `${shown} is a repository inside the repository (a submodule link), which is not taken`;
  if (!TAKEN.has(change.mode)) return `${shown} has the file mode ${change.mode}, which is not taken`;
  if (change.size !== undefined && change.size > limits.fileBytes) {
    return `${shown} has ${Math.ceil(change.size / 1024 / 1024)} MB; files over ${Math.floor(limits.fileBytes / 1024 / 1024)} MB are refused by GitHub`;
  }
  return undefined;
}

/** `.git` as HFS+ (ignorable code points) and NTFS (short name, trailing dots, spaces and streams) may read it. */
function looksLikeDotGit(segment: string): boolean {
  const folded = segment.replace(/[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g, '').toLowerCase();
  return /^(\.git|git~1)[ .]*(:.*)?$/.test(folded);
}

/** Whether a symlink at `path` that points to `target` stays inside the tree. */
export function symlinkStaysInside(path: string, target: string): boolean {
  if (target.startsWith('/') || target.includes('\\') || /^[A-Za-z]:/.test(target)) return false;
  const at = path.split('/').slice(0, -1);
  for (const segment of target.split('/')) {
    if (segment === '' || segment === '.') continue;
    if (segment === '..') {
      if (at.pop() === undefined) return false;
    } else at.push(segment);
  }
  return !at.some(looksLikeDotGit);
}
