import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JobOwner } from '../runner.ts';

/** What is known of a job that was started: enough to end it after the process that started it is gone. */
interface Entry {
  readonly name: string;
  /** Undefined when the file can't be read any more. */
  readonly owner: JobOwner | undefined;
}

/** A file per running job, so that a later process can find and end what an earlier one left. */
export interface Ledger {
  add(name: string, owner: JobOwner): Promise<void>;
  remove(name: string): Promise<void>;
  list(): Promise<readonly Entry[]>;
}

/** Keeps the ledger in `directory`, which is made when it is needed. */
export function createLedger(directory: string): Ledger {
  const fileOf = (name: string): string => join(directory, `${name}.json`);

  async function read(name: string): Promise<Entry> {
    try {
      return { name, owner: JSON.parse(await readFile(fileOf(name), 'utf8')) as JobOwner };
    } catch {
      return { name, owner: undefined };
    }
  }

  return {
    async add(name, { runId, epoch }) {
      await mkdir(directory, { recursive: true });
      await writeFile(fileOf(name), JSON.stringify({ runId, epoch }));
    },
    async remove(name) {
      await rm(fileOf(name), { force: true });
    },
    async list() {
      const files = await readdir(directory).catch(() => []);
      return Promise.all(files.filter((file) => file.endsWith('.json')).map((file) => read(file.slice(0, -5))));
    },
  };
}
