import type { RunId, TaskKey } from '../domain/ids.ts';
import type { Outcome } from '../domain/outcome.ts';
import type { Question } from '../domain/question.ts';
import type { Handover, RunTask } from '../domain/run.ts';
import type { Usage } from '../domain/usage.ts';
import type { Database } from './database.ts';
import { HELD, VERDICT, writeUnder } from './leases.ts';
import { readText, storableJson } from './storable.ts';
import type { Lease } from './store.ts';

interface TaskRow {
  readonly run_id: RunId;
  readonly key: TaskKey;
  readonly position: number;
  readonly title: string;
  readonly text: string;
  readonly attempts: number;
  readonly since: number;
  readonly outcome: Outcome | null;
  readonly usage: StoredUsage;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly handover: Handover | null;
  readonly questions: readonly Question[] | null;
  readonly notes: readonly string[] | null;
  readonly added: { readonly by: string } | null;
}

/** A usage as JSON holds it: an unknown cost is not there. */
export type StoredUsage = Omit<Usage, 'costUsd'> & { readonly costUsd?: number };

/** The usage that was stored. */
export function toUsage(stored: StoredUsage): Usage {
  return { ...stored, costUsd: stored.costUsd };
}

/** As {@link Store.tasksOf}, in document order. */
export async function tasksOf(database: Database, id: RunId): Promise<readonly RunTask[]> {
  const { rows } = await database.query<TaskRow>(
    `SELECT run_id, key, position, ${readText('title')}, ${readText('text')}, attempts, since, outcome, usage, started_at, ended_at, handover, questions, notes, added
     FROM maestro.tasks WHERE run_id = $1 ORDER BY position, key`,
    [id],
  );
  return rows.map((row) => ({
    runId: row.run_id,
    key: row.key,
    position: row.position,
    title: row.title,
    text: row.text,
    attempts: row.attempts,
    ...(row.since === 0 ? {} : { since: row.since }),
    outcome: row.outcome ?? undefined,
    usage: toUsage(row.usage),
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    ...(row.handover === null ? {} : { handover: row.handover }),
    ...(row.questions === null ? {} : { questions: row.questions }),
    ...(row.notes === null ? {} : { notes: row.notes }),
    ...(row.added === null ? {} : { added: row.added }),
  }));
}

/** As {@link Store.addTasks}. A new task has no questions and no notes yet. */
export async function addTasks(database: Database, lease: Lease, tasks: readonly RunTask[]): Promise<void> {
  await writeUnder(
    database,
    lease,
    `${HELD}, written AS (
       INSERT INTO maestro.tasks
         (run_id, key, position, title, text, attempts, since, outcome, usage, started_at, ended_at, added)
       SELECT held.id, task.key, task.position, task.title, task.text, task.attempts, coalesce(task.since, 0),
              task.outcome, task.usage, task."startedAt", task."endedAt", task.added
       FROM held, jsonb_to_recordset($3::jsonb) AS task (key text, position integer, title text, text text,
         attempts integer, since integer, outcome jsonb, usage jsonb, "startedAt" double precision,
         "endedAt" double precision, added jsonb)
       ON CONFLICT (run_id, key) DO NOTHING RETURNING 1
     ) ${VERDICT}`,
    [storableJson(tasks)],
  );
}
