import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { compact } from '../../src/git/compact.ts';
import { gitEnvironment } from '../../src/git/environment.ts';
import { ensureMirror, type Mirror } from '../../src/git/mirror.ts';
import { git } from '../../src/git/plumbing.ts';
import { createLog, type Log } from '../../src/telemetry/log.ts';

/** A log, and what it was told. */
function listening(): { readonly log: Log; readonly said: string[] } {
  const said: string[] = [];
  const write = (line: string): void => void said.push((JSON.parse(line) as { readonly msg: string }).msg);
  return { log: createLog({ level: 'info', destination: { write } }), said };
}

describe('a mirror with many packs', () => {
  let root: string;
  let mirror: Mirror;
  beforeEach(async () => {
    root = await mkdtemp(path.join(tmpdir(), 'maestro-compact-'));
    mirror = await ensureMirror(root, 7);
  });
  afterEach(async () => {
    await rm(root, { recursive: true });
  });

  /** A pack with one blob that no ref leads to, as a task's work is before it is believed. Gives the blob's id. */
  async function packOne(text: string): Promise<string> {
    const input = `blob\ndata ${Buffer.byteLength(text)}\n${text}\n`;
    await git(mirror.gitDir, ['-c', 'fastimport.unpackLimit=0', 'fast-import', '--quiet'], { input });
    return createHash('sha1')
      .update(`blob ${Buffer.byteLength(text)}\0${text}`)
      .digest('hex');
  }

  async function packs(): Promise<number> {
    return (await readdir(path.join(mirror.gitDir, 'objects/pack'))).filter((file) => file.endsWith('.pack')).length;
  }

  it('has few afterwards, and every object it had, also for a git that had it open before', async () => {
    const { log, said } = listening();
    const packed: string[] = [];
    for (let at = 0; at < 51; at += 1) packed.push(await packOne(`work ${at}`));
    const loose = await git(mirror.gitDir, ['hash-object', '-w', '--stdin'], { input: 'loose' });
    const reader = spawn('git', [`--git-dir=${mirror.gitDir}`, 'cat-file', '--batch-check'], { env: gitEnvironment() });
    let answered = '';
    reader.stdout.on('data', (chunk: Buffer) => (answered += chunk.toString()));
    reader.stdin.write(`${packed[0] ?? ''}\n`);
    await once(reader.stdout, 'data');

    await compact(mirror, log);

    expect(said).toEqual(['compacted a mirror']);
    expect(await packs()).toBe(1);
    const objects = await git(mirror.gitDir, ['cat-file', '--batch-all-objects', '--batch-check=%(objectname)']);
    expect(objects.split('\n').toSorted()).toEqual([...packed, loose].toSorted());
    reader.stdin.end([...packed, loose].join('\n'));
    await once(reader, 'close');
    expect(answered).not.toContain('missing');
    expect(answered.trim().split('\n')).toHaveLength(53);
  });

  it('keeps them while they are few', async () => {
    const { log, said } = listening();
    for (let at = 0; at < 3; at += 1) await packOne(`work ${at}`);
    await compact(mirror, log);
    expect(await packs()).toBe(3);
    expect(said).toEqual([]);
  });

  it('is left alone for a while when it can not be compacted', async () => {
    const { log, said } = listening();
    for (let at = 0; at < 51; at += 1) await packOne(`work ${at}`);
    const [first = ''] = (await readdir(path.join(mirror.gitDir, 'objects/pack'))).filter((file) =>
      file.endsWith('.pack'),
    );
    await rm(path.join(mirror.gitDir, 'objects/pack', first));
    await writeFile(path.join(mirror.gitDir, 'objects/pack', first), 'no pack');
    await compact(mirror, log);
    await compact(mirror, log);
    expect(said).toEqual(['a mirror could not be compacted']);
    expect(await packs()).toBe(51);
  });
});
