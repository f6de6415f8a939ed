import { mkdir, mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { writeCommit } from '../../src/git/commit.ts';
import { removeLeftovers } from '../../src/git/leftovers.ts';
import { ensureMirror } from '../../src/git/mirror.ts';
import { git } from '../../src/git/plumbing.ts';

/** Above what Linux gives to any process. */
const NOBODY = 2 ** 22 + 1;

it('removes what killed processes left in a mirror, and nothing that is in use', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'maestro-leftovers-'));
  try {
    const gitDir = path.join(root, '7.git');
    for (const name of ['r1-1-1', 'r1-2-1', 'r2-1-1'])
      await mkdir(path.join(gitDir, 'quarantine', name, 'pack'), { recursive: true });
    for (const pid of [NOBODY, process.pid]) {
      await writeFile(path.join(gitDir, `index-${pid}-x`), '');
      await writeFile(path.join(gitDir, `fast_import_crash_${pid}`), '');
      await mkdir(path.join(root, `.7.${pid}.1`));
      await mkdir(path.join(root, `.8.${pid}.1`));
    }
    await removeLeftovers({ gitDir }, 'r1');
    expect(await readdir(path.join(gitDir, 'quarantine'))).toEqual(['r2-1-1']);
    expect((await readdir(gitDir)).toSorted()).toEqual(
      [`fast_import_crash_${process.pid}`, `index-${process.pid}-x`, 'quarantine'].toSorted(),
    );
    expect((await readdir(root)).toSorted()).toEqual(
      [`.7.${process.pid}.1`, `.8.${NOBODY}.1`, `.8.${process.pid}.1`, '7.git'].toSorted(),
    );
  } finally {
    await rm(root, { recursive: true });
  }
});

it('removes what git left in the middle of a commit when its machine went down, once nobody can be at it any more', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'maestro-leftovers-'));
  try {
    const mirror = await ensureMirror(root, 7);
    const tree = await git(mirror.gitDir, ['mktree'], { input: '' });
    const who = { GIT_AUTHOR_NAME: 'A', GIT_AUTHOR_EMAIL: 'a@b', GIT_COMMITTER_NAME: 'A', GIT_COMMITTER_EMAIL: 'a@b' };
    const parent = await git(mirror.gitDir, ['commit-tree', tree, '-m', 'x'], { env: who });
    const facts = { tree, parent, author: { name: 'A', email: 'a@b' }, at: 0, message: 'One\n' };
    const ofTheRun = [
      'refs/maestro/runs/r1.lock',
      'refs/maestro/kept/r1-1-1.lock',
      'objects/pack/tmp_pack_abc',
      'objects/pack/tmp_idx_abc',
    ];
    const ofOthers = ['refs/maestro/runs/r2.lock', 'refs/maestro/kept/r2-1-1.lock'];
    await mkdir(path.join(mirror.gitDir, 'refs/maestro/runs'), { recursive: true });
    await mkdir(path.join(mirror.gitDir, 'refs/maestro/kept'), { recursive: true });
    for (const file of [...ofTheRun, ...ofOthers]) await writeFile(path.join(mirror.gitDir, file), '');

    await removeLeftovers(mirror, 'r1');
    await expect(writeCommit(mirror, 'refs/maestro/runs/r1', facts)).rejects.toThrow('a git process');

    const old = new Date(Date.now() - 11 * 60_000);
    for (const file of [...ofTheRun, ...ofOthers]) await utimes(path.join(mirror.gitDir, file), old, old);
    await removeLeftovers(mirror, 'r1');
    const commit = await writeCommit(mirror, 'refs/maestro/runs/r1', facts);
    expect(await git(mirror.gitDir, ['rev-parse', 'refs/maestro/runs/r1'])).toBe(commit);
    await writeCommit(mirror, 'refs/maestro/kept/r1-1-1', facts);
    const left = await readdir(mirror.gitDir, { recursive: true });
    expect(left.filter((file) => file.endsWith('.lock')).toSorted()).toEqual(ofOthers.toSorted());
    expect(left.filter((file) => path.basename(file).startsWith('tmp_'))).toEqual([]);
  } finally {
    await rm(root, { recursive: true });
  }
});
