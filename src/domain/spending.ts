import { addAmounts, formatUnit, UNITS, type Amount, type OperatorBudget, type Scope, type Unit } from './budget.ts';
import type { Failure } from './outcome.ts';
import { moment } from './report/quantities.ts';
import type { Run } from './run.ts';

/*
 * What was spent, and whether more may be. A *limit* is the most of one unit in one scope. Everything is decided from the run's
 * record and from sums that the store keeps; nothing here remembers.
 */

const SCOPES: readonly Scope[] = ['session', 'task', 'run', 'repository-day', 'day'];

/** What was consumed: US dollars, with models of unknown price counted as the dearest, tokens of all kinds, milliseconds of agents' time. */
export type Charge = Required<Amount>;

export const NO_CHARGE: Charge = { usd: 0, tokens: 0, ms: 0 };

/** What was spent in each scope. */
export type Spending = Readonly<Record<Scope, Charge>>;

export interface Limit {
  readonly scope: Scope;
  readonly unit: Unit;
  readonly most: number;
  /** Whether the operator set it; else the playbook or the repository did, and a person can add to it. */
  readonly byOperator: boolean;
}

/** The limits of a run, those that end things before those that only make it wait. */
export function limitsOf(run: Pick<Run, 'settings' | 'steering'>, operator: OperatorBudget): readonly Limit[] {
  return SCOPES.flatMap((scope) =>
    UNITS.flatMap((unit) => {
      const own = ownLimit(run, scope, unit) ?? Infinity;
      const others = operator[scope]?.[unit] ?? Infinity;
      const most = Math.min(own, others);
      return most === Infinity ? [] : [{ scope, unit, most, byOperator: others < own }];
    }),
  );
}

function ownLimit({ settings, steering }: Pick<Run, 'settings' | 'steering'>, scope: Scope, unit: Unit) {
  if (scope !== 'run' && scope !== 'task') return undefined;
  const own = settings.budget?.[scope]?.[unit];
  if (own === undefined || scope === 'task') return own;
  return own + (steering?.budget?.[unit] ?? 0);
}

/** A limit that is reached. */
export interface Reached {
  readonly limit: Limit;
  readonly spent: number;
}

/** The first limit that is reached; undefined while none is. */
export function reached(limits: readonly Limit[], spending: Spending): Reached | undefined {
  const limit = limits.find(({ scope, unit, most }) => spending[scope][unit] >= most);
  return limit && { limit, spent: spending[limit.scope][limit.unit] };
}

/** Calls of a session that are not over. */
export interface Pending {
  readonly calls: number;
  /** What they are known to have consumed already. */
  readonly charge: Charge;
  /** The most of each unit that a call of the session has consumed; undefined while none was over. */
  readonly dearest: Charge | undefined;
}

/** Whether a call may be made: now, or not before another is over, or not at all. */
export type Admission =
  | { readonly kind: 'go' }
  | { readonly kind: 'wait' }
  | { readonly kind: 'reached'; readonly reached: Reached };

/**
 * Decides whether a session may make a call. What one costs is known when it is over, so the last may go beyond a limit; beside
 * others it is only made while all of them could be as dear as the dearest so far: then no more than one goes beyond.
 */
export function admit(limits: readonly Limit[], spending: Spending, pending: Pending): Admission {
  const hit = reached(limits, withCharge(spending, pending.charge));
  if (hit !== undefined) return { kind: 'reached', reached: hit };
  if (pending.calls === 0 || limits.length === 0) return { kind: 'go' };
  const { dearest } = pending;
  if (dearest === undefined) return { kind: 'wait' };
  // Time goes by once, however many calls there are.
  const feared = { usd: dearest.usd * pending.calls, tokens: dearest.tokens * pending.calls, ms: 0 };
  return reached(limits, withCharge(spending, feared)) === undefined ? { kind: 'go' } : { kind: 'wait' };
}

function withCharge(spending: Spending, charge: Charge): Spending {
  return Object.fromEntries(SCOPES.map((scope) => [scope, addCharges(spending[scope], charge)])) as Record<
    Scope,
    Charge
  >;
}

/** Both charges together. */
export function addCharges(a: Charge, b: Charge): Charge {
  return { ...NO_CHARGE, ...addAmounts(a, b) };
}

/** What is left of the time an agent may take, by the limit that leaves least; undefined without one. Milliseconds. */
export function timeLeft(limits: readonly Limit[], spending: Spending): number | undefined {
  const left = limits
    .filter(({ unit }) => unit === 'ms')
    .map(({ scope, most }) => Math.max(0, most - spending[scope].ms));
  return left.length === 0 ? undefined : Math.min(...left);
}

/** The UTC day of a moment, `2026-11-27`. */
export function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** When the UTC day of a moment is over. Epoch milliseconds. */
function nextDay(epochMs: number): number {
  return Date.parse(`${dayOf(epochMs)}T00:00:00Z`) + 86_400_000;
}

/** A limit that was reached as a failure of the task at hand: with the time it goes by, if it does by itself. */
export function budgetFailure({ limit, spent }: Reached, now: number): Failure {
  const { scope, byOperator } = limit;
  const much = `${formatUnit(limit.unit, spent)} of ${formatUnit(limit.unit, limit.most)}`;
  const message = `The budget of ${WHOSE[scope]} is spent: ${much}.`;
  if (scope !== 'day' && scope !== 'repository-day') return { kind: 'budget', message, limit: { scope, byOperator } };
  const resetAt = nextDay(now);
  return {
    kind: 'budget',
    message: `${message} It is there again at ${moment(resetAt)}.`,
    resetAt,
    limit: { scope, byOperator },
  };
}

const WHOSE: Readonly<Record<Scope, string>> = {
  session: 'one session',
  task: 'this task',
  run: 'this run',
  'repository-day': 'this repository for today',
  day: 'all repositories for today',
};

/** What a person can do about a budget that is spent. */
export function budgetStep(limit: Failure['limit']): string {
  if (limit === undefined) return 'Raise the budget it had.';
  const { scope, byOperator } = limit;
  if (scope === 'day' || scope === 'repository-day')
    return 'Wait until the day is over, or ask whoever operates Maestro to raise the limit.';
  if (scope === 'run' && !byOperator)
    return 'Comment `/maestro resume budget=$5` to let the run spend $5 more and go on (any amount).';
  const again = 'Comment `/maestro retry` to let the task spend as much once more, or make it smaller';
  const whose = byOperator ? 'ask whoever operates Maestro to raise the limit' : 'raise `budget` in the playbook';
  return scope === 'run' ? `${whose.charAt(0).toUpperCase()}${whose.slice(1)}.` : `${again}, or ${whose}.`;
}
