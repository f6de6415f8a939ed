import type { RunId } from '../domain/ids.ts';
import type { Steering } from '../domain/steering.ts';
import type { PullRequestRef, Run, RunState, RunTask, Setbacks, StopRequest } from '../domain/run.ts';
import { ACTIVE_STATES, workKey } from '../domain/active-run.ts';
import { triggerThread } from '../domain/trigger.ts';
import type { Database } from './database.ts';
import { optionalJson, optionalText, readText, storableJson, storableText } from './storable.ts';
import type { RunChange, RunFilter } from './store.ts';

/** What changes in a run has a column of its own; everything else is fact. */
type Changing = keyof RunChange | 'stop' | 'orders';

type Facts = Omit<Run, Changing>;

interface RunRow {
  readonly facts: Facts;
  readonly state: RunState;
  readonly reason: string | null;
  readonly started_at: number | null;
  readonly ended_at: number | null;
  readonly parked_until: number | null;
  readonly tip: string;
  readonly pull_request: PullRequestRef | null;
  readonly status_comment_id: number | null;
  readonly stop: StopRequest | null;
  readonly setbacks: Setbacks | null;
  readonly orders: number;
  readonly steering: Steering | null;
  readonly waits_for: 'answer' | null;
  readonly pushed: string | null;
}

const COLUMNS =
  'facts, state, started_at, ended_at, parked_until, tip, pull_request, status_comment_id, stop, setbacks';
const SELECT = `SELECT ${COLUMNS}, orders, steering, waits_for, pushed, ${readText('reason')} FROM maestro.runs`;

/** How often saving is tried again when the run in its way is settled at the same moment. */
const MOST_ROUNDS = 5;

/** As {@link Store.createRun}: run and tasks in one statement, all or nothing; a unique index refuses a second at the same work. */
export async function createRun(
  database: Database,
  run: Run,
  tasks: readonly RunTask[],
): Promise<{ readonly created: boolean; readonly run: Run }> {
  for (let round = 0; round < MOST_ROUNDS; round += 1) {
    const created = await insertRun(database, run, tasks);
    const saved = (await findRun(database, run.id)) ?? (await findAtWork(database, run));
    if (saved !== undefined) return { created, run: saved };
  }
  throw new Error(`run ${run.id} could not be saved: others begin and end the same work all the time`);
}

async function insertRun(database: Database, run: Run, tasks: readonly RunTask[]): Promise<boolean> {
  const { rows } = await database.query<{ made: boolean }>(
    `WITH made AS (
       INSERT INTO maestro.runs (id, repository_id, trigger_issue, playbook_issue, created_at, work, ${COLUMNS}, reason)
       VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
       ON CONFLICT DO NOTHING RETURNING id
     ), tasks AS (
       INSERT INTO maestro.tasks (run_id, key, position, title, text, attempts, outcome, usage, started_at, ended_at)
       SELECT made.id, task.key, task.position, task.title, task.text, task.attempts, task.outcome, task.usage,
              task."startedAt", task."endedAt"
       FROM made, jsonb_to_recordset($18::jsonb) AS task (key text, position integer, title text, text text,
         attempts integer, outcome jsonb, usage jsonb, "startedAt" double precision, "endedAt" double precision)
     )
     SELECT EXISTS (SELECT FROM made) AS made`,
    [...valuesOf(run), storableJson(tasks)],
  );
  return rows[0]?.made === true;
}

/** The unsettled run that does what `run` would. */
async function findAtWork(database: Database, run: Run): Promise<Run | undefined> {
  const { rows } = await database.query<RunRow>(
    `${SELECT} WHERE repository_id = $1 AND work = $2 AND state = ANY($3::text[])`,
    [run.repository.id, storableText(workKey(run.playbook)), ACTIVE_STATES],
  );
  return rows[0] && toRun(rows[0]);
}

function valuesOf(run: Run): unknown[] {
  const {
    state,
    reason,
    startedAt,
    endedAt,
    parkedUntil,
    tip,
    pullRequest,
    statusCommentId,
    stop,
    setbacks,
    orders: _orders,
    steering: _steering,
    waitsFor: _waitsFor,
    pushed: _pushed,
    ...facts
  } = run;
  return [
    run.id,
    run.repository.id,
    triggerThread(run.trigger) ?? null,
    run.playbook.kind === 'file' ? null : run.playbook.issue,
    run.createdAt,
    storableText(workKey(run.playbook)),
    storableJson(facts),
    state,
    startedAt ?? null,
    endedAt ?? null,
    parkedUntil ?? null,
    storableText(tip),
    optionalJson(pullRequest),
    statusCommentId ?? null,
    optionalJson(stop),
    optionalJson(setbacks),
    optionalText(reason),
  ];
}

function toRun(row: RunRow): Run {
  return {
    ...row.facts,
    model: row.facts.model,
    state: row.state,
    reason: row.reason ?? undefined,
    startedAt: row.started_at ?? undefined,
    endedAt: row.ended_at ?? undefined,
    parkedUntil: row.parked_until ?? undefined,
    tip: row.tip,
    pullRequest: row.pull_request ?? undefined,
    statusCommentId: row.status_comment_id ?? undefined,
    stop: row.stop ?? undefined,
    setbacks: row.setbacks ?? undefined,
    ...(row.waits_for === null ? {} : { waitsFor: row.waits_for }),
    ...(row.pushed === null ? {} : { pushed: row.pushed }),
    ...(row.orders === 0 ? {} : { orders: row.orders, steering: row.steering ?? undefined }),
  };
}

/** As {@link Store.findRun}. */
export async function findRun(database: Database, id: RunId): Promise<Run | undefined> {
  const { rows } = await database.query<RunRow>(`${SELECT} WHERE id = $1`, [id]);
  return rows[0] && toRun(rows[0]);
}

/** As {@link Store.listRuns}; all that match when no limit is given. */
export async function listRuns(database: Database, filter: RunFilter): Promise<readonly Run[]> {
  const params: unknown[] = [];
  const place = (value: unknown): string => `$${params.push(value)}`;
  const conditions = ['true'];
  if (filter.states !== undefined) conditions.push(`state = ANY(${place(filter.states)}::text[])`);
  if (filter.repositoryId !== undefined) conditions.push(`repository_id = ${place(filter.repositoryId)}::bigint`);
  if (filter.issue !== undefined) {
    const issue = `${place(filter.issue)}::bigint`;
    conditions.push(`(trigger_issue = ${issue} OR playbook_issue = ${issue})`);
  }
  const limit = filter.limit === undefined ? '' : `LIMIT ${place(filter.limit)}::bigint`;
  const { rows } = await database.query<RunRow>(
    `${SELECT} WHERE ${conditions.join(' AND ')}
     ORDER BY created_at DESC, arrival DESC ${limit}`,
    params,
  );
  return rows.map(toRun);
}

/** As {@link Store.requestStop}. */
export async function requestStop(database: Database, id: RunId, stop: StopRequest): Promise<boolean> {
  const { rows } = await database.query(
    'UPDATE maestro.runs SET stop = $2 WHERE id = $1 AND stop IS NULL RETURNING id',
    [id, storableJson(stop)],
  );
  return rows.length > 0;
}
