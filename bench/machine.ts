import { execFile } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** What a table was measured on. */
export interface Machine {
  readonly date: string;
  readonly commit: string;
  readonly cores: number;
  readonly memoryGib: number;
  readonly kernel: string;
  readonly node: string;
  readonly docker: string;
}

/** Looks at this machine and this checkout; what can't be told is `unknown`. */
export async function machine(): Promise<Machine> {
  const [commit, docker] = await Promise.all([
    told('git', ['rev-parse', '--short=10', 'HEAD']),
    // Its engine is started for the measurements and gone by now; the client here may be of another version.
    told('dockerd', ['--version']),
  ]);
  return {
    date: new Date().toISOString().slice(0, 10),
    commit,
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 1024 ** 3),
    kernel: release(),
    node: process.version,
    docker: /^Docker version ([^,]+)/.exec(docker)?.[1] ?? docker,
  };
}

async function told(command: string, argv: readonly string[]): Promise<string> {
  try {
    return (await execute(command, argv)).stdout.trim();
  } catch {
    return 'unknown';
  }
}
