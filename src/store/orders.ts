import type { RunId } from '../domain/ids.ts';
import type { GivenOrder, Order } from '../domain/steering.ts';
import type { Database } from './database.ts';
import { storableJson, storableText } from './storable.ts';
import type { NewOrder } from './store.ts';

/** Postgres' code for a row a unique index refuses. */
const UNIQUE_VIOLATION = '23505';

/**
 * As {@link Store.giveOrder}. The run's row is locked first, so that the numbers of its orders are in the order they can be read.
 */
export async function giveOrder(
  database: Database,
  id: RunId,
  { key, by, at, order, reopen }: NewOrder,
): Promise<'given' | 'known' | 'in the way'> {
  try {
    const { rows } = await database.query(
      `WITH run AS (SELECT id, orders FROM maestro.runs WHERE id = $1 FOR UPDATE), added AS (
         INSERT INTO maestro.orders (run_id, number, key, given_by, at, body)
         SELECT id, orders + 1, $2, $3, $4, $5::jsonb FROM run
         ON CONFLICT (run_id, key) DO NOTHING RETURNING number
       )
       UPDATE maestro.runs AS run SET orders = added.number,
         state = CASE WHEN state = ANY($6::text[]) THEN 'queued' ELSE state END,
         stop = CASE WHEN state = ANY($6::text[]) THEN NULL ELSE stop END,
         reason = CASE WHEN state = ANY($6::text[]) THEN NULL ELSE reason END,
         setbacks = CASE WHEN state = ANY($6::text[]) THEN NULL ELSE setbacks END,
         ended_at = CASE WHEN state = ANY($6::text[]) THEN NULL ELSE ended_at END
       FROM added WHERE run.id = $1 RETURNING run.id`,
      [id, storableText(key), storableText(by), at, storableJson(order), reopen],
    );
    return rows.length > 0 ? 'given' : 'known';
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === UNIQUE_VIOLATION) return 'in the way';
    throw error;
  }
}

interface OrderRow {
  readonly number: number;
  readonly key: string;
  readonly given_by: string;
  readonly at: number;
  readonly body: Order;
}

/** As {@link Store.ordersOf}. */
export async function ordersOf(database: Database, id: RunId, after: number): Promise<readonly GivenOrder[]> {
  const { rows } = await database.query<OrderRow>(
    'SELECT number, key, given_by, at, body FROM maestro.orders WHERE run_id = $1 AND number > $2 ORDER BY number',
    [id, after],
  );
  return rows.map(({ number, key, given_by, at, body }) => ({ number, key, by: given_by, at, order: body }));
}
