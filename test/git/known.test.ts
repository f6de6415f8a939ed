import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeCommit, type CommitFacts } from '../../src/git/commit.ts';
import { ensureMirror, type Mirror } from '../../src/git/mirror.ts';
import { git } from '../../src/git/plumbing.ts';
import { entryAt, readBlob, treeOf, writeBlob } from '../../src/git/tree.ts';

const BYTES = new TextEncoder().encode('- [x] Done\n');
const NOBODY = '1'.repeat(40);

let root: string;
let mirror: Mirror;
let empty: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'maestro-known-'));
  mirror = await ensureMirror(root, 1);
  empty = await git(mirror.gitDir, ['mktree'], { input: '' });
});

afterEach(async () => await rm(root, { recursive: true, force: true }));

/** Nothing can be asked of a mirror that is not there. */
async function withoutGit(): Promise<void> {
  await rename(mirror.gitDir, `${mirror.gitDir}.away`);
}

describe('what git said of an object', () => {
  it('that was made here is known without asking: a commit, its tree, a file in it', async () => {
    const commit = await commitWith({ path: 'a/plan.md', mode: '100644', content: BYTES });
    await withoutGit();

    const tree = await treeOf(mirror, commit);
    const entry = await entryAt(mirror, tree, 'a/plan.md');
    expect(entry?.mode).toBe('100644');
    expect(await readBlob(mirror, entry?.oid ?? '')).toEqual(BYTES);
  });

  it('is what git says', async () => {
    const commit = await commitWith({ path: 'a/plan.md', mode: '100755', content: BYTES });
    const tree = await treeOf(mirror, commit);
    expect(await git(mirror.gitDir, ['rev-parse', `${commit}^{tree}`])).toBe(tree);
    const listed = await git(mirror.gitDir, ['ls-tree', '-r', tree]);
    const entry = await entryAt(mirror, tree, 'a/plan.md');
    expect(listed).toBe(`${entry?.mode} blob ${entry?.oid}\ta/plan.md`);
    const gone = await commitWith({ path: 'a/plan.md', mode: '100644', content: undefined }, tree);
    const without = await treeOf(mirror, gone);
    expect(without).toBe(empty);
    expect(await entryAt(mirror, without, 'a/plan.md')).toBeUndefined();
    expect(await entryAt(mirror, tree, 'a/other.md')).toBeUndefined();
  });

  it('is asked once; what failed is asked again', async () => {
    const commit = await aCommit();
    await expect(treeOf(mirror, NOBODY)).rejects.toThrow('git rev-parse failed');
    await expect(readBlob(mirror, NOBODY)).rejects.toThrow('git cat-file failed');
    expect(await treeOf(mirror, commit)).toBe(empty);
    await withoutGit();
    expect(await treeOf(mirror, commit)).toBe(empty);
    await expect(treeOf(mirror, NOBODY)).rejects.toThrow('git rev-parse failed');
  });

  it('does not remember names that may come to mean something else', async () => {
    await git(mirror.gitDir, ['update-ref', 'refs/heads/main', await aCommit()]);
    expect(await treeOf(mirror, 'refs/heads/main')).toBe(empty);
    const tree = await git(mirror.gitDir, ['mktree'], { input: `100644 blob ${await writeBlob(mirror, BYTES)}\ta.md` });
    await git(mirror.gitDir, ['update-ref', 'refs/heads/main', await aCommit(tree)]);
    expect(await treeOf(mirror, 'refs/heads/main')).toBe(tree);
  });

  it('does not take what lies in quarantine for the mirror’s own', async () => {
    const objects = path.join(root, 'quarantine');
    await mkdir(objects);
    const env = {
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: path.join(mirror.gitDir, 'objects'),
    };
    const oid = await writeBlob(mirror, BYTES, env);
    expect(await readBlob(mirror, oid, env)).toEqual(BYTES);
    await expect(readBlob(mirror, oid)).rejects.toThrow('git cat-file failed');
  });

  it('can not be changed by who reads it', async () => {
    const oid = await writeBlob(mirror, BYTES);
    (await readBlob(mirror, oid)).fill(0);
    expect(await readBlob(mirror, oid)).toEqual(BYTES);
  });
});

async function commitWith(file: NonNullable<CommitFacts['file']>, tree = empty): Promise<string> {
  const author = { name: 'A', email: 'a@b' };
  const facts = { tree, file, parent: await aCommit(), author, at: 1_700_000_000_000, message: 'One\n' };
  return await writeCommit(mirror, 'refs/maestro/runs/x', facts);
}

async function aCommit(tree = empty): Promise<string> {
  const who = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };
  return await git(mirror.gitDir, ['commit-tree', tree, '-F', '-'], { env: who, input: 'A commit\n' });
}
