import type { OperatorBudget } from '../../src/domain/budget.ts';
import type { Failure } from '../../src/domain/outcome.ts';
import type { Run, RunTask, Session } from '../../src/domain/run.ts';
import {
  admit,
  budgetFailure,
  dayOf,
  limitsOf,
  NO_CHARGE,
  reached,
  type Limit,
  type Spending,
} from '../../src/domain/spending.ts';
import type { Lease, World } from './world.ts';

/** What every call of a model costs. Tokens. */
export const CALL = 2;

/** What whoever operates it lets all runs spend in a day: some have to wait for the next. */
const OPERATOR: OperatorBudget = { 'repository-day': { tokens: 30 } };

interface Payer {
  readonly world: World;
  readonly run: Run;
  readonly lease: Lease;
  readonly now: number;
}

/** As `budgetBefore` in `src/workers/account.ts`. */
export function budgetBefore(payer: Payer, task: RunTask): Failure | undefined {
  const { limits, spending } = look(payer, undefined, task);
  const hit = reached(limits, spending);
  return hit && budgetFailure(hit, payer.now);
}

/**
 * A session's calls, as the gateway lets them through and puts them on record. Gives the limit that ended it, if one did. A worker
 * that dies while a call is on its way never puts it on record.
 */
export function* spend(
  payer: Payer,
  of: { readonly session: Session; readonly task: RunTask; readonly calls: number },
): Generator<undefined, Failure | undefined> {
  const { world, run, lease } = payer;
  const { session, task, calls } = of;
  const perDay = new Map<string, number>();
  for (let call = 0; call < calls; call += 1) {
    const { limits, spending } = look(payer, session, task);
    const admission = admit(limits, spending, { calls: 0, charge: NO_CHARGE, dearest: undefined });
    if (admission.kind === 'reached') return budgetFailure(admission.reached, payer.now);
    yield;
    const day = dayOf(payer.now);
    perDay.set(day, (perDay.get(day) ?? 0) + CALL);
    world.recordSpent(lease, {
      session: session.id,
      attempt: session.attempt,
      runId: run.id,
      task: task.key,
      day,
      tokens: perDay.get(day) ?? 0,
    });
  }
  return undefined;
}

function look(
  { world, run, now }: Payer,
  session: Session | undefined,
  { key, since = 0 }: RunTask,
): { readonly limits: readonly Limit[]; readonly spending: Spending } {
  const all = [...world.spent.values()].filter(
    (one) => world.bugs.forgetsSpending !== true || one.session === session?.id,
  );
  const sum = (which: (one: (typeof all)[number]) => boolean): Spending['run'] => ({
    ...NO_CHARGE,
    tokens: all.filter(which).reduce((total, { tokens }) => total + tokens, 0),
  });
  const today = sum(({ day }) => day === dayOf(now));
  return {
    limits: limitsOf(run, OPERATOR),
    spending: {
      session: sum((one) => one.session === session?.id),
      task: sum((one) => one.runId === run.id && one.task === key && one.attempt > since),
      run: sum(({ runId }) => runId === run.id),
      'repository-day': today,
      day: today,
    },
  };
}
