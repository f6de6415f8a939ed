import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { createRunQueue } from '../../src/queue/bullmq.ts';
import { POSTGRES_SCHEMA } from '../../src/queue/line.ts';
import { openQueue } from '../../src/queue/open.ts';
import { openStore } from '../../src/store/open.ts';
import { openPostgres } from '../../src/store/postgres.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createDatabase, type TestDatabase } from '../setup/database.ts';
import { describeWith } from '../setup/require.ts';
import { aDelivery } from '../store/samples.ts';

const log = createLog({ level: 'silent' });
const DONE = { kind: 'done' } as const;

describeWith('postgres', 'store and queue on one Postgres server', () => {
  let test: TestDatabase;
  beforeAll(async () => {
    test = await createDatabase();
  });
  afterAll(async () => {
    await test[Symbol.asyncDispose]();
  });

  it('make their schemas once when several processes start together on an empty database', async () => {
    const opened = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const { store, database } = await openStore({ databaseUrl: test.url, directory: '/nowhere', log });
        return { store, queue: await openQueue({ database, log }) };
      }),
    );

    expect(await opened[0]!.store.saveDelivery(aDelivery())).toBe('saved');
    expect(await opened[4]!.store.pendingDeliveries(Infinity, 10)).toHaveLength(1);
    await Promise.all(
      opened.map(async ({ store, queue }) => {
        await queue.close();
        await store.close();
        await store.close();
      }),
    );
  });

  it('commit to the disk whatever the default of the server', async () => {
    const database = await openPostgres({ url: test.url, log });

    const { rows } = await database.query('SHOW synchronous_commit');

    expect(rows).toStrictEqual([{ synchronous_commit: 'on' }]);
    await database.close();
  });

  it('go on after the server has cut every connection, whenever it does', async () => {
    const { store, database } = await openStore({ databaseUrl: test.url, directory: '/nowhere', log });
    const pool = await database.pool(POSTGRES_SCHEMA);
    const timing = { lockMs: 1000, stalledMs: 400, retryMs: 200 };
    const queue = createRunQueue({ connection: { kind: 'postgres', pool }, prefix: 'cuts', log, timing });
    const handled = new Set<RunId>();
    await queue.process(async (id) => (handled.add(id), DONE), { concurrency: 2 });
    const surgeon = await openPostgres({ url: test.url, log });

    for (let round = 0; round < 20; round += 1) {
      const id = `rcut${round}` as RunId;
      const enqueued = vi.waitFor(async () => queue.enqueue(id), { timeout: 10_000 });
      await sleep(round % 7);
      await surgeon.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid()`,
      );
      await enqueued;
      await vi.waitFor(async () => store.ping(), { timeout: 10_000 });
      await vi.waitFor(() => expect(handled).toContain(id), { timeout: 20_000 });
    }

    await surgeon.close();
    await queue.close();
    await store.close();
  });

  it("abort a handler's signal when its lock is lost", async () => {
    const { store, database } = await openStore({ databaseUrl: test.url, directory: '/nowhere', log });
    const pool = await database.pool(POSTGRES_SCHEMA);
    const timing = { lockMs: 600, stalledMs: 300 };
    const queue = createRunQueue({ connection: { kind: 'postgres', pool }, prefix: 'locks', log, timing });
    let signal: AbortSignal | undefined;
    await queue.process(
      async (_id, given) => {
        signal ??= given;
        if (signal === given) await once(given, 'abort');
        return DONE;
      },
      { concurrency: 1 },
    );
    await queue.enqueue('rlocked' as RunId);
    await vi.waitFor(() => expect(signal).toBeDefined());
    await sleep(1200);
    expect(signal?.aborted).toBe(false);

    await database.query("UPDATE bullmq.job SET lock_token = 'another worker' WHERE id = 'rlocked'");

    await vi.waitFor(() => expect(signal?.aborted).toBe(true), { timeout: 5000 });
    await queue.close();
    await store.close();
  });

  it('name the server they cannot reach, without the password', async () => {
    const databaseUrl = 'postgres://maestro:hunter2@127.0.0.1:1/maestro';

    const error: unknown = await openStore({ databaseUrl, directory: '/nowhere', log }).catch(
      (reason: unknown) => reason,
    );

    expect(String(error)).toMatch(/cannot use Postgres at 127\.0\.0\.1:1\/maestro: .*ECONNREFUSED.*DATABASE_URL/);
    expect(String(error)).not.toContain('hunter2');
  });
});
