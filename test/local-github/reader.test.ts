import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createBare } from '../../local-github/git/bare.ts';
import { listTree, readBlob, resolve } from '../../local-github/git/objects.ts';
import { readObject } from '../../local-github/git/reader.ts';

async function bare(): Promise<{ directory: string; git: (...argv: readonly string[]) => string }> {
  const directory = await mkdtemp(path.join(tmpdir(), 'maestro-reader-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await createBare(directory, 'main');
  const git = (...argv: readonly string[]): string => execFileSync('git', ['-C', directory, ...argv], GIT).trim();
  return { directory, git };
}

const GIT = { encoding: 'utf8', input: '' } as const;

it('lists trees and finds what is in them as git does, links to other repositories too', async () => {
  const { directory, git } = await bare();
  const blob = (input: string | Buffer): string =>
    execFileSync('git', ['-C', directory, 'hash-object', '-w', '--stdin'], { encoding: 'utf8', input }).trim();
  const tree = (input: string): string =>
    execFileSync('git', ['-C', directory, 'mktree', '-z', '--missing'], { encoding: 'utf8', input }).trim();
  const binary = Buffer.from([0, 10, 255, 10, 13, 0]);
  const bytes = blob(binary);
  const inner = tree(`100644 blob ${blob('')}\tleer ü\0`);
  const link = '7'.repeat(40);
  const root = tree(
    `100755 blob ${bytes}\ta b\0` +
      `120000 blob ${blob('a b')}\tl\nink\0` +
      `160000 commit ${link}\tother\0` +
      `040000 tree ${inner}\tsub\0`,
  );
  const commit = git('commit-tree', root, '-m', 'x');

  for (const flags of [[], ['-r', '-t']] as const) {
    const listed = await listTree(directory, commit, flags.length > 0);
    const known = git('ls-tree', '-z', '-l', ...flags, commit)
      .split('\0')
      .filter(Boolean);
    expect(
      listed.map(
        ({ mode, type, sha, size, path: at }) => `${mode} ${type} ${sha} ${String(size ?? '-').padStart(7)}\t${at}`,
      ),
    ).toEqual(known);
  }
  expect(await listTree(directory, `${commit}:sub`, false)).toHaveLength(1);
  await expect(listTree(directory, bytes, false)).rejects.toThrow('is no tree');
  for (const at of ['a b', 'sub', 'sub/leer ü', 'other'])
    expect(await resolve(directory, `${commit}:${at}`)).toBe(git('rev-parse', `${commit}:${at}`));
  for (const at of ['none', 'sub/none', 'a b/none', 'none/none'])
    expect(await resolve(directory, `${commit}:${at}`)).toBeUndefined();
  expect(await readBlob(directory, bytes)).toEqual(binary);
  expect(await readBlob(directory, root)).toBeUndefined();
  expect(await readBlob(directory, link)).toBeUndefined();
});

it('answers many questions at once, each with its own, and sees objects that came since', async () => {
  const { directory, git } = await bare();
  const blobs = Array.from({ length: 60 }, (_, at) => {
    const input = `${'x\n'.repeat(at * 700)}${at}`;
    return {
      input,
      sha: execFileSync('git', ['-C', directory, 'hash-object', '-w', '--stdin'], { ...GIT, input }).trim(),
    };
  });
  const read = await Promise.all(
    blobs.map(async ({ sha }, at) => await readObject(directory, sha, { withContent: at % 3 > 0 })),
  );
  for (const [at, { input, sha }] of blobs.entries()) {
    expect(read[at]).toMatchObject({ sha, type: 'blob', size: input.length });
    expect(read[at]?.content.toString()).toBe(at % 3 > 0 ? input : '');
  }
  expect(await readObject(directory, '1'.repeat(40), { withContent: true })).toBeUndefined();
  expect(await readObject(directory, `${blobs[0]?.sha}\ninfo HEAD`, { withContent: true })).toBeUndefined();
  const later = git('mktree');
  expect(await readObject(directory, later, { withContent: false })).toMatchObject({ type: 'tree', size: 0 });
});

it('goes on when there are more repositories than it keeps at hand', async () => {
  const many = await Promise.all(Array.from({ length: 20 }, async () => await bare()));
  const trees = many.map(({ git }) => git('mktree'));
  for (let round = 0; round < 2; round += 1) {
    const read = many.map(
      async ({ directory }, at) => await readObject(directory, trees[at] ?? '', { withContent: false }),
    );
    expect((await Promise.all(read)).map((object) => object?.type)).toEqual(many.map(() => 'tree'));
  }
});
