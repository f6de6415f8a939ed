import type { Database } from './database.ts';
import { MIGRATIONS, type Migration } from './schema.ts';

/** Any number, the same in every version: whoever migrates holds this advisory lock. ("MAES" in ASCII.) */
const MIGRATION_LOCK = 0x4d414553;

/**
 * Brings the schema `maestro` to the newest version, in one transaction. Processes that start together do it once.
 *
 * @throws Error when a newer Maestro has written the database.
 */
export async function migrate(database: Database, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  const known = migrations.at(-1)?.version ?? 0;
  await database.transaction(async (transaction) => {
    await transaction.query('SELECT pg_advisory_xact_lock($1::bigint)', [MIGRATION_LOCK]);
    await transaction.script(`
      CREATE SCHEMA IF NOT EXISTS maestro;
      CREATE TABLE IF NOT EXISTS maestro.migrations (
        version integer PRIMARY KEY,
        name text NOT NULL,
        applied_at timestamptz NOT NULL DEFAULT now()
      );
    `);
    const current = await schemaVersion(transaction);
    if (current > known) {
      throw new Error(
        `the database has schema version ${current}, written by a newer Maestro; this one knows versions up to ${known}. ` +
          'Update Maestro: schemas only go forward.',
      );
    }
    for (const migration of migrations.filter(({ version }) => version > current)) {
      await transaction.script(migration.sql);
      await transaction.query('INSERT INTO maestro.migrations (version, name) VALUES ($1, $2)', [
        migration.version,
        migration.name,
      ]);
    }
  });
}

/** The version of a schema that is there; 0 before the first migration. */
export async function schemaVersion(database: Pick<Database, 'query'>): Promise<number> {
  const { rows } = await database.query<{ version: number }>(
    'SELECT coalesce(max(version), 0)::integer AS version FROM maestro.migrations',
  );
  return rows[0]?.version ?? 0;
}
