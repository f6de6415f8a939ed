import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writeCommit, type CommitFacts } from '../../src/git/commit.ts';
import { ensureMirror, type Mirror } from '../../src/git/mirror.ts';
import { git } from '../../src/git/plumbing.ts';
import { entryAt, readBlob, treeOf, withEntries, writeBlob } from '../../src/git/tree.ts';

const REF = 'refs/maestro/runs/r1';
const AUTHOR = { name: 'maestro[bot]', email: '7+maestro[bot]@users.noreply.github.com' };

let root: string;
let mirror: Mirror;
let facts: CommitFacts;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'maestro-commit-'));
  mirror = await ensureMirror(root, 1);
  const files = ['a.txt', 'dir/b.txt', 'dir/deep/c.txt', 'plans/plan.md'];
  const oid = await writeBlob(mirror, Buffer.from('before\n'));
  const tree = await withEntries(
    mirror,
    await git(mirror.gitDir, ['mktree'], { input: '' }),
    files.map((file) => ({ path: file, entry: { mode: '100644', oid } })),
  );
  const parent = await byHand({ tree, author: AUTHOR, at: 0, message: 'The first\n' });
  facts = { tree, parent, author: AUTHOR, at: 1_700_000_000_999, message: 'Do it: ü\n\nAnd "more".\n' };
});

afterEach(async () => await rm(root, { recursive: true, force: true }));

/** The same commit as git's own plumbing makes it. */
async function byHand(of: Omit<CommitFacts, 'parent' | 'file'> & { readonly parent?: string }): Promise<string> {
  const who = { NAME: of.author.name, EMAIL: of.author.email, DATE: `@${Math.floor(of.at / 1000)} +0000` };
  const env = Object.fromEntries(
    Object.entries(who).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
  const parent = of.parent === undefined ? [] : ['-p', of.parent];
  return await git(mirror.gitDir, ['commit-tree', of.tree, ...parent, '-F', '-'], { env, input: of.message });
}

async function whereRefIs(): Promise<string> {
  return await git(mirror.gitDir, ['rev-parse', REF]);
}

describe('a commit of ours', () => {
  it('is to the byte what the plumbing of git would make of the same facts', async () => {
    expect(await writeCommit(mirror, REF, facts)).toBe(await byHand(facts));
    const content = Buffer.from('- [x] done\r\n');
    const oid = await writeBlob(mirror, content);
    for (const [at, mode] of [
      ['plans/plan.md', '100644'],
      ['new/at/plan.md', '100755'],
      ['dir', '100644'],
    ] as const) {
      const change = { path: at, entry: { mode, oid } };
      const tree = await withEntries(mirror, facts.tree, [change]);
      const commit = await writeCommit(mirror, REF, { ...facts, file: { path: at, mode, content } });
      expect(commit).toBe(await byHand({ ...facts, tree }));
    }
    const without = await withEntries(mirror, facts.tree, [{ path: 'plans/plan.md', entry: undefined }]);
    const file = { path: 'plans/plan.md', mode: '100644', content: undefined };
    expect(await writeCommit(mirror, REF, { ...facts, file })).toBe(await byHand({ ...facts, tree: without }));
    await git(mirror.gitDir, ['fsck', '--strict', '--no-dangling']);
  });

  it.each(['ü.md', ' two words ', '"quoted".md', 'back\\slash.md', 'a\nline.md', 'a\ttab.md', '-n', ':1', 'a.*'])(
    'carries a file whose path is %j',
    async (at) => {
      const content = Buffer.from('data 3\nxyz\ndone\n\0');
      const commit = await writeCommit(mirror, REF, { ...facts, file: { path: at, mode: '100644', content } });
      const listed = await git(mirror.gitDir, ['ls-tree', '-r', '-z', '--name-only', commit]);
      expect(listed.split('\0')).toContain(at);
      const entry = await entryAt(mirror, await treeOf(mirror, commit), at);
      expect(await git(mirror.gitDir, ['hash-object', '--stdin'], { input: content })).toBe(entry?.oid);
      expect(Buffer.from(await readBlob(mirror, entry?.oid ?? ''))).toEqual(content);
    },
  );

  it('is an empty file, and an empty tree, when that is what is left', async () => {
    const empty = { path: 'a.txt', mode: '100644', content: new Uint8Array() };
    const commit = await writeCommit(mirror, REF, { ...facts, file: empty });
    expect(await git(mirror.gitDir, ['cat-file', '-s', `${commit}:a.txt`])).toBe('0');
    const tree = await withEntries(mirror, await git(mirror.gitDir, ['mktree'], { input: '' }), [
      { path: 'a.txt', entry: { mode: '100644', oid: await writeBlob(mirror, Buffer.from('x')) } },
    ]);
    const none = await writeCommit(mirror, REF, { ...facts, tree, file: { ...empty, content: undefined } });
    expect(await git(mirror.gitDir, ['ls-tree', none])).toBe('');
  });

  it('is where the ref points then, wherever it was', async () => {
    const one = await writeCommit(mirror, REF, facts);
    expect(await whereRefIs()).toBe(one);
    const other = await writeCommit(mirror, REF, { ...facts, message: 'Something else\n' });
    expect(await whereRefIs()).toBe(other);
    expect(await writeCommit(mirror, REF, facts)).toBe(one);
    expect(await whereRefIs()).toBe(one);
    expect((await readdir(path.join(mirror.gitDir, 'objects/pack'))).filter((name) => /tmp/.test(name))).toEqual([]);
  });

  it('can not be made to say more than it is given', async () => {
    const author = { name: 'A <b@c> 1 +0000\nfrom x', email: 'a@b>\ncommitter x' };
    const message = 'data 3\nfrom refs/heads/main\nM 100644 inline x\0y\n';
    const commit = await writeCommit(mirror, REF, { ...facts, author, message });
    const raw = await git(mirror.gitDir, ['cat-file', 'commit', commit]);
    expect(raw).toBe(
      `tree ${facts.tree}\nparent ${facts.parent}\n` +
        ['author', 'committer']
          .map((role) => `${role} A b@c 1 +0000from x <a@bcommitter x> 1700000000 +0000\n`)
          .join('') +
        `\n${message.replace('\0', '').trimEnd()}`,
    );
  });

  it('of a tree or a parent that is not there is refused, and the ref stays', async () => {
    const one = await writeCommit(mirror, REF, facts);
    await expect(writeCommit(mirror, REF, { ...facts, tree: '1'.repeat(40) })).rejects.toThrow(
      'git fast-import failed',
    );
    await expect(writeCommit(mirror, REF, { ...facts, parent: '1'.repeat(40) })).rejects.toThrow(
      'git fast-import failed',
    );
    expect(await whereRefIs()).toBe(one);
  });
});
