import { mkdtemp, readdir, rm, writeFile, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gunzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDiskShelf, type DiskShelfOptions } from '../../src/sessions/disk-shelf.ts';
import { maskSecrets } from '../../src/sessions/mask.ts';
import { findKept, type SessionFacts, type Shelf } from '../../src/sessions/shelf.ts';
import { createLog } from '../../src/telemetry/log.ts';

const SECRET = 'sk-a-secret-of-ours-7';
const DAY = 24 * 3_600_000;

const FACTS: SessionFacts = {
  id: 'raaaaaaaaaaaaaaa-1-1',
  repository: { id: 7, name: 'acme/shop' },
  provider: 'codex',
  conversation: 'c-1',
  cwd: '/lane/repo',
  title: 'Tune the violins',
  startedAt: 1_000,
  endedAt: 2_000,
  imported: false,
};

async function put(into: Shelf, facts: Partial<SessionFacts> = {}, text = 'an archive'): Promise<unknown> {
  return await into.put({ ...FACTS, ...facts }, async (sink) => void sink.write(text));
}

describe('the shelf on disk', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(path.join(tmpdir(), 'maestro-shelf-'));
  });
  afterEach(async () => await rm(directory, { recursive: true, force: true }));

  function shelf(options: Partial<DiskShelfOptions> = {}): Shelf {
    return createDiskShelf({
      directory,
      secrets: () => [SECRET],
      mostBytes: 1_000_000,
      budgetBytes: 1_000_000,
      keepMs: 30 * DAY,
      log: createLog({ level: 'silent' }),
      ...options,
    });
  }

  it('gives back what was put, with secrets masked in place', async () => {
    const it = shelf();
    const kept = await put(it, {}, `before ${SECRET} after`);
    expect(kept).toMatchObject({ ...FACTS, bytes: expect.any(Number) });
    const read = await it.read({ id: FACTS.id, repository: FACTS.repository });
    expect(gunzipSync(read!).toString()).toBe(`before ${'*'.repeat(SECRET.length)} after`);
    expect(await it.list(7)).toEqual([kept]);
    expect(await it.list(8)).toEqual([]);
    expect(await it.list()).toEqual([kept]);
  });

  it('finds the newest of a conversation, by its id or by ours', async () => {
    const it = shelf();
    await put(it);
    await put(it, { id: 'rbbb-1-1', endedAt: 3_000 });
    const all = await it.list(7);
    expect(findKept(all, 'c-1')?.id).toBe('rbbb-1-1');
    expect(findKept(all, FACTS.id)?.id).toBe(FACTS.id);
    expect(findKept(all, 'c')).toBeUndefined();
  });

  it.each([
    ['nothing', {}, '', ['7']],
    ['too much', { mostBytes: 5 }, 'an archive', ['7']],
    ['anything when it may take no disk', { budgetBytes: 0 }, 'an archive', []],
  ] as const)('does not keep %s', async (_, options, text, left) => {
    const it = shelf(options);
    expect(await put(it, {}, text)).toBeUndefined();
    expect(await readdir(directory, { recursive: true })).toEqual(left);
    expect(await put(shelf(), {}, 'an archive')).toBeDefined();
  });

  it('leaves nothing of what broke off half way', async () => {
    const it = shelf();
    const broken = it.put(FACTS, async (sink) => {
      sink.write('half');
      throw new Error('gone');
    });
    await expect(broken).rejects.toThrow('gone');
    expect(await readdir(path.join(directory, '7'))).toEqual([]);
  });

  it('lets go of what is old, then of the oldest until the rest fits', async () => {
    const now = 100 * DAY;
    const it = shelf({ budgetBytes: 70 });
    for (const [id, endedAt] of [
      ['old', 69 * DAY],
      ['first', 90 * DAY],
      ['second', 91 * DAY],
      ['third', 92 * DAY],
    ] as const)
      await put(it, { id, endedAt });
    expect(await it.tidy(now)).toBe(2);
    expect((await it.list()).map(({ id }) => id)).toEqual(['third', 'second']);
    expect(await readdir(path.join(directory, '7'))).toHaveLength(4);
    // It looks again only after a while.
    await put(it, { id: 'older', endedAt: 1 });
    expect(await it.tidy(now + 1)).toBe(0);
    expect(await it.tidy(now + DAY)).toBe(1);
  });

  it('shows nothing that is damaged, and refuses names that lead elsewhere', async () => {
    await mkdir(path.join(directory, '7'));
    for (const [name, text] of [
      ['a.json', '{'],
      ['b.json', '{}'],
      ['c.json', JSON.stringify({ version: 1, ...FACTS, bytes: 1 })],
    ] as const)
      await writeFile(path.join(directory, '7', name), text);
    expect(await shelf().list()).toEqual([]);
    await expect(put(shelf(), { id: '../x' })).rejects.toThrow('id');
  });
});

describe('masking', () => {
  it('finds a secret wherever the chunks are cut, and changes nothing else', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(SECRET, 'sk-a', 'x', SECRET.slice(0, -1))),
        fc.nat(30),
        async (parts, size) => {
          const text = parts.join('');
          const stream = maskSecrets([SECRET, 'short', `line one\n${'m'.repeat(9)}`]);
          for (let at = 0; at < text.length; at += size + 1) stream.write(text.slice(at, at + size + 1));
          stream.end();
          const out = Buffer.concat((await stream.toArray()) as Buffer[]).toString();
          expect(out).toBe(text.replaceAll(SECRET, '*'.repeat(SECRET.length)));
        },
      ),
      { numRuns: 200 },
    );
  });
});
