import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { isFinal } from '../../src/domain/run.ts';
import { createDatabase, type TestDatabase } from '../setup/database.ts';
import { describeWith } from '../setup/require.ts';
import { useHarness } from './suite.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** Node's arguments that start a worker, as `npm run start:worker` has them. */
function workerArguments(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return (scripts['start:worker'] ?? '').split(' ').slice(1);
}

/** With this set everything is ten times as much: 2 GB, and a million lines, as in the fault table. */
const SCALE = process.env['MAESTRO_TEST_FULL'] === undefined ? 1 : 10;

/** How long a busy machine may take over it. */
const DEADLINE_MS = 180_000 * SCALE;

/** Limits of the fault table, F21. */
const MOST_MEMORY = 300 * 1024 ** 2;
const MOST_LOG = 50 * 1024 ** 2;

describeWith('postgres', 'an agent that floods its output', () => {
  let database: TestDatabase;
  let worker: ChildProcess;
  beforeAll(async () => {
    database = await createDatabase();
  });
  const suite = useHarness(() => ({ runner: 'local', env: { DATABASE_URL: database.url } }));
  // The worker is a process of its own, so that what it takes is its own.
  beforeAll(async () => await suite.harness().stopWorker());
  beforeEach(() => {
    const { env } = suite.harness();
    worker = spawn(process.execPath, workerArguments(), {
      cwd: ROOT,
      env: { PATH: process.env['PATH'], ...env, LOG_LEVEL: 'warn' },
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  });
  afterEach(async () => {
    if (worker.exitCode !== null) return;
    worker.kill('SIGTERM');
    await once(worker, 'exit');
  });
  afterAll(async () => {
    await database[Symbol.asyncDispose]();
  });

  it.each([
    ['with lines', `spew ${200 * SCALE}MB lines`],
    ['with very many short lines', `spew ${1 * SCALE}MB short`],
    ['with bytes that are no text', `spew ${20 * SCALE}MB binary`],
    ['without a line end', `spew ${200 * SCALE}MB noline`],
  ])(
    '%s takes neither the memory nor the disk, and its work is taken',
    async (_, directive) => {
      const place = await suite.place();
      const issue = await place.issue('One thing', `\`scripted: ${directive}\` \`scripted: write a.txt a\``);
      await place.label(issue);
      const isOver = async (): Promise<boolean> => (await place.runs()).some((one) => isFinal(one.state));
      await place.until('the end of the run', isOver, DEADLINE_MS);
      const run = await place.settledRun();

      expect(run).toMatchObject({ state: 'succeeded' });
      expect(await peakOf(worker)).toBeLessThan(MOST_MEMORY);
      const [session] = await suite.harness().store.sessionsOf(run.id);
      const log = session?.log ?? '';
      expect((await stat(log)).size).toBeLessThanOrEqual(MOST_LOG);
      // The end is there, however much was left out before it.
      const lines = (await readFile(log, 'utf8')).trimEnd().split('\n');
      expect(lines.at(-1)).toContain('"type":"end"');
      expect(lines[0]).toContain('"type":"prompt"');
      const full = (await stat(log)).size > MOST_LOG / 2;
      expect(lines.some((line) => / entries were left out here: the log is full/.test(line))).toBe(full);
    },
    DEADLINE_MS + 60_000,
  );
});

/** The most memory a process has had in use since it began, in bytes. */
async function peakOf(process: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${process.pid ?? 0}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
