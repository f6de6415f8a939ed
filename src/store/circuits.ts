import { CLOSED, type Circuit } from '../domain/circuit.ts';
import type { Database } from './database.ts';
import { storableJson, storableText } from './storable.ts';

/** A circuit as JSON holds it: what is undefined is not there. */
type StoredCircuit = Pick<Circuit, 'failures' | 'openings'> & Partial<Circuit>;

/** As {@link Store.findCircuits}. */
export async function findCircuits(
  database: Database,
  names: readonly string[],
): Promise<ReadonlyMap<string, Circuit>> {
  if (names.length === 0) return new Map();
  const { rows } = await database.query<{ name: string; circuit: StoredCircuit }>(
    'SELECT name, circuit FROM maestro.circuits WHERE name = ANY($1::text[])',
    [names.map(storableText)],
  );
  return new Map(rows.map(({ name, circuit }) => [name, { ...CLOSED, ...circuit }]));
}

/** As {@link Store.circuitsBelow}. */
export async function circuitsBelow(database: Database, prefix: string): Promise<ReadonlyMap<string, Circuit>> {
  const { rows } = await database.query<{ name: string; circuit: StoredCircuit }>(
    'SELECT name, circuit FROM maestro.circuits WHERE starts_with(name, $1)',
    [storableText(prefix)],
  );
  return new Map(rows.map(({ name, circuit }) => [name, { ...CLOSED, ...circuit }]));
}

/** As {@link Store.changeCircuit}. A row is made first, so that there is one to lock. */
export async function changeCircuit(
  database: Database,
  name: string,
  change: (before: Circuit) => Circuit | undefined,
): Promise<boolean> {
  return await database.transaction(async (transaction) => {
    const key = storableText(name);
    await transaction.query('INSERT INTO maestro.circuits (name, circuit) VALUES ($1, $2) ON CONFLICT DO NOTHING', [
      key,
      storableJson(CLOSED),
    ]);
    const { rows } = await transaction.query<{ circuit: StoredCircuit }>(
      'SELECT circuit FROM maestro.circuits WHERE name = $1 FOR UPDATE',
      [key],
    );
    const before = { ...CLOSED, ...rows[0]?.circuit };
    const after = change(before);
    if (after === undefined) return false;
    await transaction.query('UPDATE maestro.circuits SET circuit = $2 WHERE name = $1', [key, storableJson(after)]);
    return true;
  });
}
