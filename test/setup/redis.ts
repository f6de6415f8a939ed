import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { findProgram, freePort, startBackground, waitUntil } from './background.ts';

export interface TestRedis extends AsyncDisposable {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  readonly pid: number;
}

/**
 * Starts a private Redis on loopback with a directory of its own, durable as Maestro asks for: noeviction and append-only.
 *
 * @param settings Overrides, by their names in redis.conf, e.g. `{ 'maxmemory-policy': 'allkeys-lru' }`.
 * @throws Error when there is no redis-server or it does not come up within 10 s.
 */
export async function startRedis(settings: Readonly<Record<string, string>> = {}): Promise<TestRedis> {
  const program = findProgram('redis-server');
  if (program === undefined) throw new Error('redis-server is not installed');
  const directory = await mkdtemp(join(tmpdir(), 'maestro-redis-'));
  const port = await freePort();
  const all = {
    port: String(port),
    bind: '127.0.0.1',
    dir: directory,
    appendonly: 'yes',
    save: '',
    'maxmemory-policy': 'noeviction',
    ...settings,
  };
  const flags = Object.entries(all).flatMap(([name, value]) => [`--${name}`, value]);
  const server = startBackground({ argv: [program, ...flags], stopSignal: 'SIGTERM', graceMs: 5000 });
  const release = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitUntil('Redis', async () => answers(port), { timeoutMs: 10_000, died: server.died });
  } catch (error) {
    await release();
    throw error;
  }
  return { url: `redis://127.0.0.1:${port}`, pid: server.pid, [Symbol.asyncDispose]: release };
}

async function answers(port: number): Promise<boolean> {
  const client = new Redis({ host: '127.0.0.1', port, lazyConnect: true, retryStrategy: () => null });
  client.on('error', () => undefined);
  try {
    await client.connect();
    return (await client.ping()) === 'PONG';
  } catch {
    return false;
  } finally {
    client.disconnect();
  }
}
