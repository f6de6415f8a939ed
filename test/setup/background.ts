import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** A program that runs beside the tests until it is stopped. */
export interface Background {
  readonly pid: number;
  /** Rejects with what it printed when it ends; never resolves. For racing against "is it ready?". */
  readonly died: Promise<never>;
  /** Ends it with the signal it is to be ended with, and after `graceMs` by force. Fine when it has ended already. */
  stop(): Promise<void>;
}

export interface BackgroundOptions {
  readonly argv: readonly [string, ...string[]];
  /** Ends it cleanly. Postgres's "fast" is SIGINT. */
  readonly stopSignal: 'SIGTERM' | 'SIGINT';
  readonly graceMs: number;
  /** Runs as this account instead of ours. */
  readonly user?: string;
}

/**
 * Starts a program that ends with us, even when we are killed: on Linux the kernel sends it its stop signal at our death.
 *
 * @throws Error when the program can't be started.
 */
export function startBackground({ argv, stopSignal, graceMs, user }: BackgroundOptions): Background {
  const [command, ...rest] = [...underOurDeath(stopSignal, user), ...argv];
  const child = spawn(command ?? argv[0], rest, { stdio: ['ignore', 'pipe', 'pipe'] });
  if (child.pid === undefined) throw new Error(`${argv[0]} could not be started`);
  const output = lastOutputOf(child);
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  const died = exited.then((): never => {
    throw new Error(
      `${argv[0]} ended with ${child.signalCode ?? child.exitCode}: ${output().trim() || 'it printed nothing'}`,
    );
  });
  died.catch(() => undefined);
  return {
    pid: child.pid,
    died,
    async stop(): Promise<void> {
      if (child.exitCode === null && child.signalCode === null) child.kill(stopSignal);
      const force = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(force);
    },
  };
}

/**
 * Asks until the answer is yes, a program has died, or the time is over.
 *
 * @throws Error that says what never became ready, or what the program printed when it died.
 */
export async function waitUntil(
  what: string,
  isReady: () => Promise<boolean>,
  options: { readonly timeoutMs: number; readonly died?: Promise<never> },
): Promise<void> {
  const deadline = performance.now() + options.timeoutMs;
  const poll = async (): Promise<void> => {
    while (!(await isReady())) {
      if (performance.now() > deadline) throw new Error(`${what} was not ready after ${options.timeoutMs} ms`);
      await sleep(25);
    }
  };
  await (options.died === undefined ? poll() : Promise.race([poll(), options.died]));
}

/** A port on loopback that was free a moment ago. */
export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

/** Full path of the first of these programs that is installed; Debian's sbin and Postgres directories are looked at too. */
export function findProgram(...names: readonly string[]): string | undefined {
  const postgres = '/usr/lib/postgresql';
  const versions = existsSync(postgres) ? readdirSync(postgres).sort((a, b) => Number(b) - Number(a)) : [];
  const directories = [
    ...(process.env['PATH'] ?? '').split(delimiter),
    '/usr/sbin',
    '/sbin',
    ...versions.map((version) => join(postgres, version, 'bin')),
  ];
  return names
    .flatMap((name) => directories.map((directory) => join(directory, name)))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

function underOurDeath(signal: string, user: string | undefined): readonly string[] {
  const setpriv = findProgram('setpriv');
  if (setpriv === undefined) return [];
  const account = user === undefined ? [] : [`--reuid=${user}`, `--regid=${groupOf(user)}`, '--init-groups'];
  return [setpriv, ...account, `--pdeathsig=${signal.replace('SIG', '')}`, '--'];
}

function groupOf(user: string): string {
  return spawnSync('id', ['-g', user], { encoding: 'utf8' }).stdout.trim();
}

/** Enough of the end of what it prints to say why it died, whatever it prints in a day. */
function lastOutputOf(child: ChildProcess): () => string {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = (text + chunk.toString('utf8')).slice(-2000);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  child.on('error', (error) => keep(Buffer.from(error.message)));
  return () => text;
}
