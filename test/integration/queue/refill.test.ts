import { Redis } from 'ioredis';
import { expect, it } from 'vitest';
import type { RunId } from '../../../src/domain/ids.ts';
import { createRunQueue } from '../../../src/queue/bullmq.ts';
import { refill } from '../../../src/queue/queue.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { startRedis } from '../../setup/redis.ts';
import { describeWith } from '../../setup/require.ts';
import { aRun } from '../../store/samples.ts';

describeWith('redis', 'a queue on Redis that was flushed', () => {
  it('is filled again from the store while its only worker goes on, and the log says so once', async () => {
    await using redis = await startRedis();
    const lines: string[] = [];
    const log = createLog({ level: 'info', destination: { write: (line: string) => void lines.push(line) } });
    const queue = createRunQueue({ connection: { kind: 'redis', url: redis.url }, log });
    const client = new Redis(redis.url);
    const worked: RunId[] = [];
    try {
      await queue.process(
        async (id) => {
          worked.push(id);
          return { kind: 'done' };
        },
        { concurrency: 1 },
      );
      await client.flushall();
      const parkedUntil = Date.now() + 60_000;
      const asked = aRun({ state: 'parked', parkedUntil, orders: 1 });
      const open = [aRun(), aRun(), aRun({ state: 'parked', parkedUntil }), asked];
      const of = { runs: open, now: Date.now(), isGlance: true, log };

      expect(await refill(queue, of)).toBeGreaterThan(0);
      // Two that are due, and one that was asked for something while it waits.
      await expect.poll(() => worked.length, { timeout: 20_000 }).toBe(3);
      expect(worked).toContain(asked.id);
      expect(await queue.counts()).toEqual({ waiting: 0, delayed: 1, active: 0 });
      expect(lines.filter((line) => line.includes('were missing from the queue'))).toHaveLength(1);
    } finally {
      client.disconnect();
      await queue.close();
    }
  });
});
