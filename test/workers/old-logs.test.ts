import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Run, RunState } from '../../src/domain/run.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { removeOldLogs } from '../../src/workers/old-logs.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-12-01T12:00:00Z');

describe('session logs that are no longer kept', () => {
  let home: string;
  beforeEach(async () => {
    home = await mkdtemp(path.join(tmpdir(), 'maestro-logs-'));
  });
  afterEach(async () => await rm(home, { recursive: true, force: true }));

  async function written(run: string, name: string, daysAgo: number): Promise<string> {
    const file = path.join(home, 'logs', run, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, '{"at":1,"type":"prompt"}\n');
    const at = (NOW - daysAgo * DAY) / 1000;
    await utimes(file, at, at);
    return file;
  }

  async function remove(runs: Readonly<Record<string, RunState>>): Promise<number> {
    return await removeOldLogs({
      store: {
        findRun: async (id) => (runs[id] === undefined ? undefined : ({ id, state: runs[id] } as unknown as Run)),
      },
      settings: { home, keepMs: 30 * DAY },
      clock: { now: () => NOW, monotonic: () => 0 },
      log: createLog({ level: 'silent' }),
    });
  }

  it('go with the directory of their run; younger ones, and what is no session log, stay', async () => {
    const old = [await written('over', 'over-1-1.jsonl', 31), await written('unknown', 'unknown-1-1.jsonl', 400)];
    const mixed = await written('reopened', 'reopened-1-1.jsonl', 31);
    const kept = [
      await written('reopened', 'reopened-2-1.jsonl', 29),
      await written('over2', 'over2-1-1.jsonl', 29),
      await written('over2', 'notes.txt', 400),
    ];
    expect(await remove({ over: 'succeeded', reopened: 'failed', over2: 'succeeded' })).toBe(3);
    expect([...old, mixed].filter((file) => existsSync(file))).toEqual([]);
    expect(old.map((file) => existsSync(path.dirname(file)))).toEqual([false, false]);
    expect(kept.every((file) => existsSync(file))).toBe(true);
    expect(await remove({})).toBe(0);
  });

  it('stay while their run is not over, however long it waits', async () => {
    const file = await written('asking', 'asking-1-1.jsonl', 400);
    expect(await remove({ asking: 'parked' })).toBe(0);
    expect(existsSync(file)).toBe(true);
  });

  it('are nothing to fail over where there are none yet', async () => {
    expect(await remove({})).toBe(0);
  });
});
