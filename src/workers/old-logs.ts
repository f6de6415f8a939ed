import { readdir, rm, rmdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RunId } from '../domain/ids.ts';
import { isFinal } from '../domain/run.ts';
import type { WorkerDeps } from './deps.ts';

type OldLogsDeps = Pick<WorkerDeps, 'clock' | 'log'> & {
  readonly store: Pick<WorkerDeps['store'], 'findRun'>;
  readonly settings: Pick<WorkerDeps['settings'], 'home' | 'keepMs'>;
};

/**
 * Removes the session logs in this home to which nothing was written for `keepMs`. Those of a run that is not over stay, however long
 * it waits. Says how many went.
 */
export async function removeOldLogs({ store, settings, clock, log }: OldLogsDeps): Promise<number> {
  const directory = path.join(settings.home, 'logs');
  let removed = 0;
  for (const run of await readdir(directory).catch(() => [])) {
    const old = await oldIn(path.join(directory, run), clock.now() - settings.keepMs);
    if (old.length === 0) continue;
    const known = await store.findRun(run as RunId);
    if (known !== undefined && !isFinal(known.state)) continue;
    for (const file of old) await rm(file, { force: true });
    // It stays while there are younger ones.
    await rmdir(path.join(directory, run)).catch(() => undefined);
    removed += old.length;
  }
  if (removed > 0) log.info({ logs: removed }, 'old session logs were removed');
  return removed;
}

/** Session logs in a run's directory that were last written to before a time. */
async function oldIn(directory: string, before: number): Promise<readonly string[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.jsonl'));
  const files = names.map((name) => path.join(directory, name));
  const times = await Promise.all(files.map(async (file) => (await stat(file).catch(() => undefined))?.mtimeMs));
  return files.filter((_, at) => (times[at] ?? before) < before);
}
