import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SeededBug } from './bugs.ts';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');

/** A copy of the checkout to break: the checkout itself is never touched. */
export interface SourceCopy extends AsyncDisposable {
  readonly directory: string;
  /** Puts a bug in; disposing what it gives takes it out again. */
  plant(bug: SeededBug): Promise<AsyncDisposable>;
  /** Runs the tests a bug is to be caught by, as the copy stands. */
  test(bug: SeededBug): Promise<Verdict>;
}

export interface Verdict {
  readonly passed: number;
  readonly failed: number;
  /** The end of what vitest printed. */
  readonly output: string;
}

/** A source with a bug in it. Throws when what it replaces is not there exactly once: the bug is to be described anew. */
export function withBug(source: string, bug: SeededBug): string {
  const parts = source.split(bug.find);
  if (parts.length !== 2)
    throw new Error(`"${bug.name}": ${bug.file} holds ${JSON.stringify(bug.find)} ${parts.length - 1} times, not once`);
  return parts.join(bug.replace);
}

/** Copies what git knows of and what is new; packages are shared by a link. */
export async function copySource(): Promise<SourceCopy> {
  const directory = await mkdtemp(join(tmpdir(), 'maestro-seeded-'));
  const { stdout } = await execute('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: ROOT,
    maxBuffer: 16 * 1024 * 1024,
  });
  for (const file of stdout.split('\0').filter((name) => name !== '' && name !== 'node_modules')) {
    // A file that was removed and not committed is listed all the same.
    await cp(join(ROOT, file), join(directory, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await symlink(await realpath(join(ROOT, 'node_modules')), join(directory, 'node_modules'));
  return {
    directory,
    plant: async (bug) => {
      const file = join(directory, bug.file);
      const source = await readFile(file, 'utf8');
      await writeFile(file, withBug(source, bug));
      return { [Symbol.asyncDispose]: () => writeFile(file, source) };
    },
    test: (bug) => runTests(directory, bug),
    [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }),
  };
}

async function runTests(directory: string, { caughtBy }: SeededBug): Promise<Verdict> {
  const report = join(directory, 'seeded-report.json');
  await rm(report, { force: true });
  const argv = [
    join(directory, 'node_modules/vitest/vitest.mjs'),
    'run',
    `--project=${caughtBy.project}`,
    '--retry=0',
    '--reporter=json',
    `--outputFile=${report}`,
    ...(caughtBy.named === undefined ? [] : ['-t', caughtBy.named.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`)]),
    ...caughtBy.files,
  ];
  // A vitest inside of vitest must not take itself for a worker of it.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^VITEST|^TEST$/.test(name)));
  const output = await execute(process.execPath, argv, {
    cwd: directory,
    env,
    timeout: 600_000,
    maxBuffer: 64 * 1024 * 1024,
  })
    .catch((error: { readonly stdout?: string; readonly stderr?: string }) => error)
    .then(({ stdout = '', stderr = '' }) => `${stdout}${stderr}`.slice(-2_000));
  const told = JSON.parse(await readFile(report, 'utf8').catch(() => '{}')) as {
    readonly numPassedTests?: number;
    readonly numFailedTests?: number;
  };
  return { passed: told.numPassedTests ?? 0, failed: told.numFailedTests ?? 0, output };
}
