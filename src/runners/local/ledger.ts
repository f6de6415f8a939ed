import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { JobOwner } from '../runner.ts';

/** What is known of a try at a job: enough to end it after the process that started it is gone. */
interface Entry {
  /** `<job>.<try>`; a job's name holds no dot. */
  readonly attempt: string;
  readonly job: string;
  /** Undefined when the file can't be read any more. */
  readonly owner: JobOwner | undefined;
}

/** Longer than it takes to write an entry. Milliseconds. */
const WRITING_MS = 100;

/** A file per running job, so that a later process can find and end what an earlier one left. */
export interface Ledger {
  add(attempt: string, owner: JobOwner): Promise<void>;
  remove(attempt: string): Promise<void>;
  list(): Promise<readonly Entry[]>;
}

/** Keeps the ledger in `directory`, which is made when it is needed. */
export function createLedger(directory: string): Ledger {
  const fileOf = (attempt: string): string => join(directory, `${attempt}.json`);

  const ownerOf = async (attempt: string): Promise<JobOwner> =>
    JSON.parse(await readFile(fileOf(attempt), 'utf8')) as JobOwner;

  async function read(attempt: string): Promise<Entry> {
    const job = attempt.slice(0, attempt.lastIndexOf('.'));
    // Another worker may be writing it: what is not whole then was left by one that died.
    const again = async (): Promise<JobOwner> => {
      await delay(WRITING_MS);
      return await ownerOf(attempt);
    };
    return {
      attempt,
      job,
      owner: await ownerOf(attempt)
        .catch(again)
        .catch(() => undefined),
    };
  }

  return {
    async add(attempt, { runId, epoch }) {
      await mkdir(directory, { recursive: true });
      await writeFile(fileOf(attempt), JSON.stringify({ runId, epoch }));
    },
    async remove(attempt) {
      await rm(fileOf(attempt), { force: true });
    },
    async list() {
      const files = await readdir(directory).catch(() => []);
      return Promise.all(files.filter((file) => file.endsWith('.json')).map((file) => read(file.slice(0, -5))));
    },
  };
}
