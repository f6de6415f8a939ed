import type { TaskKey } from '../domain/ids.ts';
import { isFinal } from '../domain/run.ts';
import type { Database } from './database.ts';
import { HELD, VERDICT, writeUnder } from './leases.ts';
import { optionalJson, optionalText } from './storable.ts';
import { LeaseLostError, OrdersWaitingError, type Lease, type RunChange, type TaskChange } from './store.ts';

/** A column, and how a value gets into it. */
interface Column {
  readonly name: string;
  readonly write: (value: never) => unknown;
}

const asNumber = (value: number | undefined): number | null => value ?? null;

const RUN_COLUMNS: Readonly<Record<keyof RunChange, Column>> = {
  state: { name: 'state', write: optionalText },
  reason: { name: 'reason', write: optionalText },
  startedAt: { name: 'started_at', write: asNumber },
  endedAt: { name: 'ended_at', write: asNumber },
  parkedUntil: { name: 'parked_until', write: asNumber },
  tip: { name: 'tip', write: optionalText },
  pullRequest: { name: 'pull_request', write: optionalJson },
  statusCommentId: { name: 'status_comment_id', write: asNumber },
  setbacks: { name: 'setbacks', write: optionalJson },
  steering: { name: 'steering', write: optionalJson },
  waitsFor: { name: 'waits_for', write: optionalText },
  pushed: { name: 'pushed', write: optionalText },
};

const TASK_COLUMNS: Readonly<Record<keyof TaskChange, Column>> = {
  attempts: { name: 'attempts', write: asNumber },
  since: { name: 'since', write: (value: number | undefined) => value ?? 0 },
  outcome: { name: 'outcome', write: optionalJson },
  usage: { name: 'usage', write: optionalJson },
  startedAt: { name: 'started_at', write: asNumber },
  endedAt: { name: 'ended_at', write: asNumber },
  handover: { name: 'handover', write: optionalJson },
  questions: { name: 'questions', write: optionalJson },
  notes: { name: 'notes', write: optionalJson },
};

/** Orders are given under a lock on the run's row: one comes wholly before its end, which then waits, or wholly after it. */
const NO_ORDERS_LEFT = "AND orders <= coalesce((steering->>'taken')::integer, 0)";

/** As {@link Store.updateRun}: what the change names is set, `undefined` clears. */
export async function updateRun(database: Database, lease: Lease, change: RunChange): Promise<void> {
  const { assignments, values } = assign(RUN_COLUMNS, change, 3);
  const ends = change.state !== undefined && isFinal(change.state);
  try {
    await writeUnder(
      database,
      lease,
      `UPDATE maestro.runs SET ${['epoch = epoch', ...assignments].join(', ')}
       WHERE id = $1 AND epoch = $2 ${ends ? NO_ORDERS_LEFT : ''} RETURNING true AS held, true AS written`,
      values,
    );
  } catch (error) {
    throw ends && error instanceof LeaseLostError && (await isHeld(database, lease))
      ? new OrdersWaitingError(lease)
      : error;
  }
}

async function isHeld(database: Database, { runId, epoch }: Lease): Promise<boolean> {
  const { rows } = await database.query('SELECT id FROM maestro.runs WHERE id = $1 AND epoch = $2', [runId, epoch]);
  return rows.length > 0;
}

/**
 * As {@link Store.updateTask}: what the change names is set, `undefined` clears.
 *
 * @throws Error when the run has no such task.
 */
export async function updateTask(database: Database, lease: Lease, key: TaskKey, change: TaskChange): Promise<void> {
  const { assignments, values } = assign(TASK_COLUMNS, change, 4);
  const written = await writeUnder(
    database,
    lease,
    `${HELD}, written AS (
       UPDATE maestro.tasks SET ${['key = tasks.key', ...assignments].join(', ')}
       FROM held WHERE tasks.run_id = held.id AND tasks.key = $3 RETURNING 1
     ) ${VERDICT}`,
    [key, ...values],
  );
  if (!written) throw new Error(`run ${lease.runId} has no task ${key}`);
}

/** `SET` clauses and their values for the keys a change has, numbered from `from`. A statement with none still tests the lease. */
function assign<Change extends object>(
  columns: Readonly<Record<keyof Change, Column>>,
  change: Change,
  from: number,
): { readonly assignments: readonly string[]; readonly values: readonly unknown[] } {
  const entries = Object.entries(change).map(([key, value]) => {
    const { name, write } = columns[key as keyof Change];
    return { name, value: write(value as never) };
  });
  return {
    assignments: entries.map(({ name }, index) => `${name} = $${from + index}`),
    values: entries.map(({ value }) => value),
  };
}
