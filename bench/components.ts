import { randomBytes } from 'node:crypto';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { startDocker, type TestDocker } from '../test/setup/docker.ts';
import { startPostgres, type TestPostgres } from '../test/setup/postgres.ts';
import { startRedis, type TestRedis } from '../test/setup/redis.ts';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '..');

/** Servers of our own, started when first asked for and stopped together. Postgres and Redis write to the disk as in production. */
export interface Components extends AsyncDisposable {
  redisUrl(): Promise<string>;
  /** Connection string of a new, empty database. */
  databaseUrl(): Promise<string>;
  /** As `DOCKER_HOST` is written. */
  dockerHost(): Promise<string>;
  /** Reference of the agent image on that engine. */
  agentImage(): Promise<string>;
}

/** Nothing is started yet. */
export function createComponents(): Components {
  const started: Promise<AsyncDisposable>[] = [];
  const once = <T extends AsyncDisposable>(start: () => Promise<T>): (() => Promise<T>) => {
    let running: Promise<T> | undefined;
    return () => {
      if (running === undefined) {
        running = start();
        started.push(running);
      }
      return running;
    };
  };
  const redis = once<TestRedis>(() => startRedis());
  const postgres = once<TestPostgres>(() =>
    startPostgres({ fsync: 'on', synchronous_commit: 'on', full_page_writes: 'on' }),
  );
  const docker = once<TestDocker>(() => startDocker());
  let image: Promise<string> | undefined;
  return {
    redisUrl: async () => (await redis()).url,
    databaseUrl: async () => await createDatabase((await postgres()).url),
    dockerHost: async () => (await docker()).host,
    agentImage: async () => {
      const { host } = await docker();
      return await (image ??= buildImage(host));
    },
    [Symbol.asyncDispose]: async () => {
      for (const component of started.toReversed()) {
        await component.then(
          (running) => running[Symbol.asyncDispose](),
          () => undefined,
        );
      }
    },
  };
}

async function createDatabase(cluster: string): Promise<string> {
  const name = `bench_${randomBytes(6).toString('hex')}`;
  const client = new Client({ connectionString: cluster });
  await client.connect();
  try {
    await client.query(`create database ${name}`);
  } finally {
    await client.end();
  }
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return url.href;
}

async function buildImage(dockerHost: string): Promise<string> {
  const { stdout } = await execute(process.execPath, [join(ROOT, 'scripts', 'image.ts'), '--quiet'], {
    cwd: ROOT,
    env: { ...process.env, DOCKER_HOST: dockerHost },
    maxBuffer: 64 * 1024 * 1024,
  });
  const reference = stdout.trim().split('\n').at(-1);
  if (reference === undefined || reference === '') throw new Error('scripts/image.ts printed no image reference');
  return reference;
}
