import type { Log } from '../telemetry/log.ts';
import { createRunQueue, type QueueTiming } from './bullmq.ts';
import { POSTGRES_SCHEMA, type PoolLike } from './line.ts';
import type { RunQueue } from './queue.ts';

/**
 * Opens the run queue and makes sure that it can be used: in Redis when there is a `redisUrl`, else in the database.
 *
 * @param options.database Gives pools on the database the store is in, each with its unqualified names in `schema`.
 * @returns the queue, to be closed before the database.
 * @throws Error saying what to do when the queue cannot be used.
 */
export async function openQueue(options: {
  readonly redisUrl?: string | undefined;
  readonly database: { pool(schema: string): Promise<PoolLike> };
  readonly log: Log;
  readonly timing?: Partial<QueueTiming>;
}): Promise<RunQueue> {
  const { redisUrl, database, log, timing = {} } = options;
  const queue = createRunQueue({
    connection:
      redisUrl === undefined
        ? { kind: 'postgres', pool: await database.pool(POSTGRES_SCHEMA) }
        : { kind: 'redis', url: redisUrl },
    log,
    timing,
  });
  try {
    await queue.check();
  } catch (error) {
    await queue.close();
    throw error;
  }
  return queue;
}
