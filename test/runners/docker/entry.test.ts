import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import type { RunId } from '../../../src/domain/ids.ts';
import { entryOf, environmentOf } from '../../../src/runners/docker/entry.ts';
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

describe('entryOf', () => {
  it('passes the command on as words, never as text of a script', () => {
    const entry = entryOf(JOB);
    expect(entry.command).toEqual(['0', 'alone', 'agent', '--say', '$(id) "quoted"']);
    expect(entry.entrypoint.join(' ')).not.toContain('agent --say');
  });

  it('announces the files and the wire', () => {
    const entry = entryOf({ ...JOB, files: { a: 'x' }, socket: '/srv/s.sock' });
    expect(entry.command.slice(0, 2)).toEqual([String(entry.preamble.length), 'wire']);
    expect(entry.preamble.length).toBe(4 * 512);
  });
});

describe('environmentOf', () => {
  it('keeps HOME ours and takes away what image and engine would add', () => {
    const job = { ...JOB, env: { A: '1', HOME: '/elsewhere', NODE_VERSION: 'mine' } };
    const lines = environmentOf(job, ['PATH=/image', 'NODE_VERSION=24', 'YARN_VERSION=1', 'LANG=C']);
    expect([...lines].sort()).toEqual([
      'A=1',
      'HOME=/home/agent',
      'HOSTNAME',
      'LANG=C.UTF-8',
      'NODE_VERSION=mine',
      'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      'YARN_VERSION',
    ]);
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
