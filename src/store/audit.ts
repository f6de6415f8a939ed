import type { RunId, SessionId } from '../domain/ids.ts';
import type { Database } from './database.ts';
import { optionalText, storableJson, storableText } from './storable.ts';
import type { AuditEntry } from './store.ts';

/** As {@link Store.audit}. */
export async function appendAudit(database: Database, entry: AuditEntry): Promise<void> {
  await database.query(
    `INSERT INTO maestro.audit (at, run_id, session_id, actor, action, detail, once) VALUES ($1, $2, $3, $4, $5, $6, $7)
     ON CONFLICT (run_id, once) WHERE once IS NOT NULL DO NOTHING`,
    [
      entry.at,
      optionalText(entry.runId),
      optionalText(entry.sessionId),
      storableText(entry.actor),
      storableText(entry.action),
      storableJson(entry.detail),
      optionalText(entry.once),
    ],
  );
}

interface AuditRow {
  readonly at: number;
  readonly run_id: RunId | null;
  readonly session_id: SessionId | null;
  readonly actor: string;
  readonly action: string;
  readonly detail: unknown;
}

/** As {@link Store.auditOf}, in the order it was written. */
export async function auditOf(database: Database, id: RunId): Promise<readonly AuditEntry[]> {
  const { rows } = await database.query<AuditRow>(
    'SELECT at, run_id, session_id, actor, action, detail FROM maestro.audit WHERE run_id = $1 ORDER BY arrival',
    [id],
  );
  return rows.map((row) => ({
    at: row.at,
    runId: row.run_id ?? undefined,
    ...(row.session_id === null ? {} : { sessionId: row.session_id }),
    actor: row.actor,
    action: row.action,
    detail: row.detail,
  }));
}
