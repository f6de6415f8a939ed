import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { startLocalGithub, type LocalGithub } from '../../local-github/server.ts';
import { KEY_CANARY } from './stage.ts';

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
    env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...options.env },
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
