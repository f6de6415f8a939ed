import type { Database } from './database.ts';
import { optionalText, readText, storableText } from './storable.ts';
import type { Delivery, NewDelivery } from './store.ts';

/**
 * As {@link Store.saveDelivery}, for several in one statement and with one flush to the disk; answers are in the order given. The
 * bodies come back as they were saved but for characters no database holds (`storable.ts`).
 */
export async function saveDeliveries(
  database: Database,
  deliveries: readonly NewDelivery[],
): Promise<readonly ('saved' | 'duplicate')[]> {
  const guids = deliveries.map(({ guid }) => storableText(guid));
  const { rows } = await database.query<{ guid: string }>(
    `INSERT INTO maestro.deliveries (guid, event, action, body, received_at, lane)
     SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::double precision[], $6::text[])
     ON CONFLICT (guid) DO NOTHING RETURNING guid`,
    [
      guids,
      deliveries.map(({ event }) => storableText(event)),
      deliveries.map(({ action }) => optionalText(action)),
      deliveries.map(({ body }) => storableText(body)),
      deliveries.map(({ receivedAt }) => receivedAt),
      deliveries.map(({ lane = '' }) => storableText(lane)),
    ],
  );
  const saved = new Set(rows.map(({ guid }) => guid));
  // Of two with one GUID in the same statement the first was saved.
  return guids.map((guid) => (saved.delete(guid) ? 'saved' : 'duplicate'));
}

interface DeliveryRow {
  readonly guid: string;
  readonly event: string;
  readonly action: string | null;
  readonly body: string;
  readonly received_at: number;
  readonly attempts: number;
}

/** As {@link Store.pendingDeliveries}; those received in the same millisecond come in the order they were saved. */
export async function pendingDeliveries(
  database: Database,
  now: number,
  limit: number,
  lane?: string,
): Promise<readonly Delivery[]> {
  const { rows } = await database.query<DeliveryRow>(
    `SELECT guid, event, action, ${readText('body')}, received_at, attempts FROM maestro.deliveries
     WHERE state = 'pending' AND retry_at <= $1 ${lane === undefined ? '' : 'AND lane = $3'} ORDER BY received_at, arrival LIMIT $2`,
    lane === undefined ? [now, limit] : [now, limit, lane],
  );
  return rows.map((row) => ({
    guid: row.guid,
    event: row.event,
    action: row.action ?? undefined,
    body: row.body,
    receivedAt: row.received_at,
    attempts: row.attempts,
  }));
}

/** As {@link Store.lanesDue}. Goes from lane to lane along the index: what it costs is the lanes there are, not what waits in them. */
export async function lanesDue(database: Database, now: number): Promise<readonly string[]> {
  const { rows } = await database.query<{ lane: string }>(
    `WITH RECURSIVE lanes AS (
       SELECT (SELECT min(lane) FROM maestro.deliveries WHERE state = 'pending' AND retry_at <= $1) AS lane
       UNION ALL
       SELECT (SELECT min(lane) FROM maestro.deliveries WHERE state = 'pending' AND retry_at <= $1 AND lane > lanes.lane)
       FROM lanes WHERE lanes.lane IS NOT NULL
     ), due AS (SELECT lane FROM lanes WHERE lane IS NOT NULL LIMIT 1000)
     SELECT lane FROM due ORDER BY (
       SELECT received_at FROM maestro.deliveries
       WHERE state = 'pending' AND retry_at <= $1 AND lane = due.lane ORDER BY received_at, arrival LIMIT 1)`,
    [now],
  );
  return rows.map(({ lane }) => lane);
}

/**
 * As {@link Store.settleDelivery}. Not flushed to the disk at once: where a power cut takes it back, the delivery is handled again,
 * as after a crash just before this.
 */
export async function settleDelivery(database: Database, guid: string, note: string): Promise<void> {
  await database.query(
    `UPDATE maestro.deliveries SET state = 'settled', note = $2
     FROM set_config('synchronous_commit', 'off', true) AS commit WHERE guid = $1 AND commit = 'off'`,
    [storableText(guid), storableText(note)],
  );
}

/** As {@link Store.failDelivery}. A delivery that was settled meanwhile stays settled. */
export async function failDelivery(
  database: Database,
  guid: string,
  error: string,
  retryAt: number | undefined,
): Promise<void> {
  await database.query(
    `UPDATE maestro.deliveries SET attempts = attempts + 1, note = $2, retry_at = coalesce($3, retry_at),
       state = CASE WHEN $3::double precision IS NULL THEN 'given up' ELSE state END
     WHERE guid = $1 AND state = 'pending'`,
    [storableText(guid), storableText(error), retryAt ?? null],
  );
}

/** As {@link Store.knownDeliveries}. */
export async function knownDeliveries(database: Database, guids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await database.query<{ guid: string }>(
    'SELECT guid FROM maestro.deliveries WHERE guid = ANY($1::text[])',
    [guids.map(storableText)],
  );
  return new Set(rows.map(({ guid }) => guid));
}

/** As {@link Store.pruneDeliveries}. */
export async function pruneDeliveries(database: Database, before: number): Promise<number> {
  const { rows } = await database.query(
    `DELETE FROM maestro.deliveries WHERE state = 'settled' AND received_at < $1 RETURNING guid`,
    [before],
  );
  return rows.length;
}
