import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ensureMirror, type Mirror } from '../../src/git/mirror.ts';
import { git } from '../../src/git/plumbing.ts';
import { assertConnected, writeBlob } from '../../src/git/tree.ts';

let root: string;
let mirror: Mirror;
let base: string;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'maestro-tree-'));
  mirror = await ensureMirror(root, 1);
  const env = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };
  const tree = await treeOf({ 'old.bin': await blob(20) });
  base = await git(mirror.gitDir, ['commit-tree', tree, '-m', 'x'], { env });
});

afterEach(async () => await rm(root, { recursive: true, force: true }));

async function blob(bytes: number): Promise<string> {
  return await writeBlob(mirror, Buffer.alloc(bytes, 'x'));
}

async function treeOf(files: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries(files).map(([name, oid]) => `100644 blob ${oid}\t${name}\n`);
  return await git(mirror.gitDir, ['mktree', '--missing'], { input: lines.join('') });
}

describe('what an agent left', () => {
  it('is looked through for blobs that are larger than may be, and for no others', async () => {
    const [small, just, large] = await Promise.all([blob(1), blob(10), blob(11)]);
    const tree = await treeOf({ 'old.bin': await blob(20), small, just, large });
    expect(await assertConnected(mirror, { tree, base, bytes: 10 }, {})).toEqual(new Set([large, await blob(20)]));
    expect(await assertConnected(mirror, { tree, base, bytes: 20 }, {})).toEqual(new Set());
  });

  it.each([0, 1_000_000])('is refused when not all of it is there, whatever its size (limit %i)', async (bytes) => {
    const tree = await treeOf({ a: await blob(1), gone: '1'.repeat(40) });
    await expect(assertConnected(mirror, { tree, base, bytes }, {})).rejects.toThrow('git rev-list failed');
    await expect(assertConnected(mirror, { tree: '2'.repeat(40), base, bytes }, {})).rejects.toThrow(
      'git rev-list failed',
    );
  });
});
