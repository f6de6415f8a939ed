import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { createRunQueue } from '../../src/queue/bullmq.ts';
import { openQueue } from '../../src/queue/open.ts';
import type { RunQueue, Word } from '../../src/queue/queue.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { startRedis, type TestRedis } from '../setup/redis.ts';
import { describeWith } from '../setup/require.ts';
import { openWire } from '../setup/wire.ts';

const log = createLog({ level: 'silent' });
const DONE: Word = { kind: 'done' };
const noDatabase = { pool: async () => Promise.reject(new Error('not asked for')) };

describeWith('redis', 'the queue on Redis', () => {
  let redis: TestRedis;
  let client: Redis;
  const queues: RunQueue[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    client = new Redis(redis.url);
    client.on('error', () => undefined);
  });
  afterEach(async () => {
    await Promise.all(queues.splice(0).map(async (queue) => queue.close()));
    await client.config('SET', 'maxmemory-policy', 'noeviction');
  });
  afterAll(async () => {
    client.disconnect();
    await redis[Symbol.asyncDispose]();
  });

  function openOne(prefix = `test-${randomBytes(6).toString('hex')}`): RunQueue {
    const connection = { kind: 'redis', url: redis.url } as const;
    const queue = createRunQueue({ connection, prefix, log, timing: { lockMs: 600, stalledMs: 300, retryMs: 300 } });
    queues.push(queue);
    return queue;
  }

  describe('check', () => {
    it('accepts a Redis that keeps what it is given', async () => {
      await expect(openOne().check()).resolves.toBeUndefined();
    });

    it('refuses a Redis that may throw keys away, with the command that mends it', async () => {
      await client.config('SET', 'maxmemory-policy', 'allkeys-lru');
      const { port } = new URL(redis.url);

      await expect(openOne().check()).rejects.toThrow(
        `"redis-cli -h 127.0.0.1 -p ${port} CONFIG SET maxmemory-policy noeviction"`,
      );
    });

    it('refuses a read-only replica', async () => {
      const replica = await startRedis();
      const replicaClient = new Redis(replica.url);
      await replicaClient.replicaof('127.0.0.1', new URL(redis.url).port);
      const queue = createRunQueue({ connection: { kind: 'redis', url: replica.url }, log });

      await expect(queue.check()).rejects.toThrow(/read-only replica. Set REDIS_URL to its primary/);

      await queue.close();
      replicaClient.disconnect();
      await replica[Symbol.asyncDispose]();
    });

    it('warns of a Redis without append-only file, and only of that', async () => {
      const lines: string[] = [];
      const listening = createLog({ level: 'warn', destination: { write: (line) => void lines.push(line) } });
      const queue = createRunQueue({ connection: { kind: 'redis', url: redis.url }, log: listening });

      await queue.check();
      expect(lines).toStrictEqual([]);
      await client.config('SET', 'appendonly', 'no');
      await queue.check();
      await client.config('SET', 'appendonly', 'yes');

      expect(lines).toStrictEqual([expect.stringContaining('redis keeps no append-only file')]);
      await queue.close();
    });

    it('names the address it cannot reach, without the password', async () => {
      const opening = openQueue({ redisUrl: 'redis://user:hunter2@127.0.0.1:1/3', database: noDatabase, log });

      const error: unknown = await opening.catch((reason: unknown) => reason);

      expect(String(error)).toMatch(/cannot use Redis at redis:\/\/127\.0\.0\.1:1\/3: .*ECONNREFUSED.*REDIS_URL/);
      expect(String(error)).not.toContain('hunter2');
    });

    it('says that a password is wrong', async () => {
      const url = redis.url.replace('redis://', 'redis://nobody:hunter2@');
      const queue = createRunQueue({ connection: { kind: 'redis', url }, log });

      await expect(queue.check()).rejects.toThrow(/WRONGPASS/);

      await queue.close();
    });
  });

  it('takes and hands out runs again after everything in Redis is gone', async () => {
    const queue = openOne();
    const handled: RunId[] = [];
    await queue.process(async (id) => (handled.push(id), DONE), { concurrency: 1 });
    await queue.enqueue('rbefore' as RunId);
    await vi.waitFor(() => expect(handled).toStrictEqual(['rbefore']));
    await queue.enqueue('rheld' as RunId, { delayMs: 3_600_000 });

    await client.flushall();
    expect(await queue.counts()).toStrictEqual({ waiting: 0, delayed: 0, active: 0 });
    await queue.enqueue('rheld' as RunId);
    await queue.enqueue('rafter' as RunId);

    await vi.waitFor(() => expect(handled).toStrictEqual(['rbefore', 'rheld', 'rafter']), { timeout: 10_000 });
  });

  it('takes a run again that was being worked on when everything in Redis went', async () => {
    const queue = openOne();
    let count = 0;
    await queue.process(
      async (_id, signal) => {
        count += 1;
        if (count === 1) await once(signal, 'abort');
        return DONE;
      },
      { concurrency: 1 },
    );
    await queue.enqueue('rflushed' as RunId);
    await vi.waitFor(() => expect(count).toBe(1));

    await client.flushall();
    await queue.enqueue('rflushed' as RunId);

    await vi.waitFor(() => expect(count).toBe(2), { timeout: 10_000 });
  });

  it("aborts a handler's signal when its lock is lost, and not while it is renewed", async () => {
    const prefix = `test-${randomBytes(6).toString('hex')}`;
    const queue = openOne(prefix);
    let signal: AbortSignal | undefined;
    await queue.process(
      async (_id, given) => {
        signal ??= given;
        if (!given.aborted && signal === given) await once(given, 'abort');
        return DONE;
      },
      { concurrency: 1 },
    );
    await queue.enqueue('rlocked' as RunId);
    await vi.waitFor(() => expect(signal).toBeDefined());
    await new Promise((resolve) => setTimeout(resolve, 1500));
    expect(signal?.aborted).toBe(false);

    await client.set(`${prefix}:runs:rlocked:lock`, 'another worker');

    await vi.waitFor(() => expect(signal?.aborted).toBe(true), { timeout: 5000 });
    expect(String(signal?.reason)).toContain('lost the lock of run rlocked');
  });

  it('goes on by itself when Redis was away, and says soon that it could not enqueue', async () => {
    const wire = await openWire(Number(new URL(redis.url).port));
    const prefix = `test-${randomBytes(6).toString('hex')}`;
    const queue = createRunQueue({ connection: { kind: 'redis', url: `redis://127.0.0.1:${wire.port}` }, prefix, log });
    queues.push(queue);
    const handled: RunId[] = [];
    await queue.process(async (id) => (handled.push(id), DONE), { concurrency: 1 });
    await queue.enqueue('rbefore' as RunId);
    await vi.waitFor(() => expect(handled).toStrictEqual(['rbefore']));

    await wire.cut();
    const began = performance.now();
    await expect(queue.enqueue('raway' as RunId)).rejects.toThrow(Error);
    expect(performance.now() - began).toBeLessThan(7000);
    await wire.mend();
    await vi.waitFor(async () => queue.enqueue('raway' as RunId), { timeout: 10_000 });

    await vi.waitFor(() => expect(handled).toStrictEqual(['rbefore', 'raway']), { timeout: 20_000 });
    await queue.close();
    await wire.cut();
  });
});
