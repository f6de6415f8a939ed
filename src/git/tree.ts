import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import { noteContent, onceAsked, onceRead } from './known.ts';
import type { Mirror } from './mirror.ts';
import { git, gitBytes } from './plumbing.ts';

/** One difference between two trees. Modes are git's octal strings. */
interface Difference {
  readonly path: string;
  readonly status: 'added' | 'modified' | 'removed';
  readonly mode: string;
  readonly oid: string;
}

/** A difference with the size of what is there now: in bytes, and 0 for what is no blob. */
export interface TreeChange extends Difference {
  readonly size: number;
}

type Env = Readonly<Record<string, string>>;

/** What differs between two trees, with sizes. */
export async function treeChanges(
  mirror: Mirror,
  before: string,
  after: string,
  env: Env = {},
): Promise<readonly TreeChange[]> {
  return await withSizes(mirror, await differences(mirror, before, after, env), env);
}

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

async function withSizes(mirror: Mirror, changes: readonly Difference[], env: Env): Promise<readonly TreeChange[]> {
  const blobs = changes.filter((change) => change.status !== 'removed' && change.mode !== '160000');
  if (blobs.length === 0) return changes.map((change) => ({ ...change, size: 0 }));
  const listing = await git(mirror.gitDir, ['cat-file', '--batch-check=%(objectname) %(objectsize)'], {
    env,
    input: `${blobs.map((change) => change.oid).join('\n')}\n`,
    maxBuffer: 256 * 1024 * 1024,
  });
  const sizes = new Map(
    listing.split('\n').map((line) => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])] as const),
  );
  return changes.map((change) => ({ ...change, size: sizes.get(change.oid) ?? 0 }));
}

/** Throws `GitError` unless everything a tree is made of is there. */
export async function assertConnected(mirror: Mirror, tree: string, base: string, env: Env): Promise<void> {
  await git(mirror.gitDir, ['rev-list', '--objects', '--quiet', '--end-of-options', tree, `^${base}`], { env });
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
