import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { RunId } from '../../../src/domain/ids.ts';
import { entryOf, goOf } from '../../../src/runners/docker/entry.ts';
import { olderThanKnownEscapes } from '../../../src/runners/docker/runc-advisories.ts';
import { tarOf } from '../../../src/runners/docker/tar.ts';
import type { Job } from '../../../src/runners/runner.ts';

const JOB: Job = {
  name: 'job',
  owner: { runId: 'r1' as RunId, epoch: 1 },
  lane: { name: 'lane', mirror: '/srv/mirror' },
  argv: ['agent', '--say', '$(id) "quoted"'],
  env: { A: '1' },
  limits: { idleMs: 1, wallMs: 1, memoryBytes: 1, cpus: 1, pids: 1, outputBytes: 1 },
};

/** What a shell makes of the command in a go, as words: `env`, its options, the environment, the command. */
async function wordsIn(go: Buffer): Promise<readonly string[]> {
  const [head = '', ...rest] = go.toString().split('\n');
  const [files, length] = head.split(' ').map(Number);
  const command = Buffer.from(rest.join('\n')).subarray(files);
  expect(command.length).toBe(length);
  const { stdout } = await execa('sh', ['-c', `printf '%s\\0' ${command.toString()}`]);
  return stdout.split('\0').slice(0, -1);
}

describe('goOf', () => {
  it('brings the command through a shell word for word, with an environment of its own', async () => {
    const hard = ['agent', '--say', '$(id) "quoted" `id`', "it's", '', 'two\nlines', '\\', 'A=b', '-x'];
    const env = { A: '1', HOME: '/elsewhere', PATH: '/mine', QUOTED: "a'b\nc" };
    const [command, alone, end, ...rest] = await wordsIn(goOf({ argv: hard, env }));
    expect([command, alone, end]).toEqual(['env', '-i', '--']);
    expect(rest).toEqual(['PATH=/mine', 'LANG=C.UTF-8', 'A=1', 'HOME=/home/agent', "QUOTED=a'b\nc", ...hard]);
  });

  it('puts the files before it', async () => {
    const go = goOf({ argv: ['true'], env: {}, files: { a: 'x' } });
    expect(go.toString().split(' ', 1)).toEqual([String(4 * 512)]);
  });
});

describe('entryOf', () => {
  it('says whether there is a wire, and nothing of the job', () => {
    expect(entryOf(JOB).at(-1)).toBe('alone');
    expect(entryOf({ ...JOB, socket: '/srv/s.sock' }).at(-1)).toBe('wire');
    expect(entryOf(JOB).join(' ')).not.toContain('agent --say');
  });
});

describe('tarOf', () => {
  it('is what tar understands', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'maestro-tar-'));
    try {
      const files = { 'a/b/c.json': '{"ü":1}', empty: '', long: 'x'.repeat(10_000), ['p'.repeat(100)]: 'path' };
      await execa('tar', ['-x', '-C', directory], { input: tarOf(files, 1000) });
      for (const [path, text] of Object.entries(files)) {
        expect(await readFile(join(directory, path), 'utf8')).toBe(text);
        expect((await stat(join(directory, path))).mode & 0o777).toBe(0o700);
      }
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('olderThanKnownEscapes', () => {
  it.each([
    ['1.1.5+ds1', true],
    ['1.1.15', true],
    ['1.2.7', true],
    ['1.2.8', false],
    ['1.3.2', true],
    ['1.3.3', false],
    ['1.4.0', false],
    ['2.0.0', false],
    ['unknown', false],
  ])('%s: %s', (version, older) => {
    expect(olderThanKnownEscapes(version)).toBe(older);
  });
});
