import { endedByAnswer, openQuestion, unaskedFailure } from './asking.ts';
import { chooseProvider, isProviders, type Candidate } from './failover.ts';
import { isExec } from './exec.ts';
import { hasOrders } from './order.ts';
import type { Outcome } from './outcome.ts';
import type { Question } from './question.ts';
import { remedy, type RetryPolicy } from './retry.ts';
import { isFinal, verdict, type Run, type RunTask, type Session } from './run.ts';
import type { GivenOrder } from './steering.ts';

/*
 * What is to be done with a run, decided from its record alone. A worker asks, does what it is told, writes down what came of it
 * and asks again; after a crash the next one asks the same questions of the same record and gets the same answers.
 */

/** What a run that nobody works on is waiting for. */
export type Standing =
  | { readonly kind: 'settled' }
  /** `early`: it is held back in line and must be brought forward. */
  | { readonly kind: 'due'; readonly early: boolean }
  /** Not before `at`, epoch milliseconds. */
  | { readonly kind: 'waits'; readonly at: number }
  /** Until a person says how to go on. */
  | { readonly kind: 'held' };

/** What of a run tells whether it is to be worked on. */
export type Waiting = Pick<Run, 'state' | 'stop' | 'parkedUntil' | 'waitsFor' | 'orders' | 'steering'>;

/** Whether a run is to be worked on now. What a person asks does not wait for a parked run's time. */
export function standing(run: Waiting, now: number): Standing {
  if (isFinal(run.state)) return { kind: 'settled' };
  const isAsked = run.stop !== undefined || hasOrders(run);
  const isPeoples = run.steering?.paused !== undefined || (run.waitsFor !== undefined && run.parkedUntil === undefined);
  if (run.state === 'parked' && isPeoples) {
    return isAsked ? { kind: 'due', early: true } : { kind: 'held' };
  }
  const waiting = run.state === 'parked' && run.parkedUntil !== undefined && run.parkedUntil > now;
  if (!waiting) return { kind: 'due', early: false };
  return isAsked ? { kind: 'due', early: true } : { kind: 'waits', at: run.parkedUntil };
}

/** Whether a run waits for a time or for people, apart from what it was asked for meanwhile. */
export function isWaiting(run: Waiting, now: number): boolean {
  if (run.stop !== undefined) return false;
  const { kind } = standing({ ...run, orders: 0 }, now);
  return kind === 'waits' || kind === 'held';
}

/** Whether a run that waits goes on waiting after what it was asked for, `orders`: for commands nothing has to go on. */
export function waitsOn(run: Waiting, orders: readonly GivenOrder[], now: number): boolean {
  return orders.length > 0 && orders.every(isExec) && isWaiting(run, now);
}

/** What the reconciler does about a run: put it in line, held back for `delayMs` unless it is to be brought forward, or nothing. */
export function placeInLine(run: Waiting, now: number): { readonly delayMs: number | undefined } | undefined {
  const stands = standing(run, now);
  switch (stands.kind) {
    case 'settled':
    case 'held':
      return undefined;
    case 'due':
      return { delayMs: stands.early ? undefined : 0 };
    case 'waits':
      return { delayMs: stands.at - now };
  }
}

/** How a run ends. */
export interface Ending {
  readonly state: 'succeeded' | 'failed' | 'stopped';
  readonly reason: string | undefined;
}

/** What comes next in a run: a task to bring to its outcome, something people have to say, or the end. */
export type Next =
  | { readonly kind: 'task'; readonly task: RunTask }
  /** A task failed, and people are to be asked what is to become of it. */
  | { readonly kind: 'ask'; readonly task: RunTask }
  /** A question is open. */
  | { readonly kind: 'answer'; readonly task: RunTask; readonly question: Question }
  | ({ readonly kind: 'end' } & Ending);

/** Decides what comes next from how the tasks before ended: the same whether the worker that ended them still lives or not. */
export function nextInRun(run: Pick<Run, 'settings' | 'stop'>, tasks: readonly RunTask[]): Next {
  if (run.stop === undefined) {
    const asked = openQuestion(tasks);
    if (asked !== undefined) return { kind: 'answer', ...asked };
    const failed = unaskedFailure(run, tasks);
    if (failed !== undefined) return { kind: 'ask', task: failed };
  }
  const task = tasks.find((one) => one.outcome === undefined);
  const isOver = run.stop !== undefined || tasks.some((one) => endsRun(one, run));
  if (task !== undefined && !isOver) return { kind: 'task', task };
  return { kind: 'end', state: verdict(tasks, run.stop), reason: reasonOfEnd(run, tasks) };
}

function endsRun(task: RunTask, { settings }: Pick<Run, 'settings'>): boolean {
  const { outcome } = task;
  if (outcome?.kind !== 'failed') return outcome?.kind === 'cancelled';
  // Otherwise people have been asked, and said to leave it.
  if (settings.onFailure === 'ask') return endedByAnswer(task);
  const { kind, limit } = outcome.failure;
  // What is to be prepared before every task would fail before every task, and so would a budget they share.
  return settings.onFailure !== 'continue' || kind === 'setup' || (kind === 'budget' && limit?.scope === 'run');
}

function reasonOfEnd({ stop }: Pick<Run, 'stop'>, tasks: readonly RunTask[]): string | undefined {
  // Every reason names the person who gave it.
  if (stop !== undefined) return `${stop.reason.charAt(0).toUpperCase()}${stop.reason.slice(1)}.`;
  const unanswered = tasks.find((task) => endedByAnswer(task) && task.questions?.at(-1)?.answer?.by === undefined);
  if (unanswered !== undefined) return `Nobody answered ${unanswered.questions?.at(-1)?.id ?? ''} in time.`;
  return tasks.every((task) => task.outcome?.kind === 'no-change')
    ? 'There was nothing to change, so no pull request was opened.'
    : undefined;
}

/** A commit that was about to be pushed, or was, when a worker went away. */
export interface PushBegun {
  readonly commit: string;
  /** What it stands on; missing in records from before it was kept. */
  readonly parent?: string;
  readonly session: string;
}

/**
 * Pushes of a task in the order in which they may have reached the branch: the one that is on record as done, the one that the
 * branch is at, then the others as given. Machines that can't see each other's commits may have begun one each.
 *
 * @param begun The newest first.
 * @param head Where the branch is, as far as anybody looked.
 */
export function likeliestFirst(
  begun: readonly { readonly push: PushBegun; readonly isDone: boolean }[],
  head: string | undefined,
): readonly PushBegun[] {
  const rank = (one: (typeof begun)[number]): number => (one.isDone ? 0 : one.push.commit === head ? 1 : 2);
  return begun.toSorted((a, b) => rank(a) - rank(b)).map(({ push }) => push);
}

/** How to go at a task. */
export type Approach =
  | { readonly kind: 'attempt'; readonly number: number }
  /** The work of `session` is done and committed: only what follows is missing. */
  | { readonly kind: 'resume'; readonly session: Session; readonly commit: string }
  | { readonly kind: 'give-up'; readonly outcome: Outcome };

/**
 * Decides how to go at a task from the sessions it has had. A commit that may be on the branch already is seen through before
 * anything else; a task that every attempt's worker died of is given up, so that the others go on (fault F43). Nothing is begun
 * once a person has stopped the run.
 *
 * @param of.sessions The task's own, in the order they began.
 * @param of.pushBegun Undefined also when its commit is gone.
 * @param of.deaths How many workers died with the run at hand before this one: a session may be left open for other reasons.
 */
export function approach(
  task: RunTask,
  of: {
    readonly sessions: readonly Session[];
    readonly pushBegun: PushBegun | undefined;
    readonly stop: Run['stop'];
    readonly deaths: number;
    readonly retry: RetryPolicy;
  },
): Approach {
  const { pushBegun } = of;
  const sessions = sessionsThatCount(task, of.sessions);
  const session = sessions.find((one) => one.id === pushBegun?.session);
  if (pushBegun !== undefined && session !== undefined) return { kind: 'resume', session, commit: pushBegun.commit };
  if (of.stop !== undefined)
    return { kind: 'give-up', outcome: { kind: 'cancelled', by: of.stop.by, reason: 'the run was stopped' } };
  const crashes = Math.min(of.deaths, sessions.filter((one) => one.outcome === undefined).length);
  if (crashes < of.retry.infraAttempts) return { kind: 'attempt', number: task.attempts + 1 };
  const message = 'The worker crashed every time it worked on this task.';
  return { kind: 'give-up', outcome: { kind: 'failed', failure: { kind: 'infra', message } } };
}

/** A task's sessions without those from before a person asked for it again. */
export function sessionsThatCount(task: Pick<RunTask, 'since'>, sessions: readonly Session[]): readonly Session[] {
  return sessions.filter(({ attempt }) => attempt > (task.since ?? 0));
}

/** What an attempt's outcome means for its task. */
export type Settlement =
  | { readonly kind: 'settled'; readonly outcome: Outcome }
  /** The task has no outcome yet: it is tried again at `at`, and the run waits until then. */
  | { readonly kind: 'again'; readonly at: number; readonly reason: string }
  /** The task has no outcome yet: people are asked first. */
  | { readonly kind: 'asked'; readonly question: Question }
  /** The task has no outcome yet: another provider takes it over. */
  | { readonly kind: 'hand-over'; readonly reason: string };

/**
 * Decides whether an attempt settles its task, before anything of it is recorded: what heals by itself is not shown as a failure.
 *
 * @param of.session The attempt's own.
 * @param of.sessions The task's sessions; the attempt's own may be among them or not.
 * @param of.candidates The run's providers, when it has several.
 */
export function settlement(
  outcome: Outcome,
  of: {
    readonly session: Session;
    readonly sessions: readonly Session[];
    readonly now: number;
    readonly retry: RetryPolicy;
    readonly candidates?: readonly Candidate[];
  },
): Settlement {
  if (outcome.kind === 'parked')
    return outcome.question === undefined
      ? { kind: 'again', at: outcome.until ?? of.now, reason: outcome.reason }
      : { kind: 'asked', question: outcome.question };
  if (outcome.kind !== 'failed') return { kind: 'settled', outcome };
  const { failure } = outcome;
  const earlier = of.sessions.filter((one) => one.id !== of.session.id);
  if (of.candidates !== undefined && of.candidates.length > 1 && isProviders(failure)) {
    const ended = { ...of.session, outcome, endedAt: of.now };
    const choice = chooseProvider(of.candidates, { sessions: [...earlier, ended], now: of.now, retry: of.retry });
    if (choice.kind === 'none') return { kind: 'settled', outcome };
    if (choice.kind === 'wait') return { kind: 'again', at: choice.at, reason: `${choice.reason}.` };
    if (choice.provider !== of.session.provider) return { kind: 'hand-over', reason: choice.instead ?? '' };
  }
  const alike = earlier.filter(
    (one) => one.outcome?.kind === 'failed' && one.outcome.failure.kind === failure.kind,
  ).length;
  const next = remedy(failure, alike + 1, of.now, of.retry);
  return next.kind === 'fail' ? { kind: 'settled', outcome } : { kind: 'again', at: next.at, reason: next.reason };
}
