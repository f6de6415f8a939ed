import type { RunId, TaskKey } from '../domain/ids.ts';
import type { Session } from '../domain/run.ts';
import type { Database } from './database.ts';
import { HELD, VERDICT, writeUnder } from './leases.ts';
import { storableJson, storableText } from './storable.ts';
import type { Lease } from './store.ts';
import { toUsage, type StoredUsage } from './tasks.ts';

/** A session as JSON holds it: what is undefined is not there. */
type StoredSession = Omit<Session, 'conversation' | 'image' | 'endedAt' | 'outcome' | 'usage'> &
  Partial<Pick<Session, 'conversation' | 'image' | 'endedAt' | 'outcome'>> & { readonly usage: StoredUsage };

/**
 * As {@link Store.saveSession}.
 *
 * @throws Error when the session is not of the lease's run.
 */
export async function saveSession(database: Database, lease: Lease, session: Session): Promise<void> {
  const written =
    session.runId === lease.runId &&
    (await writeUnder(
      database,
      lease,
      `${HELD}, written AS (
         INSERT INTO maestro.sessions AS kept (id, run_id, started_at, attempt, record)
         SELECT $3, held.id, $4::double precision, $5::integer, $6::jsonb FROM held
         ON CONFLICT (id) DO UPDATE
           SET started_at = excluded.started_at, attempt = excluded.attempt, record = excluded.record
           WHERE kept.run_id = excluded.run_id
         RETURNING 1
       ) ${VERDICT}`,
      [session.id, session.startedAt, session.attempt, storableJson(session)],
    ));
  if (!written) throw new Error(`session ${session.id} is not of run ${lease.runId}`);
}

/** As {@link Store.sessionsOf}, in the order they began. */
export async function sessionsOf(database: Database, id: RunId, task?: TaskKey): Promise<readonly Session[]> {
  const { rows } = await database.query<{ record: StoredSession }>(
    `SELECT record FROM maestro.sessions WHERE run_id = $1 ${task === undefined ? '' : `AND record->>'taskKey' = $2`}
     ORDER BY started_at, attempt, id`,
    task === undefined ? [id] : [id, storableText(task)],
  );
  return rows.map(({ record }) => toSession(record));
}

/** As {@link Store.findSessions}. */
export async function findSessions(
  database: Database,
  name: string,
): Promise<readonly { readonly repositoryId: number; readonly session: Session }[]> {
  const { rows } = await database.query<{ record: StoredSession; repository_id: number }>(
    `SELECT sessions.record, runs.repository_id::double precision AS repository_id
     FROM maestro.sessions JOIN maestro.runs ON runs.id = sessions.run_id
     WHERE sessions.id = $1 OR sessions.record->>'conversation' = $1
     ORDER BY sessions.started_at DESC, sessions.attempt DESC LIMIT 20`,
    [storableText(name)],
  );
  return rows.map(({ record, repository_id: repositoryId }) => ({ repositoryId, session: toSession(record) }));
}

function toSession(record: StoredSession): Session {
  return {
    ...record,
    conversation: record.conversation,
    image: record.image,
    endedAt: record.endedAt,
    outcome: record.outcome,
    usage: toUsage(record.usage),
  };
}
