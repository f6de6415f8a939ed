import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/domain/clock.ts';
import { emptyTrash, removeTree } from '../../../src/runners/local/directories.ts';
import { MARK, endProcesses, livingProcesses } from '../../../src/runners/local/processes.ts';

describe('endProcesses', () => {
  it('ends all that carry the mark, wherever they are, and nobody else', async () => {
    const mark = `test.${process.pid}`;
    const marked = execa('sh', ['-c', 'setsid sleep 300 & setsid sh -c "trap : TERM; echo up; sleep 300; sleep 300"'], {
      env: { [MARK]: mark },
      reject: false,
    });
    const stranger = execa('sleep', ['300'], { env: { [MARK]: `${mark}0` }, reject: false });
    try {
      await once(marked.stdout, 'data');
      expect(livingProcesses({ mark, group: undefined }).length).toBeGreaterThan(2);
      await endProcesses({ mark, group: undefined }, 300, systemClock);
      expect(livingProcesses({ mark, group: undefined })).toEqual([]);
      expect(livingProcesses({ mark: `${mark}0`, group: undefined })).toEqual([stranger.pid]);
    } finally {
      stranger.kill('SIGKILL');
      await Promise.all([marked, stranger]);
    }
  });

  it('ends a process group whose processes hid the mark', async () => {
    const hidden = execa('env', ['-i', '/bin/sh', '-c', 'echo up; sleep 300'], { detached: true, reject: false });
    await once(hidden.stdout, 'data');
    await endProcesses({ mark: 'nobody', group: hidden.pid }, 300, systemClock);
    expect((await hidden).signal).toBe('SIGTERM');
  });
});

describe('removeTree', () => {
  it('removes what was made read-only, and follows no link out', async () => {
    const root = await mkdtemp(join(tmpdir(), 'maestro-tree-'));
    try {
      await mkdir(join(root, 'tree/deep/deeper'), { recursive: true });
      await mkdir(join(root, 'outside'));
      await writeFile(join(root, 'outside/kept'), '');
      await symlink(join(root, 'outside'), join(root, 'tree/deep/link'));
      await writeFile(join(root, 'tree/deep/deeper/file'), '');
      await chmod(join(root, 'tree/deep/deeper'), 0o500);
      await chmod(join(root, 'tree/deep'), 0o000);
      await removeTree(join(root, 'tree'), join(root, 'trash'));
      await removeTree(join(root, 'tree'), join(root, 'trash'));
      expect(await readdir(root)).toEqual(['outside', 'trash']);
      expect(await readdir(join(root, 'trash'))).toEqual([]);
      expect(await readdir(join(root, 'outside'))).toEqual(['kept']);
    } finally {
      await rm(root, { recursive: true });
    }
  });

  it('is not disturbed by another that empties the trash meanwhile', async () => {
    const root = await mkdtemp(join(tmpdir(), 'maestro-tree-'));
    try {
      const trash = join(root, 'trash');
      for (let round = 0; round < 600; round += 1) {
        await mkdir(join(root, 'tree'));
        const emptying = async (): Promise<void> => {
          for (let time = 0; time < 4; time += 1) await emptyTrash(trash);
        };
        await Promise.all([removeTree(join(root, 'tree'), trash), emptying(), emptying(), emptying()]);
      }
      expect(await readdir(join(root, 'trash'))).toEqual([]);
    } finally {
      await rm(root, { recursive: true });
    }
  });
});
