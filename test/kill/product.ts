import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { findProgram } from '../setup/background.ts';
import type { Role } from './trial.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** Program, and the line it logs when it does its work. */
const PROGRAMS: Readonly<Record<Role, { readonly argv: readonly string[]; readonly ready: string }>> = {
  app: { argv: ['src/app/main.ts'], ready: 'listening for webhooks' },
  worker: { argv: ['src/workers/main.ts'], ready: 'runner ready' },
  up: { argv: ['src/cli/main.ts', 'up'], ready: 'listening for webhooks' },
};

/** A process of the product's. */
export interface Running {
  readonly role: Role;
  readonly pid: number;
  /** What ended it: a signal, or an exit code as text. Pending while it lives. */
  readonly ended: Promise<string>;
  isAlive(): boolean;
  /** Resolves when it does its work; rejects when it ends before. */
  ready(): Promise<void>;
  /** Whether it has been put to sleep by SIGSTOP. */
  isAsleep(): Promise<boolean>;
  wake(): void;
  kill(): Promise<void>;
  /** SIGTERM, and SIGKILL after 20 s: then it rejects, because a process has to end when it is asked to. */
  stop(): Promise<void>;
}

/** Starts one. It dies with us. What it logs goes to `log`, a line each. */
export function startProduct(
  role: Role,
  environment: Readonly<Record<string, string | undefined>>,
  log: (line: string) => void,
): Running {
  const setpriv = findProgram('setpriv');
  const leash = setpriv === undefined ? [] : [setpriv, '--pdeathsig=KILL', '--'];
  const [command = '', ...argv] = [...leash, process.execPath, ...PROGRAMS[role].argv];
  const child: ChildProcess = spawn(command, argv, {
    cwd: ROOT,
    env: environment,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const { pid } = child;
  if (pid === undefined || child.stderr === null) throw new Error(`${role} could not be started`);
  let over = false;
  const ended = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => {
      over = true;
      resolve(signal ?? String(code));
    });
  });
  const isReady = new Promise<void>((resolve) => {
    createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
      log(line);
      if (line.includes(PROGRAMS[role].ready)) resolve();
    });
  });
  const send = (signal: NodeJS.Signals): void => {
    if (!over) process.kill(pid, signal);
  };
  return {
    role,
    pid,
    ended,
    isAlive: () => !over,
    ready: async () => {
      const early = ended.then((how) => {
        throw new Error(`${role} ended with ${how} before it was ready`);
      });
      await Promise.race([isReady, early]);
    },
    isAsleep: async () => /^State:\s+T/m.test(await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '')),
    wake: () => send('SIGCONT'),
    kill: async () => {
      send('SIGKILL');
      await ended;
    },
    stop: async () => {
      send('SIGCONT');
      send('SIGTERM');
      const how = await Promise.race([ended, pause(20_000, undefined, { ref: false })]);
      if (how !== undefined) return;
      send('SIGKILL');
      throw new Error(`${role} did not end within 20 s of SIGTERM`);
    },
  };
}
