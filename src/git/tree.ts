import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { noteContent, onceAsked, onceRead } from './known.ts';
import type { Mirror } from './mirror.ts';
import { git, gitBytes } from './plumbing.ts';

/** One difference between two trees. Modes are git's octal strings. */
export interface Difference {
  readonly path: string;
  readonly status: 'added' | 'modified' | 'removed';
  readonly mode: string;
  readonly oid: string;
}

type Env = Readonly<Record<string, string>>;

/** What differs between two trees, no renames guessed. */
export async function differences(
  mirror: Mirror,
  before: string,
  after: string,
  env: Env = {},
): Promise<readonly Difference[]> {
  const raw = await git(
    mirror.gitDir,
    ['diff-tree', '-r', '-z', '--raw', '--no-renames', '--no-abbrev', '--end-of-options', before, after],
    {
      env,
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  const fields = raw.split('\0');
  const changes: Difference[] = [];
  for (let index = 0; index + 1 < fields.length; index += 2) {
    const [, mode = '', , oid = '', status = ''] = (fields[index] ?? '').slice(1).split(' ');
    const kind = status.startsWith('A') ? 'added' : status.startsWith('D') ? 'removed' : 'modified';
    changes.push({ path: fields[index + 1] ?? '', status: kind, mode: kind === 'removed' ? '000000' : mode, oid });
  }
  return changes;
}

/** Sizes of blobs, in bytes, by their oids. Those that are not there are left out. */
export async function sizesOf(
  mirror: Mirror,
  oids: readonly string[],
  env: Env = {},
): Promise<ReadonlyMap<string, number>> {
  if (oids.length === 0) return new Map();
  const listing = await git(mirror.gitDir, ['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    env,
    input: `${oids.join('\n')}\n`,
    maxBuffer: 256 * 1024 * 1024,
  });
  return new Map(
    listing
      .split('\n')
      .map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])] as const)
      .filter(([, size]) => Number.isFinite(size)),
  );
}

/**
 * Throws `GitError` unless everything a tree is made of is there. Gives the oids of blobs of more than `bytes` in what it has over
 * `base`: looking for them on this way costs nothing.
 */
export async function assertConnected(
  mirror: Mirror,
  of: { readonly tree: string; readonly base: string; readonly bytes: number },
  env: Env,
): Promise<ReadonlySet<string>> {
  const filter = [`--filter=blob:limit=${of.bytes + 1}`, '--filter-print-omitted'];
  const argv = ['rev-list', '--objects', '--no-object-names', ...filter, '--end-of-options', of.tree, `^${of.base}`];
  const listing = await git(mirror.gitDir, argv, { env, maxBuffer: 256 * 1024 * 1024 });
  return new Set(listing.split('\n').flatMap((line) => (line.startsWith('~') ? [line.slice(1)] : [])));
}

/** A commit's tree. */
export async function treeOf(mirror: Mirror, commit: string): Promise<string> {
  const argv = ['rev-parse', '--verify', '--end-of-options', `${commit}^{tree}`];
  return (await onceAsked(mirror, ['tree', commit], async () => await git(mirror.gitDir, argv))) ?? '';
}

/** A blob's content; for symlinks, the target. */
export async function readBlob(mirror: Mirror, oid: string, env: Env = {}): Promise<Uint8Array> {
  const read = async (): Promise<Uint8Array> => await gitBytes(mirror.gitDir, ['cat-file', 'blob', oid], { env });
  return isMirrorAlone(env) ? await onceRead(mirror, oid, read) : await read();
}

/** The blob at a path of a tree, with its mode; undefined when there is none. */
export async function entryAt(
  mirror: Mirror,
  tree: string,
  file: string,
  env: Env = {},
): Promise<{ readonly mode: string; readonly oid: string } | undefined> {
  const argv = ['--literal-pathspecs', 'ls-tree', '-z', '--full-tree', tree, '--', file];
  const ask = async (): Promise<string | undefined> => {
    const [, mode, oid] = /^(\d+) blob ([0-9a-f]+)\t/.exec(await git(mirror.gitDir, argv, { env })) ?? [];
    return mode === undefined || oid === undefined ? undefined : `${mode} ${oid}`;
  };
  const said = isMirrorAlone(env) ? await onceAsked(mirror, ['entry', tree, file], ask) : await ask();
  const [mode = '', oid = ''] = said?.split(' ') ?? [];
  return said === undefined ? undefined : { mode, oid };
}

/** What is in quarantine may be gone tomorrow: it is not to be remembered as the mirror's. */
function isMirrorAlone(env: Env): boolean {
  return Object.keys(env).length === 0;
}

/** One file of a tree. `mode` is git's octal string. */
export interface TreeFile {
  readonly path: string;
  readonly mode: string;
  readonly oid: string;
}

/** All files of a tree or commit: blobs and symlinks, no links to repositories. */
export async function filesOf(mirror: Mirror, tree: string): Promise<readonly TreeFile[]> {
  const listing = await git(mirror.gitDir, ['ls-tree', '-r', '-z', '--full-tree', '--end-of-options', tree], {
    maxBuffer: 256 * 1024 * 1024,
  });
  return listing.split('\0').flatMap((line) => {
    const [, mode = '', oid = '', path = ''] = /^(\d+) blob ([0-9a-f]+)\t([\s\S]*)$/.exec(line) ?? [];
    return path === '' ? [] : [{ path, mode, oid }];
  });
}

/** Writes a blob of these bytes. Returns its oid. */
export async function writeBlob(mirror: Mirror, content: Uint8Array, env: Env = {}): Promise<string> {
  const argv = ['hash-object', '-w', '--no-filters', '--stdin'];
  const oid = await git(mirror.gitDir, argv, { env, input: content });
  if (isMirrorAlone(env)) noteContent(mirror, oid, content);
  return oid;
}

/** A blob in a tree, or nothing. */
export type Entry = { readonly mode: string; readonly oid: string } | undefined;

interface Change {
  readonly path: string;
  readonly entry: Entry;
}

/** The tree that differs from `tree` in these paths only, each with its entry or without one. Returns its oid. */
export async function withEntries(
  mirror: Mirror,
  tree: string,
  changes: readonly Change[],
  env: Env = {},
): Promise<string> {
  const index = path.join(mirror.gitDir, `index-${process.pid}-${randomUUID()}`);
  const within = { ...env, GIT_INDEX_FILE: index };
  try {
    await git(mirror.gitDir, ['read-tree', tree], { env: within });
    // What goes makes room for what comes: a file may take the place of a directory.
    const gone = changes.filter(({ entry }) => entry === undefined).map((change) => `0 ${NONE}\t${change.path}\0`);
    const come = changes.flatMap(({ path: at, entry }) =>
      entry === undefined ? [] : [`${entry.mode} ${entry.oid}\t${at}\0`],
    );
    await git(mirror.gitDir, ['update-index', '-z', '--index-info'], {
      env: within,
      input: [...gone, ...come].join(''),
    });
    return await git(mirror.gitDir, ['write-tree'], { env: within });
  } finally {
    await rm(index, { force: true });
    await rm(`${index}.lock`, { force: true });
  }
}

const NONE = '0'.repeat(40);
