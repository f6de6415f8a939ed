import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { removeLeftovers } from '../../src/git/leftovers.ts';

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
      await mkdir(path.join(root, `.7.${pid}.1`));
      await mkdir(path.join(root, `.8.${pid}.1`));
    }
    await removeLeftovers({ gitDir }, 'r1');
    expect(await readdir(path.join(gitDir, 'quarantine'))).toEqual(['r2-1-1']);
    expect((await readdir(gitDir)).toSorted()).toEqual([`index-${process.pid}-x`, 'quarantine']);
    expect((await readdir(root)).toSorted()).toEqual(
      [`.7.${process.pid}.1`, `.8.${NOBODY}.1`, `.8.${process.pid}.1`, '7.git'].toSorted(),
    );
  } finally {
    await rm(root, { recursive: true });
  }
});
