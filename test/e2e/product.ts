import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { attachReferee } from '../../local-github/referee/recording.ts';
import { sharedReferee } from '../../local-github/referee/referee.ts';
import type { SeedRepository } from '../../local-github/seed.ts';
import { startLocalGithub, type LocalGithub } from '../../local-github/server.ts';
import { COMPILED } from '../setup/compiled.ts';

const PROGRAM = path.join(import.meta.dirname, '../fixtures/product.ts');
const ROLES = { ada: 'admin', will: 'write', rory: 'read' } as const;
const DEADLINE_MS = 100_000;

/** The product as a process of its own, over a local GitHub that outlives it: for tests of what it does after it was down. */
export interface Product extends AsyncDisposable {
  readonly github: LocalGithub;
  /** Database, queue, mirrors, logs: all that the product remembers. */
  readonly home: string;
  /** What it logged since it was last started, one object a line. */
  log(): readonly Logged[];
  start(env?: Readonly<Record<string, string>>): Promise<void>;
  /** SIGTERM, and waits. */
  stop(): Promise<void>;
  /** SIGKILL, and waits. Its agents are killed with it. */
  kill(): Promise<void>;
  /** Whether it has ended, by itself or because it was told to. */
  isDown(): boolean;
  /** Loses all the product remembers; it must not be running. */
  wipe(): Promise<void>;
  repository(seed?: Partial<SeedRepository>): Promise<Remote>;
}

/** A repository, seen and used from GitHub's side alone. */
export interface Remote {
  readonly fullName: string;
  as<Data>(login: string, request: string, body?: unknown): Promise<Data>;
  issue(title: string, body?: string): Promise<number>;
  label(issue: number, login?: string): Promise<void>;
  pulls(): Promise<readonly RemotePull[]>;
  /** Names of the branches below `maestro/`. */
  branches(): Promise<readonly string[]>;
  /** What our bot wrote in a thread. */
  answers(thread: number): Promise<readonly string[]>;
  /** Names of an issue's labels. */
  labels(issue: number): Promise<readonly string[]>;
  /** Subjects of a branch's commits, newest first. */
  subjects(branch: string): Promise<readonly string[]>;
}

export interface RemotePull {
  readonly number: number;
  readonly draft: boolean;
  readonly state: string;
  readonly body: string;
  readonly head: { readonly ref: string; readonly sha: string };
}

export interface Logged {
  readonly level: number;
  readonly msg: string;
  readonly [key: string]: unknown;
}

/** GitHub redirects there from a repository's old name; its documents do not list the address. */
function isByItsId({ path: at }: { readonly path: string }): boolean {
  return /\/repositories\/\d+$/.test(at);
}

/** Starts the GitHub; the product is started by the test. Disposing kills the product and judges every exchange. */
export async function openProduct(): Promise<Product> {
  const directory = await mkdtemp(path.join(tmpdir(), 'maestro-back-'));
  const home = path.join(directory, 'home');
  const port = await freePort();
  const github = await startLocalGithub({
    seed: { repositories: [{ name: 'first', files: { a: 'a\n' }, roles: ROLES }] },
  });
  github.control.setWebhookUrl(`http://127.0.0.1:${port}/api/github/webhooks`);
  const referee = attachReferee(github.recorder, sharedReferee(), { expected: isByItsId });
  let child: ChildProcess | undefined;
  let lines: string[] = [];
  let made = 0;

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ending = child;
    child = undefined;
    if (ending?.pid === undefined || ending.exitCode !== null || ending.signalCode !== null) return;
    const ended = once(ending, 'exit');
    // Killed, it takes its agents with it, as a machine that loses power does: they are of its process group.
    process.kill(signal === 'SIGKILL' ? -ending.pid : ending.pid, signal);
    await ended;
  }

  return {
    github,
    home,
    log: () => lines.flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Logged] : [])),
    start: async (env = {}) => {
      lines = [];
      const started = spawn(process.execPath, [PROGRAM], {
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, ...COMPILED, ...settings(github, home, port), ...env },
      });
      child = started;
      let rest = '';
      started.stderr.on('data', (chunk: Buffer) => {
        const [last = '', ...whole] = `${rest}${chunk.toString()}`.split('\n').toReversed();
        rest = last;
        lines.push(...whole.toReversed());
      });
      const up = once(started.stdout, 'data');
      const gone = once(started, 'exit').then(() => 'gone' as const);
      if ((await Promise.race([up, gone])) === 'gone') throw new Error(`it did not start:\n${lines.join('\n')}`);
    },
    stop: async () => await end('SIGTERM'),
    kill: async () => await end('SIGKILL'),
    isDown: () => child === undefined || child.exitCode !== null || child.signalCode !== null,
    wipe: async () => await rm(home, { recursive: true, force: true }),
    repository: async (seed = {}) => {
      made += 1;
      const name = `back-${made}`;
      const files = { 'README.md': '# Demo\n', ...seed.files };
      await github.control.createRepository({ labels: ['maestro'], ...seed, files, name, roles: ROLES });
      return remoteAt(github, name);
    },
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL');
      await github.control.hooksQuiet();
      const violations = referee.violations();
      await github.close();
      await rm(directory, { recursive: true, force: true, maxRetries: 3 });
      if (violations.length > 0) throw new Error(violations.map((one) => `${one.where}: ${one.message}`).join('\n'));
    },
  };
}

function remoteAt(github: LocalGithub, name: string): Remote {
  const as = async <Data>(login: string, request: string, body?: unknown): Promise<Data> => {
    const [method = 'GET', below = ''] = request.split(' ', 2);
    return await github.as(login).call<Data>(`${method} /repos/acme/${name}${below}`, body);
  };
  return {
    fullName: `acme/${name}`,
    as,
    issue: async (title, body = '') =>
      (await as<{ readonly number: number }>('rory', 'POST /issues', { title, body })).number,
    label: async (issue, login = 'will') =>
      void (await as(login, `POST /issues/${issue}/labels`, { labels: ['maestro'] })),
    branches: async () =>
      (await as<readonly { readonly name: string }[]>('ada', 'GET /branches'))
        .map(({ name: branch }) => branch)
        .filter((branch) => branch.startsWith('maestro/')),
    pulls: async () => await as<readonly RemotePull[]>('ada', 'GET /pulls?state=all&per_page=100'),
    answers: async (thread) =>
      (
        await as<readonly { readonly body: string; readonly user: { readonly login: string } }[]>(
          'ada',
          `GET /issues/${thread}/comments?per_page=100`,
        )
      )
        .filter(({ user }) => user.login.endsWith('[bot]'))
        .map(({ body }) => body),
    labels: async (issue) =>
      (await as<readonly { readonly name: string }[]>('ada', `GET /issues/${issue}/labels`)).map(({ name }) => name),
    subjects: async (branch) =>
      (await as<readonly { readonly commit: { readonly message: string } }[]>('ada', `GET /commits?sha=${branch}`)).map(
        ({ commit }) => commit.message.split('\n', 1)[0] ?? '',
      ),
  };
}

/** Waits until something holds; `story` is told when it does not in time. */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  story: () => readonly Logged[] = () => [],
): Promise<T> {
  const end = Date.now() + DEADLINE_MS;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) {
      const told = story().filter(({ level }) => level > 20);
      throw new Error(
        `${what}: not in time.\n${told
          .slice(-50)
          .map((line) => JSON.stringify(line).slice(0, 300))
          .join('\n')}`,
      );
    }
    await pause(100);
  }
}

function settings(github: LocalGithub, home: string, port: number): Readonly<Record<string, string>> {
  return {
    APP_ID: String(github.app.id),
    PRIVATE_KEY: github.app.privateKey,
    WEBHOOK_SECRET: github.app.webhookSecret,
    GHE_HOST: github.host,
    GHE_PROTOCOL: 'http',
    PORT: String(port),
    MAESTRO_HOME: home,
    MAESTRO_PROVIDER: 'scripted',
    MAESTRO_RUNNER: 'local',
    MAESTRO_CONCURRENCY: '2',
    MAESTRO_STATUS_SECONDS: '0.2',
    MAESTRO_RETRY_SECONDS: '1',
    MAESTRO_LEASE_SECONDS: '3',
    LOG_LEVEL: 'debug',
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
