import { join, resolve } from 'node:path';
import { PGlite, type Transaction as PGliteTransaction } from '@electric-sql/pglite';
import type { Database, Transaction } from './database.ts';
import { lockDirectory } from './directory-lock.ts';
import { DiskFullError, requireSpace } from './disk-reserve.ts';
import { pglitePool } from './pglite-pool.ts';
import { SyncedFiles } from './synced-files.ts';

/** Commits are flushed to the disk: without `-F` (no fsync), and by `fsync`, the one method PGlite's build passes on to files. */
const START_PARAMS = [...PGlite.defaultStartParams.filter((param) => param !== '-F'), '-c', 'wal_sync_method=fsync'];

/**
 * Opens the embedded database in `directory` (its files in `directory/database`), for this process alone.
 *
 * @param options.flush Flushes one file to the disk; given by tests to count.
 * @throws Error when another process has the directory open, or the files cannot be read.
 */
export async function openPglite(options: {
  readonly directory: string;
  readonly flush?: (descriptor: number) => void;
}): Promise<Database> {
  const directory = resolve(options.directory);
  const lock = lockDirectory(directory);
  try {
    requireSpace(directory);
    const pglite = await PGlite.create({
      fs: new SyncedFiles(join(directory, 'database'), options.flush),
      startParams: START_PARAMS,
    });
    return pgliteDatabase(pglite, { release: () => lock.release(), requireSpace: () => requireSpace(directory) });
  } catch (error) {
    lock.release();
    if (error instanceof DiskFullError) throw error;
    throw new Error(
      `the embedded database in ${directory} does not open: ${error instanceof Error ? error.message : String(error)}. ` +
        'Put a copy of the directory back, or move it away to begin with an empty one.',
      { cause: error },
    );
  }
}

function pgliteDatabase(
  pglite: PGlite,
  on: { readonly release: () => void; readonly requireSpace: () => void },
): Database {
  let closing: Promise<void> | undefined;
  return {
    kind: 'pglite',
    query: async <Row>(sql: string, params?: readonly unknown[]) => {
      // Reading goes on when the disk is full, so that people see how things stand.
      if (!/^\s*SELECT\b/i.test(sql)) on.requireSpace();
      return withoutValues(pglite.query<Row>(sql, params && [...params]));
    },
    transaction: async (work) => {
      on.requireSpace();
      return pglite.transaction(async (handle) => work(transactionOn(handle)));
    },
    pool: async (schema) => pglitePool(pglite, schema, on.requireSpace),
    close: async () => {
      closing ??= pglite.close().finally(on.release);
      return closing;
    },
  };
}

function transactionOn(handle: PGliteTransaction): Transaction {
  return {
    query: async <Row>(sql: string, params?: readonly unknown[]) =>
      withoutValues(handle.query<Row>(sql, params && [...params])),
    script: async (sql) => {
      await handle.exec(sql);
    },
  };
}

/** PGlite's errors carry the values of the statement, which would end up in logs with whatever is in them (promise P13). */
async function withoutValues<T>(answer: Promise<T>): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && 'params' in error) delete error.params;
    throw error;
  }
}
