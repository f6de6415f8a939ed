import type { RunId } from '../domain/ids.ts';
import type { Database } from './database.ts';
import { HELD, VERDICT, writeUnder } from './leases.ts';
import { storableJson, storableText } from './storable.ts';
import type { Effect, EffectIntent, Lease } from './store.ts';

/** As {@link Store.recordIntent}. A newer intent replaces the old one until there is a result; then the record stays as it is. */
export async function recordIntent(database: Database, lease: Lease, effect: EffectIntent): Promise<void> {
  await writeUnder(
    database,
    lease,
    `${HELD}, written AS (
       INSERT INTO maestro.effects AS kept (run_id, key, name, intent) SELECT held.id, $3, $4, $5::jsonb FROM held
       ON CONFLICT (run_id, key) DO UPDATE SET name = excluded.name, intent = excluded.intent WHERE kept.result IS NULL
       RETURNING 1
     ) ${VERDICT}`,
    [storableText(effect.key), storableText(effect.name), storableJson(effect.intent)],
  );
}

/**
 * As {@link Store.recordResult}; `undefined` is recorded as null.
 *
 * @throws Error when no intent was recorded under `key`.
 */
export async function recordResult(database: Database, lease: Lease, key: string, result: unknown): Promise<void> {
  const written = await writeUnder(
    database,
    lease,
    `${HELD}, written AS (
       UPDATE maestro.effects SET result = $4::jsonb FROM held WHERE effects.run_id = held.id AND effects.key = $3 RETURNING 1
     ) ${VERDICT}`,
    [storableText(key), storableJson(result)],
  );
  if (!written) throw new Error(`run ${lease.runId} has no intent recorded under ${key}`);
}

interface EffectRow {
  readonly key: string;
  readonly name: string;
  readonly intent: unknown;
  readonly result: unknown;
  readonly done: boolean;
}

/** As {@link Store.findEffect}. */
export async function findEffect(database: Database, id: RunId, key: string): Promise<Effect | undefined> {
  const { rows } = await database.query<EffectRow>(
    `SELECT key, name, intent, result, result IS NOT NULL AS done FROM maestro.effects WHERE run_id = $1 AND key = $2`,
    [id, storableText(key)],
  );
  const row = rows[0];
  return row && { key: row.key, name: row.name, intent: row.intent, result: row.done ? row.result : undefined };
}
