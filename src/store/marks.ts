import type { Database } from './database.ts';
import { storableJson, storableText } from './storable.ts';
import type { Mark } from './store.ts';

/** As {@link Store.setMark}. */
export async function setMark(database: Database, name: string, mark: Mark): Promise<void> {
  await database.query(
    `INSERT INTO maestro.marks (name, value, at) VALUES ($1, $2, $3)
     ON CONFLICT (name) DO UPDATE SET value = excluded.value, at = excluded.at`,
    [storableText(name), storableJson(mark.value), mark.at],
  );
}

/** As {@link Store.findMarks}. */
export async function findMarks(database: Database, names: readonly string[]): Promise<ReadonlyMap<string, Mark>> {
  const { rows } = await database.query<{ name: string; value: unknown; at: number }>(
    'SELECT name, value, at FROM maestro.marks WHERE name = ANY($1::text[])',
    [names.map(storableText)],
  );
  return new Map(rows.map(({ name, value, at }) => [name, { value, at }]));
}

/** As {@link Store.marksBelow}. */
export async function marksBelow(database: Database, prefix: string): Promise<ReadonlyMap<string, Mark>> {
  const { rows } = await database.query<{ name: string; value: unknown; at: number }>(
    'SELECT name, value, at FROM maestro.marks WHERE starts_with(name, $1)',
    [storableText(prefix)],
  );
  return new Map(rows.map(({ name, value, at }) => [name, { value, at }]));
}

/** As {@link Store.pruneMarks}. */
export async function pruneMarks(database: Database, prefix: string, before: number): Promise<number> {
  const { rows } = await database.query(
    'DELETE FROM maestro.marks WHERE starts_with(name, $1) AND at < $2 RETURNING name',
    [storableText(prefix), before],
  );
  return rows.length;
}
