import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { createBare } from '../../local-github/git/bare.ts';
import { objectType, resolve } from '../../local-github/git/objects.ts';
import { readRef, readRefs, writeRef } from '../../local-github/git/ref-files.ts';

it('reads refs as git does: loose, packed, both, moved, deleted, and such that point to another', async () => {
  const directory = await mkdtemp(path.join(tmpdir(), 'maestro-refs-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const git = (...argv: readonly string[]): string =>
    execFileSync('git', ['-C', directory, ...argv], { encoding: 'utf8', input: '' }).trim();
  await createBare(directory, 'main');
  expect(await readRefs(directory)).toEqual(new Map());
  const tree = git('mktree');
  const [one, two] = ['one', 'two'].map((message) => git('commit-tree', tree, '-m', message));
  if (one === undefined || two === undefined) throw new Error('git made no commits');
  for (const branch of ['main', 'maestro/deep/er', 'gone']) git('update-ref', `refs/heads/${branch}`, one);
  git('tag', '-a', '-m', 'a tag', 'v1', one);
  git('pack-refs', '--all');
  git('update-ref', 'refs/heads/main', two);
  git('update-ref', '-d', 'refs/heads/gone');
  git('update-ref', 'refs/heads/new', two);
  git('symbolic-ref', 'refs/heads/alias', 'refs/heads/main');
  await writeRef(directory, 'refs/pull/1/head', one);
  await writeRef(directory, 'refs/pull/1/head', two);
  expect(git('rev-parse', 'refs/pull/1/head')).toBe(two);

  const known = git('for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads', 'refs/tags').split('\n');
  expect([...(await readRefs(directory))].map((pair) => pair.join(' '))).toEqual(known);
  expect(await readRef(directory, 'refs/heads/gone')).toBeUndefined();
  expect(await readRef(directory, 'refs/heads/maestro/deep')).toBeUndefined();

  for (const name of ['refs/heads/main', 'refs/heads/main^{commit}', 'refs/tags/v1^{commit}', `${two}^{commit}`]) {
    expect(await resolve(directory, name)).toBe(git('rev-parse', name));
  }
  for (const name of [
    'refs/heads/../../config',
    'refs/heads/none^{commit}',
    `${tree}^{commit}`,
    `${'1'.repeat(40)}^{commit}`,
  ]) {
    expect(await resolve(directory, name)).toBeUndefined();
  }
  expect(await objectType(directory, git('rev-parse', 'refs/tags/v1'))).toBe('tag');
});
