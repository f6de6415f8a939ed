import { NO_CHARGE, type Charge, type Spending } from '../domain/spending.ts';
import { around } from '../telemetry/failpoint.ts';
import type { Database } from './database.ts';
import { storableText } from './storable.ts';
import type { Spent, SpendingOf } from './store.ts';

/**
 * As {@link Store.recordSpent}. Not under a lease: what a worker spent that has lost it is spent all the same. The totals of a session
 * only grow, so that a record whose answer was lost is written again without harm.
 */
export async function recordSpent(database: Database, spent: Spent): Promise<void> {
  await around('spend', {
    perform: async () =>
      await database.query(
        `INSERT INTO maestro.spending AS kept (session_id, day, run_id, task_key, repository_id, cost_usd, tokens, ms)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
         ON CONFLICT (session_id, day) DO UPDATE SET cost_usd = greatest(kept.cost_usd, excluded.cost_usd),
           tokens = greatest(kept.tokens, excluded.tokens), ms = greatest(kept.ms, excluded.ms)`,
        [
          spent.session,
          spent.day,
          spent.runId,
          storableText(spent.task),
          spent.repositoryId,
          spent.total.usd,
          spent.total.tokens,
          spent.total.ms,
        ],
      ),
  });
}

interface SumRow extends Charge {
  readonly scope: keyof Spending;
}

const SUMS = 'coalesce(sum(cost_usd), 0) AS usd, coalesce(sum(tokens), 0) AS tokens, coalesce(sum(ms), 0) AS ms';

/** As {@link Store.spendingOf}, in one statement: what was recorded before it began counts. */
export async function spendingOf(database: Database, of: SpendingOf): Promise<Spending> {
  const { rows } = await database.query<SumRow>(
    `SELECT 'session' AS scope, ${SUMS} FROM maestro.spending WHERE session_id = $1
     UNION ALL SELECT 'task', ${SUMS} FROM maestro.spending JOIN maestro.sessions ON sessions.id = spending.session_id
       WHERE spending.run_id = $2 AND spending.task_key = $3 AND sessions.attempt > $4
     UNION ALL SELECT 'run', ${SUMS} FROM maestro.spending WHERE run_id = $2
     UNION ALL SELECT 'repository-day', ${SUMS} FROM maestro.spending WHERE day = $5 AND repository_id = $6
     UNION ALL SELECT 'day', ${SUMS} FROM maestro.spending WHERE day = $5`,
    [of.session, of.runId, storableText(of.task), of.since, of.day, of.repositoryId],
  );
  const found = new Map(rows.map(({ scope, usd, tokens, ms }) => [scope, { usd, tokens, ms }]));
  const sum = (scope: keyof Spending): Charge => found.get(scope) ?? NO_CHARGE;
  return {
    session: sum('session'),
    task: sum('task'),
    run: sum('run'),
    'repository-day': sum('repository-day'),
    day: sum('day'),
  };
}

/** As {@link Store.spentByRun}. */
export async function spentByRun(database: Database, runId: string): Promise<Charge> {
  const { rows } = await database.query<Charge>(`SELECT ${SUMS} FROM maestro.spending WHERE run_id = $1`, [runId]);
  return rows[0] ?? NO_CHARGE;
}
