import type { SessionId, TaskKey } from '../domain/ids.ts';
import type { Failure } from '../domain/outcome.ts';
import {
  addCharges,
  admit,
  budgetFailure,
  dayOf,
  limitsOf,
  NO_CHARGE,
  reached,
  timeLeft,
  type Charge,
  type Limit,
  type Pending,
  type Spending,
} from '../domain/spending.ts';
import type { Usage } from '../domain/usage.ts';
import type { Account, Wire } from '../gateway/gateway.ts';
import type { JobResult } from '../runners/runner.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldRun } from './held-run.ts';

/** Who pays for a session: asked by the gateway before each call, told after it. What was spent is on record at once. */
export interface SessionAccount extends Account {
  /** How long the session may take by what may be spent; infinite without such a limit. Milliseconds. */
  timeLeft(): Promise<number>;
  /** Puts all of a session that is over on record. Gives the limit that ended it, if one did, as its failure. */
  close(
    wire: Pick<Wire, 'charged' | 'exhausted'>,
    reported: Usage,
    result: Pick<JobResult, 'ending' | 'durationMs'>,
  ): Promise<Failure | undefined>;
}

/** What an account goes by: the limits of a run as it is, and the store. */
interface Paying {
  readonly deps: Pick<WorkerDeps, 'store' | 'clock'> & { readonly settings: Pick<WorkerDeps['settings'], 'budget'> };
  readonly held: Pick<HeldRun, 'run' | 'tasks'>;
}

/** Opens the account of a session at `task`, with nothing on it. */
export function openAccount(scope: Paying, session: SessionId, task: TaskKey): SessionAccount {
  const { deps, held } = scope;
  const { clock, store } = deps;
  const perDay = new Map<string, Charge>();
  const unsaved = new Set<string>();
  let total = NO_CHARGE;
  let startedAt: number | undefined;
  let ended: Failure | undefined;

  const elapsed = (): number => clock.now() - (startedAt ??= clock.now());

  /** Books what came on top of what was booked on the day it is. */
  async function book(now: Charge): Promise<void> {
    const more = {
      usd: Math.max(0, now.usd - total.usd),
      tokens: Math.max(0, now.tokens - total.tokens),
      ms: Math.max(0, now.ms - total.ms),
    };
    const today = dayOf(clock.now());
    perDay.set(today, addCharges(perDay.get(today) ?? NO_CHARGE, more));
    total = addCharges(total, more);
    unsaved.add(today);
    const { id: runId, repository } = held.run;
    for (const day of unsaved) {
      const ofDay = perDay.get(day) ?? NO_CHARGE;
      await store.recordSpent({ session, runId, task, repositoryId: repository.id, day, total: ofDay });
      unsaved.delete(day);
    }
  }

  return {
    async mayCall(pending: Pending) {
      const ms = Math.max(0, elapsed() - total.ms);
      const { limits, spending } = await look(scope, session, task);
      const admission = admit(limits, spending, { ...pending, charge: { ...pending.charge, ms } });
      if (admission.kind === 'reached') ended ??= budgetFailure(admission.reached, clock.now());
      return admission;
    },
    consumed: async (charge) => await book({ ...charge, ms: elapsed() }),
    async timeLeft() {
      elapsed();
      const { limits, spending } = await look(scope, session, task);
      return timeLeft(limits, spending) ?? Infinity;
    },
    async close(wire, reported, { ending, durationMs }) {
      const seen = wire.charged();
      // What does not go through the gateway is known from the agent alone.
      const charge = seen.tokens > 0 ? seen : chargeReported(reported);
      await book({ ...charge, ms: Math.max(elapsed(), durationMs) });
      if (wire.exhausted()) return ended;
      if (ending !== 'wall') return undefined;
      const { limits, spending } = await look(scope, session, task);
      const hit = reached(
        limits.filter(({ unit }) => unit === 'ms'),
        spending,
      );
      return hit && budgetFailure(hit, clock.now());
    },
  };
}

function chargeReported({ costUsd = 0, inputTokens, outputTokens, cachedInputTokens }: Usage): Charge {
  return { usd: costUsd, tokens: inputTokens + outputTokens + cachedInputTokens, ms: 0 };
}

/** The limit that keeps a task from being begun, as its failure; undefined when none does. */
export async function budgetBefore(scope: Paying, session: SessionId, task: TaskKey): Promise<Failure | undefined> {
  const { limits, spending } = await look(scope, session, task);
  const hit = reached(limits, spending);
  return hit && budgetFailure(hit, scope.deps.clock.now());
}

/** The limits of a session as they are now, and what counts against them. */
async function look(
  { deps, held }: Paying,
  session: SessionId,
  key: TaskKey,
): Promise<{ readonly limits: readonly Limit[]; readonly spending: Spending }> {
  const { run, tasks } = held;
  const limits = limitsOf(run, deps.settings.budget);
  if (limits.length === 0) return { limits, spending: NOTHING };
  const since = tasks.find((task) => task.key === key)?.since ?? 0;
  const day = dayOf(deps.clock.now());
  const of = { session, runId: run.id, task: key, since, repositoryId: run.repository.id, day };
  return { limits, spending: await deps.store.spendingOf(of) };
}

const NOTHING: Spending = {
  session: NO_CHARGE,
  task: NO_CHARGE,
  run: NO_CHARGE,
  'repository-day': NO_CHARGE,
  day: NO_CHARGE,
};
