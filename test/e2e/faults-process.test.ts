import { execFileSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { findProgram, freePort } from '../setup/background.ts';
import { createDatabase } from '../setup/database.ts';
import { startRedis } from '../setup/redis.ts';
import { describeWith } from '../setup/require.ts';
import { isHealthy, openGrounds, openStage, startProduct, type Stage } from './program.ts';

const WORK =
  '- [ ] One `scripted: write 1.txt 1` `scripted: say now` `scripted: sleep 3s`\n- [ ] Two `scripted: write 2.txt 2`\n';
const TROUBLE = path.join(import.meta.dirname, '..', 'fixtures', 'trouble.mjs');

async function atWork(stage: Stage): Promise<void> {
  await stage.place.label(await stage.place.issue('Two things', WORK));
  await stage.place.until('an agent at work', async () => await stage.agentSaid('"now"'));
}

async function expectDone(stage: Stage): Promise<void> {
  const run = await stage.place.settledRun();
  expect(run).toMatchObject({ state: 'succeeded' });
  expect(run.tasks.map(({ outcome }) => outcome?.kind)).toStrictEqual(['committed', 'committed']);
  expect(await stage.place.pulls()).toHaveLength(1);
}

describe('does not start, and says in a line what to do,', () => {
  it.each<[string, (home: string) => Record<string, string>, RegExp]>([
    [
      'when Postgres does not answer',
      () => ({ DATABASE_URL: 'postgres://maestro:hunter2@127.0.0.1:1/maestro' }),
      /^Maestro did not start: cannot use Postgres at 127\.0\.0\.1:1\/maestro: .*Check that it runs and that DATABASE_URL is right\.$/m,
    ],
    [
      'when the embedded database is spoilt',
      (home) => {
        const database = path.join(home, 'database', 'database');
        mkdirSync(path.join(database, 'global'), { recursive: true });
        writeFileSync(path.join(database, 'PG_VERSION'), '17\n');
        writeFileSync(path.join(database, 'global', 'pg_control'), 'spoilt');
        return {};
      },
      /^Maestro did not start: the embedded database in .* does not open: .*Put a copy of the directory back/m,
    ],
  ])('%s', async (_what, prepare, expected) => {
    await using grounds = await openGrounds();
    const product = startProduct({ env: { ...grounds.env, ...prepare(grounds.home) } });
    expect(await product.ended).toBe(1);
    expect(product.said()).toMatch(expected);
    expect(product.said()).not.toMatch(/^ {4}at /m);
    expect(product.said()).not.toContain('hunter2');
  });
});

describeWith(['postgres', 'redis'], 'with a Redis that may throw runs away', () => {
  it('does not start, and says which setting to change', async () => {
    await using redis = await startRedis({ 'maxmemory-policy': 'allkeys-lru' });
    await using grounds = await openGrounds({ REDIS_URL: redis.url });
    const product = startProduct({ env: grounds.env });
    expect(await product.ended).toBe(1);
    expect(product.said()).toMatch(/^Maestro did not start: Redis at .*CONFIG SET maxmemory-policy noeviction/m);
  });
});

describeWith('postgres', 'an older Maestro on the database of a newer one', () => {
  it.each([
    ['the whole product', undefined],
    ['a worker alone', ['src/workers/main.ts']],
  ] as const)('(%s) does not start, says what to do, and changes nothing', async (_, script) => {
    await using database = await createDatabase();
    await using grounds = await openGrounds({ DATABASE_URL: database.url });
    const log = createLog({ level: 'silent' });
    const newer = await openStore({ databaseUrl: database.url, directory: grounds.home, log });
    await newer.store.setMark('of/the-newer', { value: 1, at: 1 });
    await newer.database.query("INSERT INTO maestro.migrations (version, name) VALUES (1000, 'from the future')");
    const product = startProduct({ env: grounds.env, ...(script === undefined ? {} : { script }) });
    expect(await product.ended).toBe(1);
    expect(product.said()).toMatch(
      /^Maestro did not start: .*schema version 1000, written by a newer Maestro; this one knows versions up to \d+\. Update Maestro/m,
    );
    expect(product.said()).not.toMatch(/^ {4}at /m);
    const { rows } = await newer.database.query<{ version: number }>(
      'SELECT version FROM maestro.migrations ORDER BY version DESC LIMIT 1',
    );
    expect(rows).toEqual([{ version: 1000 }]);
    expect(await newer.store.findMarks(['of/the-newer'])).toHaveProperty('size', 1);
    await newer.store.close();
  });
});

describeWith('postgres', 'a process', () => {
  it('that fails where nobody catches it ends with a word, one told to stop ends in time, and the next goes on', async () => {
    const stage = await openStage({ NODE_OPTIONS: `--import ${TROUBLE}`, TROUBLE: 'reject' });
    const first = await stage.start();
    await atWork(stage);
    process.kill(first.pid, 'SIGUSR2');
    expect(await first.ended).toBe(70);
    expect(first.said()).toMatch(/^Maestro broke and ends now, to be started again: Error: a failure nobody caught$/m);

    const second = await stage.start();
    await stage.place.until(
      'the run taken up again',
      async () => second.said().includes('"msg":"run resumed"') || (await workers(stage)) > 0,
    );
    const stopped = Date.now();
    second.child.kill('SIGTERM');
    expect(await second.ended).toBe(0);
    expect(Date.now() - stopped).toBeLessThan(30_000);

    await stage.start();
    await expectDone(stage);
  });

  it('that stands still longer than its lease does nothing twice when it wakes', async () => {
    const stage = await openStage({ NODE_OPTIONS: `--import ${TROUBLE}`, TROUBLE: 'block:9000' });
    const blocked = await stage.start();
    await atWork(stage);
    process.kill(blocked.pid, 'SIGUSR2');
    const other = startProduct({ env: { ...stage.env, TROUBLE: '' }, script: ['src/workers/main.ts'] });
    await expectDone(stage);
    other.child.kill('SIGTERM');
    expect(await other.ended).toBe(0);
  });

  it('whose log and whose sessions’ logs cannot be written works as ever', async () => {
    const stage = await openStage();
    mkdirSync(stage.home, { recursive: true });
    writeFileSync(path.join(stage.home, 'logs'), 'not a directory');
    const full = openSync('/dev/full', 'w');
    await stage.start({ env: { PORT: String(await freePort()), LOG_LEVEL: 'debug' }, stderr: full });
    closeSync(full);
    await stage.place.label(await stage.place.issue('Two things', WORK));
    expect(await stage.place.settledRun()).toMatchObject({ state: 'succeeded' });
    expect(await stage.place.pulls()).toHaveLength(1);
  });

  it('whose log nobody reads any more works as ever', async () => {
    const stage = await openStage();
    const product = await stage.start();
    product.child.stderr?.destroy();
    await stage.place.label(await stage.place.issue('Two things', WORK));
    expect(await stage.place.settledRun()).toMatchObject({ state: 'succeeded' });
    expect(await stage.place.pulls()).toHaveLength(1);
  });

  it.runIf(findProgram('prlimit') !== undefined)(
    'that may open no more files waits, and goes on when it may',
    async () => {
      const stage = await openStage();
      const port = await freePort();
      const product = await stage.start({ env: { PORT: String(port) } });
      await atWork(stage);
      limitFiles(product.pid, readdirSync(`/proc/${product.pid}/fd`).length);
      await pause(6_000);
      expect(product.child.exitCode).toBeNull();
      limitFiles(product.pid, 1_024);
      await stage.place.until('the product well', async () => isHealthy(`http://127.0.0.1:${port}`));
      await expectDone(stage);
    },
  );
});

function limitFiles(pid: number, most: number): void {
  execFileSync('prlimit', ['--pid', String(pid), `--nofile=${most}:4096`]);
}

/** Runs that a worker holds. */
async function workers(stage: Stage): Promise<number> {
  const running = await stage.store.listRuns({ states: ['running'] });
  const held = await Promise.all(running.map(async ({ id }) => (await stage.store.sessionsOf(id)).length));
  return held.filter((sessions) => sessions > 1).length;
}
