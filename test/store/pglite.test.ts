import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/open.ts';
import { openPglite } from '../../src/store/pglite.ts';
import { createStore } from '../../src/store/sql-store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { embeddedDirectories, type EmbeddedDirectories } from './embedded.ts';
import { aDelivery } from './samples.ts';

const log = createLog({ level: 'silent' });
let directories: EmbeddedDirectories;
beforeAll(async () => {
  directories = await embeddedDirectories();
}, 60_000);
afterAll(async () => {
  await directories[Symbol.asyncDispose]();
});

/** A process that saves deliveries until it is killed. */
interface Writer {
  readonly pid: number;
  /** Resolves when it has opened the database, rejects with what it said when it could not. */
  readonly opened: Promise<void>;
  /** Resolves when it has said of one delivery that it was saved. */
  readonly saved: Promise<void>;
  /** Kills it with SIGKILL and gives the GUIDs it had said were saved. */
  kill(): Promise<readonly string[]>;
}

function startWriter(directory: string, prefix: string): Writer {
  const script = join(import.meta.dirname, '..', 'fixtures', 'store-writer.ts');
  const writer: ChildProcessByStdio<null, Readable, Readable> = spawn(process.execPath, [script, directory, prefix], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const closed = once(writer, 'close');
  let out = '';
  let err = '';
  writer.stderr.on('data', (chunk: Buffer) => (err += chunk.toString()));
  const opened = new Promise<void>((resolve, reject) => {
    writer.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      if (out.includes('\n')) resolve();
    });
    writer.on('close', () => reject(new Error(err)));
  });
  const saved = new Promise<void>((resolve, reject) => {
    writer.stdout.on('data', () => {
      if (out.split('\n').length > 2) resolve();
    });
    writer.on('close', () => reject(new Error(err)));
  });
  saved.catch(() => undefined);
  return {
    pid: writer.pid!,
    opened,
    saved,
    kill: async () => {
      writer.kill('SIGKILL');
      await closed;
      // What follows the last line break was not said in full.
      return out.split('\n').slice(1, -1);
    },
  };
}

describe('durability', () => {
  it('loses no acknowledged delivery when the process is killed while it writes, a dozen times', async () => {
    const directory = await directories.make();
    const acknowledged: string[] = [];
    for (let round = 0; round < 12; round += 1) {
      const writer = startWriter(directory, `round-${round}`);
      await writer.saved;
      await sleep(round * 13);
      acknowledged.push(...(await writer.kill()));
    }

    const { store } = await openStore({ directory, log });
    const saved = new Set((await store.pendingDeliveries(Infinity, 1_000_000)).map(({ guid }) => guid));
    await store.close();

    expect(acknowledged.length).toBeGreaterThanOrEqual(12);
    expect(acknowledged.filter((guid) => !saved.has(guid))).toStrictEqual([]);
  }, 180_000);

  it('flushes to the disk with every commit, and not for reading', async () => {
    let flushes = 0;
    const database = await openPglite({ directory: await directories.make(), flush: () => (flushes += 1) });
    const store = createStore(database);

    flushes = 0;
    await store.pendingDeliveries(Infinity, 10);
    expect(flushes).toBe(0);
    for (let count = 0; count < 5; count += 1) await store.saveDelivery(aDelivery());
    await store.close();

    expect(flushes).toBeGreaterThanOrEqual(5);
  });

  it('flushes what comes together together', async () => {
    let flushes = 0;
    const database = await openPglite({ directory: await directories.make(), flush: () => (flushes += 1) });
    const store = createStore(database);

    flushes = 0;
    const answers = await Promise.all(Array.from({ length: 60 }, async () => store.saveDelivery(aDelivery())));
    const needed = flushes;
    await store.close();

    expect(answers).toStrictEqual(Array.from({ length: 60 }, () => 'saved'));
    expect(needed).toBeGreaterThan(0);
    expect(needed).toBeLessThan(15);
  });
});

it('keeps the values of a statement out of its error', async () => {
  const database = await openPglite({ directory: await directories.make() });

  const error: unknown = await database.query('SELECT $1::integer', ['hunter2']).catch((reason: unknown) => reason);
  await database.close();

  expect(error).toMatchObject({ query: 'SELECT $1::integer', message: expect.stringContaining('integer') });
  expect(error).not.toHaveProperty('params');
});

describe('lock', () => {
  it('refuses a second opener in this process, whose first goes on', async () => {
    const directory = await directories.make();
    const { store } = await openStore({ directory, log });

    await expect(openStore({ directory, log })).rejects.toThrow(`${directory} is in use by process ${process.pid} on `);

    expect(await store.saveDelivery(aDelivery())).toBe('saved');
    await store.close();
    const again = await openStore({ directory, log });
    expect(await again.store.pendingDeliveries(Infinity, 10)).toHaveLength(1);
    await again.store.close();
  });

  it('refuses a second process, and is free at once when the first is killed', async () => {
    const directory = await directories.make();
    const first = startWriter(directory, 'first');
    await first.opened;

    await expect(startWriter(directory, 'second').opened).rejects.toThrow(
      new RegExp(`in use by process ${first.pid} .*DATABASE_URL`),
    );
    await expect(openStore({ directory, log })).rejects.toThrow(`process ${first.pid} `);

    const acknowledged = await first.kill();
    const { store } = await openStore({ directory, log });
    const saved = (await store.pendingDeliveries(Infinity, 1_000_000)).map(({ guid }) => guid);
    expect(saved).toStrictEqual(expect.arrayContaining([...acknowledged]));
    await store.close();
  }, 60_000);

  it('says what to do about files it cannot read, and lets go of the directory', async () => {
    const directory = await directories.make();
    await writeFile(join(directory, 'database', 'global', 'pg_control'), 'spoilt');

    await expect(openStore({ directory, log })).rejects.toThrow(/does not open.*Put a copy/);
    await expect(openStore({ directory, log })).rejects.toThrow(/does not open/);
  });
});
