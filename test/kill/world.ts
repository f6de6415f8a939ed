import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';
import { Redis } from 'ioredis';
import { Client } from 'pg';
import { startLocalGithub, type LocalGithub } from '../../local-github/server.ts';
import { namespaceOf } from '../../src/compose/runner.ts';
import { readConfig } from '../../src/config.ts';
import { engineAt } from '../../src/runners/docker/engine-address.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createPlace, type Place } from '../e2e/place.ts';
import { clearEngine } from '../setup/clear-engine.ts';
import { COMPILED } from '../setup/compiled.ts';
import { freePort } from '../setup/background.ts';
import { KEY_CANARY, ROLES, secretsOf, type Audited } from '../e2e/stage.ts';
import { startProduct, type Running } from './product.ts';
import type { Role, RunnerName, Topology } from './trial.ts';

/** Where the real components are. */
export interface Components {
  /** Of a cluster in which databases may be made. */
  readonly postgresUrl: string;
  readonly redisUrl: string;
  readonly dockerHost: string | undefined;
  readonly agentImage: string | undefined;
}

/** Seconds a worker that died holds its runs: short, so that a trial is. */
const LEASE_SECONDS = 6;

/** One installation of the product with a GitHub of its own, in which trials take repositories of their own. */
export interface World extends Audited, AsyncDisposable {
  readonly topology: Topology;
  /** Starts a process with more in its environment. */
  start(role: Role, extra?: Readonly<Record<string, string>>): Promise<Running>;
  /** A process of the role, started in an ordinary way unless one lives. */
  ensure(role: Role): Promise<Running>;
  /** Ends all processes of the role as an operator would. */
  endAll(role: Role): Promise<void>;
  /** Kills all processes and removes all that they kept: database, queue, files. */
  loseEverything(): Promise<void>;
  place(): Promise<Place>;
  /** Sends again what GitHub could not deliver, as GitHub's own list of failed deliveries shows it. */
  redeliver(): Promise<void>;
  /** Lets the store be read: on the embedded database by stopping the process that has it. */
  settle(): Promise<void>;
  /** What has become of somebody else's container on the same engine: it has to be there still. */
  bystanderGone(): Promise<readonly string[]>;
  /** File that every failpoint passed is written to, by processes started with `recording`. */
  readonly passed: () => Promise<readonly { readonly at: number; readonly pid: number; readonly point: string }[]>;
  readonly recording: Readonly<Record<string, string>>;
}

/** Opens one. Disposing it ends all its processes and removes what it kept. */
export async function openWorld(
  components: Components,
  options: { readonly topology: Topology; readonly runner: RunnerName; readonly leaseSeconds?: number },
): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(path.join(tmpdir(), 'maestro-kill-'));
  stack.defer(async () => await rm(home, { recursive: true, force: true, maxRetries: 3 }));
  const github = stack.use(
    await startLocalGithub({ seed: { repositories: [{ name: 'first', files: { a: 'a\n' } }] } }),
  );
  const port = await freePort();
  github.control.setWebhookUrl(`http://127.0.0.1:${port}/api/github/webhooks`);
  const env: Record<string, string> = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '/',
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    PORT: String(port),
    MAESTRO_HOME: path.join(home, 'maestro'),
    MAESTRO_PROVIDER: 'scripted',
    MAESTRO_RUNNER: options.runner,
    MAESTRO_STATUS_SECONDS: '0.3',
    MAESTRO_RETRY_SECONDS: '1',
    MAESTRO_LEASE_SECONDS: String(options.leaseSeconds ?? LEASE_SECONDS),
    ANTHROPIC_API_KEY: KEY_CANARY,
    LOG_LEVEL: 'info',
    ...COMPILED,
  };
  if (options.topology === 'server') {
    env['DATABASE_URL'] = await createDatabase(components.postgresUrl, stack);
    env['REDIS_URL'] = await claimRedis(components.redisUrl, stack);
  }
  if (options.runner === 'docker') {
    env['MAESTRO_IMAGE'] = components.agentImage ?? '';
    env['DOCKER_HOST'] = components.dockerHost ?? '';
  }
  const config = readConfig(env);
  const lines: string[] = [];
  const silent = createLog({ level: 'silent' });
  const open = async (): Promise<Store> =>
    (
      await openStore({
        databaseUrl: config.DATABASE_URL,
        directory: path.join(config.MAESTRO_HOME, 'database'),
        log: silent,
      })
    ).store;

  if (options.runner === 'docker') {
    const engine = new Docker(engineAt(components.dockerHost));
    stack.defer(async () => await clearEngine(engine, namespaceOf(config)));
  }
  const running = new Set<Running>();
  let store: Store | undefined = options.topology === 'server' ? await open() : undefined;
  stack.defer(async () => await store?.close());
  stack.defer(async () => {
    await Promise.all([...running].map(async (one) => await one.kill()));
  });
  const bystander = options.runner === 'docker' ? await startBystander(components, stack) : undefined;
  const log = path.join(home, 'passed');
  let places = 0;

  const start = async (role: Role, extra: Readonly<Record<string, string>> = {}): Promise<Running> => {
    if (role === 'up') {
      await store?.close();
      store = undefined;
    }
    const one = startProduct(role, { ...env, ...extra }, (line) => {
      lines.push(line);
      if (process.env['KILL_SHOW'] !== undefined) process.stderr.write(`${role} ${line}\n`);
    });
    running.add(one);
    void one.ended.then(() => running.delete(one));
    return one;
  };
  const ensure = async (role: Role): Promise<Running> => {
    const one = [...running].find((known) => known.role === role) ?? (await start(role));
    await one.ready();
    return one;
  };
  const opened = (): Store => {
    if (store === undefined) throw new Error('the embedded database belongs to the process that runs');
    return store;
  };
  // On the embedded database there is a store only between two lives of the process.
  const present = new Proxy({} as Store, {
    get: (_, key) => {
      const value: unknown = Reflect.get(opened(), key);
      return typeof value === 'function' ? value.bind(opened()) : value;
    },
  });
  const world: World = {
    topology: options.topology,
    runner: options.runner,
    dockerHost: components.dockerHost,
    github,
    store: present,
    config,
    log: lines,
    secrets: () => secretsOf(github),
    start,
    ensure,
    endAll: async (role) => {
      const known = [...running].filter((one) => one.role === role);
      await Promise.all(known.map(async (one) => await one.stop()));
    },
    loseEverything: async () => {
      await Promise.all([...running].map(async (one) => await one.kill()));
      if (options.topology === 'server') {
        await execute(env['DATABASE_URL'] ?? '', 'drop schema maestro cascade; drop schema if exists bullmq cascade');
        const redis = new Redis(env['REDIS_URL'] ?? '');
        await redis.multi().flushdb().set('claimed', process.pid).exec();
        redis.disconnect();
      }
      await rm(config.MAESTRO_HOME, { recursive: true, force: true, maxRetries: 3 });
    },
    place: async () => {
      places += 1;
      const name = `kill-${places}`;
      const { id } = await github.control.createRepository({
        files: { 'README.md': '# Demo\n' },
        labels: ['maestro'],
        name,
        roles: ROLES,
      });
      return createPlace({
        github,
        store: present,
        log: lines,
        home: config.MAESTRO_HOME,
        quiet: async () => await quiet(github, present),
        said: () => '',
        name,
        id,
      });
    },
    redeliver: async () => {
      await github.control.hooksQuiet();
      const deliveries = github.control.deliveries();
      const arrived = new Set(deliveries.filter(({ statusCode }) => statusCode === 202).map(({ guid }) => guid));
      const failed = new Map(deliveries.filter(({ guid }) => !arrived.has(guid)).map((one) => [one.guid, one]));
      for (const { id } of failed.values()) github.control.redeliver(id);
      await github.control.hooksQuiet();
    },
    settle: async () => {
      if (options.topology === 'server' || store !== undefined) return;
      await Promise.all([...running].map(async (one) => await one.stop()));
      store = await open();
    },
    bystanderGone: async () => ((await bystander?.isThere()) === false ? ["somebody else's container is gone"] : []),
    recording: { MAESTRO_FAILPOINT_LOG: log },
    passed: async () => {
      if (!existsSync(log)) return [];
      return (await readFile(log, 'utf8'))
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => {
          const [at, pid, point = ''] = line.split(' ');
          return { at: Number(at), pid: Number(pid), point };
        });
    },
    [Symbol.asyncDispose]: async () => await everything.disposeAsync(),
  };
  const everything = stack.move();
  return world;
}

async function quiet(github: LocalGithub, store: Store): Promise<void> {
  const until = Date.now() + 60_000;
  for (;;) {
    await github.control.hooksQuiet();
    if ((await store.pendingDeliveries(Number.MAX_SAFE_INTEGER, 1)).length === 0) return;
    if (Date.now() > until) throw new Error('deliveries are still pending after a minute');
    await pause(50);
  }
}

/** A container without a label of ours, as another program on the engine would have it. */
async function startBystander(
  { dockerHost = '', agentImage = '' }: Components,
  stack: AsyncDisposableStack,
): Promise<{ isThere(): Promise<boolean> }> {
  const docker = new Docker(engineAt(dockerHost));
  const container = await docker.createContainer({
    name: `bystander-${randomBytes(4).toString('hex')}`,
    Image: agentImage,
    Entrypoint: ['sleep', '3600'],
    HostConfig: { NetworkMode: 'none' },
  });
  stack.defer(async () => await container.remove({ force: true }));
  await container.start();
  const isThere = async (): Promise<boolean> =>
    await container.inspect().then(
      ({ State }) => State.Running,
      () => false,
    );
  return { isThere };
}

/** Databases of a Redis server, of which worlds that exist at the same time each need one: 0 is left to others. */
const REDIS_DATABASES = 15;

/** Finds an empty database of the server and keeps other worlds from it. */
async function claimRedis(server: string, stack: AsyncDisposableStack): Promise<string> {
  const first = Math.floor(Math.random() * REDIS_DATABASES);
  for (let at = 0; at < REDIS_DATABASES; at += 1) {
    const url = new URL(server);
    url.pathname = `/${((first + at) % REDIS_DATABASES) + 1}`;
    const redis = new Redis(url.href);
    const isOurs = (await redis.dbsize()) === 0 && (await redis.setnx('claimed', process.pid)) === 1;
    if (isOurs) {
      stack.defer(async () => {
        await redis.flushdb();
        redis.disconnect();
      });
      return url.href;
    }
    redis.disconnect();
  }
  throw new Error(`every database of ${server} is in use`);
}

async function createDatabase(cluster: string, stack: AsyncDisposableStack): Promise<string> {
  const name = `kill_${randomBytes(6).toString('hex')}`;
  await execute(cluster, `create database ${name}`);
  stack.defer(async () => await execute(cluster, `drop database if exists ${name} with (force)`));
  const url = new URL(cluster);
  url.pathname = `/${name}`;
  return url.href;
}

async function execute(connectionString: string, statement: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
