import type { RunId } from '../domain/ids.ts';
import { around } from '../telemetry/failpoint.ts';
import type { Database } from './database.ts';
import { storableText } from './storable.ts';
import { LeaseLostError, type Lease } from './store.ts';

/**
 * Beginning of every statement that writes under a lease. `held` has one row while the lease's epoch ($2) is that of its run
 * ($1), else none: what follows writes `FROM held`. The row stays locked until the statement is through, so that a claim comes
 * either wholly before the write, which then writes nothing, or wholly after it.
 */
export const HELD = 'WITH held AS (SELECT id FROM maestro.runs WHERE id = $1 AND epoch = $2 FOR SHARE)';

/** How a statement that begins with {@link HELD} and has its write in `written` says what came of it. */
export const VERDICT = 'SELECT EXISTS (SELECT FROM held) AS held, EXISTS (SELECT FROM written) AS written';

/**
 * Runs a statement made of {@link HELD} and {@link VERDICT}. `params` follow the lease's two.
 *
 * @returns whether anything was written.
 * @throws LeaseLostError when the lease's epoch is no longer the run's.
 */
export async function writeUnder(
  database: Database,
  lease: Lease,
  sql: string,
  params: readonly unknown[],
): Promise<boolean> {
  const { rows } = await database.query<{ held: boolean; written: boolean }>(sql, [
    lease.runId,
    lease.epoch,
    ...params,
  ]);
  if (rows[0]?.held !== true) throw new LeaseLostError(lease);
  return rows[0].written;
}

/** As {@link Store.claimRun}: one statement, so that of any number of claimers one wins. */
export async function claimRun(
  database: Database,
  id: RunId,
  owner: string,
  now: number,
  ttlMs: number,
): Promise<Lease | undefined> {
  const { rows } = await around('claim', {
    perform: async () =>
      await database.query<{ epoch: number }>(
        `UPDATE maestro.runs SET epoch = epoch + 1, lease_owner = $2, lease_until = $4
         WHERE id = $1 AND (lease_until IS NULL OR lease_until < $3) RETURNING epoch`,
        [id, storableText(owner), now, now + ttlMs],
      ),
  });
  return rows[0] && { runId: id, owner, epoch: rows[0].epoch };
}

/** As {@link Store.renewLease}. A lease that ran out may be renewed while nobody else took the run. */
export async function renewLease(database: Database, lease: Lease, now: number, ttlMs: number): Promise<boolean> {
  const { rows } = await database.query(
    `UPDATE maestro.runs SET lease_until = $3 WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL RETURNING id`,
    [lease.runId, lease.epoch, now + ttlMs],
  );
  return rows.length > 0;
}

/** As {@link Store.releaseLeasesOf}. */
export async function releaseLeasesOf(database: Database, owner: string): Promise<readonly RunId[]> {
  const { rows } = await database.query<{ id: RunId }>(
    `UPDATE maestro.runs SET lease_owner = NULL, lease_until = NULL
     WHERE lease_owner = $1 AND lease_until IS NOT NULL RETURNING id`,
    [storableText(owner)],
  );
  return rows.map(({ id }) => id);
}

/** As {@link Store.releaseLease}. Does nothing when the lease is lost. */
export async function releaseLease(database: Database, lease: Lease): Promise<void> {
  await database.query('UPDATE maestro.runs SET lease_owner = NULL, lease_until = NULL WHERE id = $1 AND epoch = $2', [
    lease.runId,
    lease.epoch,
  ]);
}

/** As {@link Store.heldLeases}. */
export async function heldLeases(
  database: Database,
  now: number,
): Promise<ReadonlyMap<RunId, { readonly owner: string; readonly until: number }>> {
  const { rows } = await database.query<{ id: RunId; owner: string; until: number }>(
    `SELECT id, lease_owner AS owner, lease_until AS until FROM maestro.runs
     WHERE lease_owner IS NOT NULL AND lease_until >= $1`,
    [now],
  );
  return new Map(rows.map(({ id, owner, until }) => [id, { owner, until }]));
}
