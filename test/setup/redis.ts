import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { type Background, findProgram, freePort, startBackground, waitUntil } from './background.ts';

export interface TestRedis extends AsyncDisposable {
  /** `redis://127.0.0.1:PORT` */
  readonly url: string;
  /** Of the server as it runs now. */
  readonly pid: number;
  /** Kills the server with SIGKILL. */
  kill(): Promise<void>;
  /** Starts it again after a kill, on the same port and directory. */
  restart(): Promise<void>;
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
  const launch = (): Background => startBackground({ argv: [program, ...flags], stopSignal: 'SIGTERM', graceMs: 5000 });
  let server = launch();
  const release = async (): Promise<void> => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
  const ready = async (): Promise<void> =>
    waitUntil('Redis', async () => answers(port), { timeoutMs: 10_000, died: server.died });
  try {
    await ready();
  } catch (error) {
    await release();
    throw error;
  }
  return {
    url: `redis://127.0.0.1:${port}`,
    get pid() {
      return server.pid;
    },
    kill: async () => {
      process.kill(server.pid, 'SIGKILL');
      await server.stop();
    },
    restart: async () => {
      server = launch();
      await ready();
    },
    [Symbol.asyncDispose]: release,
  };
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
