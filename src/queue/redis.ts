import { Queue, Worker } from 'bullmq';
import { Redis, type RedisOptions } from 'ioredis';
import type { Log } from '../telemetry/log.ts';
import type { Line, RunJob } from './line.ts';

/** How long a Redis may take to answer before it counts as unreachable. */
const ANSWER_TIMEOUT_MS = 5000;

/** Jobs in Redis, below the keys `<prefix>:<name>:…`. */
export function redisLine(options: {
  readonly url: string;
  readonly prefix: string;
  readonly name: string;
  readonly log: Log;
}): Line {
  const { url, prefix, name, log } = options;
  const open: Redis[] = [];
  function connect(settings: Pick<RedisOptions, 'maxRetriesPerRequest' | 'commandTimeout'>): Redis {
    const redis = new Redis(url, { ...settings, connectionName: 'maestro' });
    redis.on('error', (error: Error) => log.warn({ err: error }, 'redis connection failed'));
    open.push(redis);
    return redis;
  }
  return {
    prepare: async () => undefined,
    check: async () => checkRedis(url, log),
    openQueue: () =>
      new Queue<RunJob>(name, {
        prefix,
        // Whoever enqueues must hear soon that it did not work: the store still has the run, and it is enqueued again.
        connection: connect({ maxRetriesPerRequest: 2, commandTimeout: ANSWER_TIMEOUT_MS }),
      }),
    openWorker: (process, options) =>
      new Worker<RunJob>(name, process, {
        ...options,
        prefix,
        // A worker waits for as long as Redis is away; BullMQ asks for `null`.
        connection: connect({ maxRetriesPerRequest: null }),
      }),
    close: async () => {
      for (const redis of open) redis.disconnect();
    },
  };
}

async function checkRedis(url: string, log: Log): Promise<void> {
  const { address, keepsLog } = await inspectRedis(url);
  if (!keepsLog) {
    log.warn(
      { redis: address },
      'redis keeps no append-only file: after its restart the queue is rebuilt from the store',
    );
  }
}

/** What was found of a Redis: its address without password, and whether it keeps an append-only file. */
export interface RedisFacts {
  readonly address: string;
  readonly keepsLog: boolean;
}

/**
 * Makes sure that Redis answers and keeps what it is given. Changes nothing.
 *
 * @throws Error saying what to do; the address in it is without password.
 */
export async function inspectRedis(url: string): Promise<RedisFacts> {
  const { host, port, address } = describeUrl(url);
  const facts = await readInfo(url, address);
  const policy = facts.get('maxmemory_policy');
  if (policy !== 'noeviction') {
    throw new Error(
      `Redis at ${address} may throw queued runs away when its memory is full (maxmemory-policy is ${policy ?? 'unknown'}). ` +
        `Run "redis-cli -h ${host} -p ${port} CONFIG SET maxmemory-policy noeviction", ` +
        'and set maxmemory-policy noeviction in its configuration so that it stays.',
    );
  }
  if (facts.get('role') === 'slave') {
    throw new Error(`Redis at ${address} is a read-only replica. Set REDIS_URL to its primary.`);
  }
  return { address, keepsLog: facts.get('aof_enabled') !== '0' };
}

/** The `field:value` lines of Redis' INFO, which managed servers allow where they forbid CONFIG. */
async function readInfo(url: string, address: string): Promise<ReadonlyMap<string, string>> {
  const redis = new Redis(url, {
    lazyConnect: true,
    connectTimeout: ANSWER_TIMEOUT_MS,
    commandTimeout: ANSWER_TIMEOUT_MS,
    retryStrategy: () => null,
  });
  // What a refused connection rejects with says only that it is closed; the reason is in the event.
  let reason: Error | undefined;
  redis.on('error', (error: Error) => {
    reason ??= error;
  });
  try {
    await redis.connect();
    const info = await redis.info();
    return new Map(
      info.split('\r\n').flatMap((line): [string, string][] => {
        const colon = line.indexOf(':');
        return colon > 0 ? [[line.slice(0, colon), line.slice(colon + 1)]] : [];
      }),
    );
  } catch (error) {
    const { message } = reason ?? (error as Error);
    throw new Error(
      `cannot use Redis at ${address}: ${message}. ` +
        'Check that it runs and that REDIS_URL is right, or unset REDIS_URL to keep the queue in the database.',
      { cause: error },
    );
  } finally {
    redis.disconnect();
  }
}

/** Where a Redis URL points to, without user and password. */
function describeUrl(url: string): { readonly host: string; readonly port: string; readonly address: string } {
  if (!URL.canParse(url)) return { host: '?', port: '?', address: 'the address in REDIS_URL' };
  const { protocol, hostname, port, pathname } = new URL(url);
  const shownPort = port === '' ? '6379' : port;
  return { host: hostname, port: shownPort, address: `${protocol}//${hostname}:${shownPort}${pathname}` };
}
