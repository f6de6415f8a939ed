import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { findProgram } from '../test/setup/background.ts';

/** A line of a process's log. */
export interface LogLine {
  readonly msg?: string;
  readonly [field: string]: unknown;
}

/** A Node process of the product, or of a baseline, that logs JSON lines on standard error. Disposing it stops it cleanly. */
export interface ServerProcess extends AsyncDisposable {
  readonly pid: number;
  /** Lines of its log so far that say `message`. */
  said(message: string): readonly LogLine[];
  /** The first line that says so, waited for. Rejects when the process ends or a minute has gone by. */
  says(message: string): Promise<LogLine>;
  /** Ends it as a power cut would. */
  kill(): Promise<void>;
}

/** Longest a process may take to say something it is waited for. Milliseconds. */
const PATIENCE_MS = 60_000;

/** What `npm start` gives Node: room for young objects that a worker under a flood of lines does not outgrow its memory with. */
const AS_STARTED = ['--max-semi-space-size=8'];

/** Starts `node SCRIPT` with an environment of its own; it ends with us, even when we are killed. */
export function startProcess(script: string, env: Readonly<Record<string, string>>): ServerProcess {
  const setpriv = findProgram('setpriv');
  const argv = [process.execPath, ...AS_STARTED, script];
  const [command = process.execPath, ...rest] =
    setpriv === undefined ? argv : [setpriv, '--pdeathsig=KILL', '--', ...argv];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '', ...env },
  });
  const lines = new Map<string, LogLine[]>();
  const others: string[] = [];
  createInterface({ input: child.stderr }).on('line', (text) => {
    const line = parse(text);
    if (line?.msg === undefined) others.push(text);
    else lines.set(line.msg, [...(lines.get(line.msg) ?? []).slice(-5_000), line]);
    if (typeof line?.['level'] === 'number' && line['level'] >= 50) others.push(text);
    others.splice(0, others.length - 20);
  });
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
  });
  const said = (message: string): readonly LogLine[] => lines.get(message) ?? [];
  return {
    pid: child.pid ?? 0,
    said,
    says: async (message) => {
      for (const until = Date.now() + PATIENCE_MS; ;) {
        const [line] = said(message);
        if (line !== undefined) return line;
        if (child.exitCode !== null || child.signalCode !== null || Date.now() > until) {
          throw new Error(`${script} did not say "${message}":\n${others.join('\n')}`);
        }
        await new Promise((resolve) => {
          setTimeout(resolve, 20);
        });
      }
    },
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await exited;
      clearTimeout(force);
    },
  };
}

function parse(text: string): LogLine | undefined {
  try {
    return JSON.parse(text) as LogLine;
  } catch {
    return undefined;
  }
}
