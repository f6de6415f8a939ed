import type { Log } from '../telemetry/log.ts';
import type { Database } from './database.ts';
import { migrate } from './migrate.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import { createStore } from './sql-store.ts';
import type { Store } from './store.ts';

/**
 * Opens the store with its schema up to date: on the Postgres server at `databaseUrl` when there is one, else embedded in
 * `directory`. Closing the store closes the database.
 *
 * @throws Error when the database cannot be reached, is in use by another process (embedded), or is of a newer Maestro.
 */
export async function openStore(options: {
  readonly databaseUrl?: string | undefined;
  readonly directory: string;
  readonly log: Log;
}): Promise<{ readonly store: Store; readonly database: Database }> {
  const { databaseUrl, directory, log } = options;
  const database =
    databaseUrl === undefined ? await openPglite({ directory }) : await openPostgres({ url: databaseUrl, log });
  try {
    await migrate(database);
  } catch (error) {
    await database.close();
    throw error;
  }
  return { store: createStore(database), database };
}
