import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Log } from '../telemetry/log.ts';
import type { Database } from './database.ts';
import { DirectoryInUseError } from './directory-lock.ts';
import { schemaVersion } from './migrate.ts';
import { openPglite } from './pglite.ts';
import { openPostgres } from './postgres.ts';
import { MIGRATIONS } from './schema.ts';

/** What was found of a store without changing it. Versions are those of its schema. */
export interface StoreFacts {
  readonly kind: Database['kind'];
  /** `new`: nothing is there yet, and it is made at the first start. `in use`: embedded, and open in another process. */
  readonly state: 'there' | 'new' | 'in use';
  readonly version: number | undefined;
  /** The newest version this Maestro knows. */
  readonly known: number;
}

/**
 * Looks at the store that `openStore` would open.
 *
 * @throws Error when the database cannot be reached or does not open.
 */
export async function inspectStore(options: {
  readonly databaseUrl?: string | undefined;
  readonly directory: string;
  readonly log: Log;
}): Promise<StoreFacts> {
  const { databaseUrl, directory, log } = options;
  const known = MIGRATIONS.at(-1)?.version ?? 0;
  if (databaseUrl === undefined && !existsSync(join(directory, 'database'))) {
    return { kind: 'pglite', state: 'new', version: undefined, known };
  }
  let database: Database;
  try {
    database =
      databaseUrl === undefined ? await openPglite({ directory }) : await openPostgres({ url: databaseUrl, log });
  } catch (error) {
    if (!(error instanceof DirectoryInUseError)) throw error;
    return { kind: 'pglite', state: 'in use', version: undefined, known };
  }
  try {
    const version = await versionOf(database);
    return { kind: database.kind, state: version === undefined ? 'new' : 'there', version, known };
  } finally {
    await database.close();
  }
}

async function versionOf(database: Database): Promise<number | undefined> {
  const { rows: tables } = await database.query<{ name: string | null }>(
    "SELECT to_regclass('maestro.migrations')::text AS name",
  );
  if ((tables[0]?.name ?? null) === null) return undefined;
  return await schemaVersion(database);
}
