import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { startLocalGithub, type LocalGithub } from '../../local-github/server.ts';
import { readConfig } from '../../src/config.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createDatabase } from '../setup/database.ts';
import { COMPILED } from '../setup/compiled.ts';
import { auditHome, auditPlace } from './audit.ts';
import { KEY_CANARY, ROLES, type Audited } from './stage.ts';
import { createPlace, type Place } from './place.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** How long a start may take on a machine that is busy. */
const START_MS = 60_000;

/** `maestro up` in a process of its own, as an operator starts it. */
export interface Product {
  readonly child: ChildProcess;
  readonly pid: number;
  /** All it wrote to standard error so far. */
  said(): string;
  /** Where it listens. Rejects with what it said when it ends before it does. */
  url(): Promise<string>;
  /** Its exit code, or the signal that ended it, once it has ended. */
  readonly ended: Promise<number | NodeJS.Signals>;
}

export interface ProductOptions {
  readonly env: Readonly<Record<string, string>>;
  /** The program to run; `maestro up` when omitted. */
  readonly script?: readonly string[];
  /** What the process's own standard error is: kept for `said` when omitted, else a descriptor it writes to. */
  readonly stderr?: number;
  /** In front of the command line, such as `prlimit`. */
  readonly under?: readonly string[];
}

/** Starts the product. */
export function startProduct(options: ProductOptions): Product {
  const argv = [...(options.under ?? []), process.execPath, ...(options.script ?? ['src/cli/main.ts', 'up'])];
  const child = spawn(argv[0] ?? '', argv.slice(1), {
    cwd: ROOT,
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...COMPILED, ...options.env },
    stdio: ['ignore', 'ignore', options.stderr ?? 'pipe'],
  });
  let said = '';
  child.stderr?.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | NodeJS.Signals);
  const gone = ended.then((how) => {
    throw new Error(`the product ended with ${how}: ${said.slice(-2_000)}`);
  });
  gone.catch(() => undefined);
  return {
    child,
    pid: child.pid ?? 0,
    said: () => said,
    ended,
    url: async () => await Promise.race([listening(() => said), gone]),
  };
}

async function listening(said: () => string): Promise<string> {
  const until = Date.now() + START_MS;
  for (;;) {
    const found = /"url":"(http:[^"]+)","msg":"listening for webhooks"/.exec(said())?.[1];
    if (found !== undefined) return found;
    if (Date.now() > until) throw new Error(`the product does not listen: ${said().slice(-2_000)}`);
    await pause(25);
  }
}

/** A local GitHub with a directory beside it, and the settings under which a product works with both. */
export interface Grounds extends AsyncDisposable {
  readonly github: LocalGithub;
  /** A directory of its own; `home` is in it. */
  readonly directory: string;
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** Makes what a product of its own needs. `env` goes over the tests' own settings. */
export async function openGrounds(env: Readonly<Record<string, string>> = {}): Promise<Grounds> {
  await using stack = new AsyncDisposableStack();
  const directory = await mkdtemp(path.join(tmpdir(), 'maestro-product-'));
  stack.defer(async () => rm(directory, { recursive: true, force: true }));
  const github = stack.use(
    await startLocalGithub({ seed: { repositories: [{ name: 'first', files: { a: 'a\n' } }] } }),
  );
  const home = path.join(directory, 'home');
  const everything = stack.move();
  return {
    github,
    directory,
    home,
    env: {
      APP_ID: String(github.app.id),
      PRIVATE_KEY: github.app.privateKey,
      WEBHOOK_SECRET: github.app.webhookSecret,
      GHE_HOST: github.host,
      GHE_PROTOCOL: 'http',
      PORT: '0',
      MAESTRO_HOME: home,
      MAESTRO_PROVIDER: 'scripted',
      MAESTRO_RUNNER: 'local',
      MAESTRO_STATUS_SECONDS: '0.5',
      MAESTRO_RETRY_SECONDS: '1',
      MAESTRO_LEASE_SECONDS: '6',
      LOG_LEVEL: 'info',
      ANTHROPIC_API_KEY: KEY_CANARY,
      ...env,
    },
    [Symbol.asyncDispose]: async () => everything.disposeAsync(),
  };
}

/** A product to be broken: its database, a repository, and what it takes to start it again and again. */
export interface Stage extends Grounds {
  readonly store: Store;
  readonly place: Place;
  /** Starts the product, waits until it listens, and has GitHub send its webhooks there. */
  start(options?: Omit<ProductOptions, 'env'> & { readonly env?: Readonly<Record<string, string>> }): Promise<Product>;
  /** Whether an agent has said something by now, by the sessions' logs. */
  agentSaid(text: string): Promise<boolean>;
}

/** Makes a stage for the running test. When the test is over its products are ended and what happened is audited. */
export async function openStage(env: Readonly<Record<string, string>> = {}): Promise<Stage> {
  const database = await createDatabase();
  const grounds = await openGrounds({ DATABASE_URL: database.url, ...env });
  const { store } = await openStore({
    databaseUrl: database.url,
    directory: grounds.home,
    log: createLog({ level: 'silent' }),
  });
  const products: Product[] = [];
  const { id } = await grounds.github.control.createRepository({
    name: 'demo',
    files: { 'README.md': '# Demo\n' },
    labels: ['maestro'],
    roles: ROLES,
  });
  const quiet = async (): Promise<void> => grounds.github.control.hooksQuiet();
  const parts = { github: grounds.github, store, log: [], home: grounds.home, quiet, said: () => '', name: 'demo', id };
  const place = createPlace(parts);
  onTestFinished(async () => {
    for (const product of products) product.child.kill('SIGTERM');
    await Promise.all(products.map(async ({ ended }) => ended));
    const audited: Audited = {
      runner: 'local',
      dockerHost: undefined,
      github: grounds.github,
      store,
      config: readConfig(grounds.env),
      log: products.flatMap((product) => product.said().split('\n')),
      secrets: () => [grounds.github.app.webhookSecret, KEY_CANARY],
    };
    await auditPlace(audited, place);
    await auditHome(audited);
    await store.close();
    await grounds[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });
  return {
    ...grounds,
    store,
    place,
    start: async (options = {}) => {
      const product = startProduct({ ...options, env: { ...grounds.env, ...options.env } });
      products.push(product);
      const port = options.env?.['PORT'];
      const url = port === undefined ? await product.url() : `http://127.0.0.1:${port}`;
      if (port !== undefined) await place.until('the product up', async () => isHealthy(url));
      grounds.github.control.setWebhookUrl(`${url}/api/github/webhooks`);
      return product;
    },
    agentSaid: async (text) => {
      const logs = path.join(grounds.home, 'logs');
      const files = await readdir(logs, { recursive: true }).catch(() => []);
      const read = await Promise.all(
        files.map(async (file) => readFile(path.join(logs, file), 'utf8').catch(() => '')),
      );
      return read.some((log) => log.includes(text));
    },
  };
}

/** Whether a product says that it is well. */
export async function isHealthy(url: string): Promise<boolean> {
  const answer = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) }).catch(() => undefined);
  return answer?.status === 200;
}
