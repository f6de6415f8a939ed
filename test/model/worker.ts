import {
  answered,
  attend,
  missedQuestion,
  nextQuestionId,
  questionOf,
  questionOfFailure,
  whyNotAsk,
  type Asks,
} from '../../src/domain/asking.ts';
import { afterBlame, CLOSED, DEFAULT_CIRCUIT } from '../../src/domain/circuit.ts';
import {
  approach,
  likeliestFirst,
  isWaiting,
  nextInRun,
  sessionsThatCount,
  settlement,
  standing,
  waitsOn,
  type Ending,
  type Next,
  type PushBegun,
} from '../../src/domain/conduct.ts';
import { sessionIdFor, type RunId } from '../../src/domain/ids.ts';
import { isExec, nextExecution, seenTo, type Execution, type GivenExec } from '../../src/domain/exec.ts';
import { chooseProvider, type Candidate } from '../../src/domain/failover.ts';
import type { FailureKind, Outcome } from '../../src/domain/outcome.ts';
import { hasOrders, takeOrders } from '../../src/domain/order.ts';
import { branchTip } from '../../src/domain/redo.ts';
import { DEFAULT_RETRY } from '../../src/domain/retry.ts';
import { isFinal, type Run, type RunTask, type Session } from '../../src/domain/run.ts';
import {
  afterInterruption,
  deathsBefore,
  gotFurther,
  handedBack,
  isSuspect,
  seating,
  sessionBegins,
  takingUp,
  type Interruption,
} from '../../src/domain/setback.ts';
import { NO_USAGE } from '../../src/domain/usage.ts';
import type { Answer, ProposedTask } from '../../src/domain/question.ts';
import type { GivenOrder } from '../../src/domain/steering.ts';
import { budgetBefore, spend } from './spending.ts';
import { Away, BranchMoved, LEASE_MS, LeaseLost, OrdersWaiting, type Lease, type World } from './world.ts';

const retry = DEFAULT_RETRY;

/** What a worker tells the queue about a run. */
export type Word = { readonly kind: 'done' } | { readonly kind: 'again'; readonly delayMs: number };

/** A worker at work on a run. It may be cut off, or others may go on, wherever it yields. */
export type Life = Generator<undefined, Word>;

class EndedEarly extends Error {}
class OurSideBroke extends Error {}

/** What places at the same process have in common. */
export interface Shared {
  /** Commits in the mirror of its machine. */
  readonly mirror: Set<string>;
  /** The run for which nothing new is begun here. */
  turn: RunId | undefined;
  /** The places at it. */
  readonly places: Worker[];
  /** Whether what is done here now ends the process. */
  doomed: boolean;
}

/** A place in a worker process, for one run at a time. Its clock may be wrong, and it may stand still while the world goes on. */
export class Worker {
  readonly name: string;
  readonly process: Shared;
  readonly mirror: Set<string>;
  skewMs = 0;
  paused = false;
  run: RunId | undefined;
  life: Life | undefined;
  /** Whether all it does is to say that its run waits. */
  onlySays = false;
  /** Whether it was to have the process for itself when it was begun. */
  isAlone = false;
  lease: Lease | undefined;
  renewedAt = 0;
  isLost = false;
  /** Whether its last life ended without a word on record. */
  leftNoWord = false;
  /** How the agent's next session ends. */
  fate = 0;

  constructor(name: string, process: Shared) {
    this.name = name;
    this.process = process;
    this.mirror = process.mirror;
    process.places.push(this);
  }

  /** Whether it has the process for itself. */
  isAloneAtHand(world: World): boolean {
    if (this.life === undefined || this.run === undefined || !this.isAlone) return false;
    return isSuspect(world.row(this.run).run);
  }

  now(world: World): number {
    return world.time + this.skewMs;
  }

  /** What timers do in a process that runs: renew the lease, or notice that it is too late. */
  tick(world: World): void {
    if (this.paused || this.lease === undefined || this.isLost) return;
    if (this.isLate(world) || !world.renew(this.lease, this.now(world))) this.isLost = true;
    else this.renewedAt = world.time;
  }

  assertOurs(world: World): void {
    if (this.isLost || this.isLate(world)) throw new EndedEarly('lost');
  }

  private isLate(world: World): boolean {
    return world.bugs.noEpochCheck !== true && world.time - this.renewedAt >= (LEASE_MS * 5) / 6;
  }
}

/** Works on a run as `src/workers/worker.ts` and `drive.ts` do, one moment at a time. */
export function* live(world: World, worker: Worker, id: RunId, onlySays = false): Life {
  const stands = standing(world.row(id).run, worker.now(world));
  if (stands.kind === 'settled' || stands.kind === 'held') return { kind: 'done' };
  if (stands.kind === 'waits') return { kind: 'again', delayMs: stands.at - worker.now(world) };
  const claimedAt = world.time;
  yield;
  const lease = world.claim(id, worker.now(world));
  if (lease === undefined) return { kind: 'again', delayMs: LEASE_MS };
  worker.lease = lease;
  worker.renewedAt = claimedAt;
  worker.isLost = false;
  worker.leftNoWord = false;
  const row = world.row(id);
  const held = new Held(world, worker, lease, row.run, row.tasks);
  yield;
  try {
    if (isFinal(held.run.state)) return { kind: 'done' };
    return onlySays ? yield* sayWaiting(held) : yield* drive(held);
  } catch (error) {
    return yield* fold(held, error);
  } finally {
    world.release(lease);
    worker.lease = undefined;
  }
}

/** The run as the worker knows it. Between looking at the lease and doing something, anything may happen. */
class Held {
  readonly world: World;
  readonly worker: Worker;
  readonly lease: Lease;
  run: Run;
  tasks: readonly RunTask[];

  constructor(world: World, worker: Worker, lease: Lease, run: Run, tasks: readonly RunTask[]) {
    this.world = world;
    this.worker = worker;
    this.lease = lease;
    this.run = run;
    this.tasks = tasks;
  }

  get now(): number {
    return this.worker.now(this.world);
  }

  reload(): void {
    const { run, tasks } = this.world.row(this.lease.runId);
    if (this.world.bugs.trustsItsMemory === true) return;
    this.run = run;
    this.tasks = tasks;
  }

  *changeRun(change: Partial<Run>): Generator<undefined, void> {
    this.worker.assertOurs(this.world);
    yield;
    this.world.updateRun(this.lease, change);
    this.run = { ...this.run, ...change };
  }

  *changeTask(task: RunTask, change: Partial<RunTask>): Generator<undefined, void> {
    this.worker.assertOurs(this.world);
    yield;
    this.world.updateTask(this.lease, task.key, change);
    this.tasks = this.tasks.map((one) => (one.key === task.key ? { ...one, ...change } : one));
  }

  /** As `HeldRun.takeOrders`. */
  *takeOrders(of: { readonly ends?: boolean } = {}): Generator<undefined, GivenExec | undefined> {
    const { orders } = this.world.row(this.lease.runId);
    const begun = this.world.bugs.redoOverPush === true ? undefined : begunTask(this)?.key;
    const { run } = this;
    const { steering, tip, added, tasks, exec } = takeOrders({ run, tasks: this.tasks, begun, ...of }, orders);
    if (steering.taken === (run.steering?.taken ?? 0)) return exec;
    if (tip !== undefined) yield* this.changeRun({ tip, pushed: branchTip(run) });
    if (added.length > 0) {
      this.worker.assertOurs(this.world);
      yield;
      this.world.addTasks(this.lease, added);
      this.tasks = [...this.tasks, ...added];
    }
    for (const { key, outcome, since, ...questions } of tasks) {
      const task = this.tasks.find((one) => one.key === key);
      if (task !== undefined) yield* this.changeTask(task, { outcome, since, startedAt: undefined, ...questions });
    }
    yield* this.changeRun({ steering });
    return yield* this.takeOrders(of);
  }

  *effect<T>(key: string, intent: unknown, perform: () => T): Generator<undefined, T> {
    const known = this.world.row(this.lease.runId).effects.get(key)?.result;
    if (known !== undefined) return known as T;
    this.worker.assertOurs(this.world);
    yield;
    this.world.recordIntent(this.lease, key, intent);
    yield;
    this.worker.assertOurs(this.world);
    yield;
    const result = perform();
    yield;
    this.world.recordResult(this.lease, key, result ?? true);
    return result;
  }
}

function* sayWaiting(held: Held): Life {
  const besideSuspect = held.worker.process.places.some(
    (place) => place !== held.worker && place.isAloneAtHand(held.world),
  );
  const decided = seating(held.run, { others: 1, besideSuspect, now: held.now });
  if (decided.kind === 'wait' && decided.say !== undefined) yield* park(held, { at: undefined, ...decided.say });
  return { kind: 'again', delayMs: LEASE_MS / 3 };
}

function* drive(held: Held): Life {
  const { world } = held;
  const taken = takingUp(held.run);
  yield* held.changeRun({ setbacks: taken.setbacks });
  if (taken.kind === 'end')
    return yield* endAnyway(held, { state: 'failed', reason: taken.reason, silent: taken.silent });
  world.forge('ask for the role', () => undefined);
  if (isOnlyToRun(held)) return yield* runAside(held);
  yield* held.changeRun({ state: 'running', reason: undefined, parkedUntil: undefined, waitsFor: undefined });
  yield* tellIfPossible(held);
  let sawFailure = false;
  for (;;) {
    yield;
    held.run = { ...held.run, stop: world.row(held.run.id).run.stop };
    held.run = { ...held.run, orders: world.row(held.run.id).orders.length };
    const exec = hasOrders(held.run) ? yield* held.takeOrders() : undefined;
    yield* rewind(held);
    const tasks =
      world.bugs.forgetsFailures === true && !sawFailure ? held.tasks.filter((one) => !isFailed(one)) : held.tasks;
    const { steering, stop } = held.run;
    const isOver = stop !== undefined && world.bugs.endsOverPush === true;
    const begun = isOver ? undefined : begunTask(held, (commit) => isAtHand(held, commit));
    const next: Next = begun === undefined ? nextInRun(held.run, tasks) : { kind: 'task', task: begun };
    if (exec !== undefined && begun === undefined) {
      yield* execute(held, exec);
      continue;
    }
    if (next.kind === 'end') {
      if (held.run.tip !== held.run.base.sha) yield* openPullRequest(held);
      return yield* end(held, next);
    }
    if (next.kind !== 'task') {
      const word = yield* attendTo(held, next);
      if (word === undefined) continue;
      return word;
    }
    if (steering?.paused !== undefined && stop === undefined && !hasOrders(held.run)) return yield* pause(held);
    const again = yield* workOn(held, next.task);
    sawFailure = true;
    if (again !== undefined) return yield* park(held, { ...again, setbacks: handedBack(held.run) });
  }
}

/** As in `src/workers/exec.ts`. */
function* execute(held: Held, given: GivenExec): Generator<undefined, void> {
  const { world, run } = held;
  const key = `exec/${given.number}`;
  const known = world.bugs.runsAgain === true ? undefined : world.row(run.id).effects.get(key);
  const next = nextExecution(known, { ends: run.stop !== undefined });
  if (next === 'run')
    yield* held.effect(key, { commit: run.tip }, (): Execution => {
      world.executed.push(`${run.id}/${given.number}`);
      return { kind: 'ran', commit: run.tip, durationMs: 1, output: '', log: '' };
    });
  yield* tellExecution(held, given);
  yield* held.changeRun({ steering: seenTo(held.run, given) });
}

function* tellExecution({ world, worker, run }: Held, { number }: GivenExec): Generator<undefined, void> {
  worker.assertOurs(world);
  yield;
  world.ensure(world.comments, `exec/${run.id}/${number}`);
}

/** As in `src/workers/aside.ts`. */
function isOnlyToRun(held: Held): boolean {
  const { run, world } = held;
  if (!hasOrders(run) || begunTask(held) !== undefined) return false;
  return waitsOn(run, ordersLeft(world, run), held.now);
}

function* runAside(held: Held): Life {
  const { world } = held;
  for (;;) {
    yield;
    held.run = { ...held.run, stop: world.row(held.run.id).run.stop };
    const [next] = ordersLeft(world, held.run);
    if (next === undefined || !isExec(next)) break;
    yield* execute(held, next);
  }
  yield* held.changeRun({ setbacks: handedBack(held.run) });
  yield;
  return asItStands(held);
}

function ordersLeft(world: World, { id, steering }: Run): readonly GivenOrder[] {
  return world.row(id).orders.filter(({ number }) => number > (steering?.taken ?? 0));
}

/** As in `src/workers/put-away.ts`. */
function asItStands(held: Held): Word {
  held.reload();
  const stands = standing(held.run, held.now);
  if (stands.kind === 'waits') return { kind: 'again', delayMs: stands.at - held.now };
  return stands.kind === 'held' ? { kind: 'done' } : { kind: 'again', delayMs: 0 };
}

/** As in `src/workers/people.ts`. */
function* attendTo(
  held: Held,
  next: Extract<Next, { readonly kind: 'ask' | 'answer' }>,
): Generator<undefined, Word | undefined> {
  const { task } = next;
  const at = held.now;
  if (next.kind === 'ask') {
    const question = questionOfFailure(task, { id: nextQuestionId(held.tasks), at });
    yield* held.changeTask(task, { questions: [...(task.questions ?? []), question] });
    return undefined;
  }
  const { question } = next;
  const attendance = attend(question, { settings: held.run.settings, remindMs: 600_000, now: at });
  if (attendance.kind === 'no-answer') {
    const then: Pick<Answer, 'leads'> =
      attendance.leads === 'stop' ? { leads: 'end' } : question.kind === 'failure' ? { leads: 'leave' } : {};
    const { questions = [], outcome } = answered(task, { by: undefined, at, text: '', ...then });
    const isUndone = then.leads === 'end' && outcome === undefined;
    const undone = { outcome: { kind: 'cancelled', by: 'nobody', reason: 'nobody answered in time' } } as const;
    yield* held.changeTask(task, { questions, ...(isUndone ? undone : {}) });
    return undefined;
  }
  const key = `${held.run.id}/${question.id}`;
  held.worker.assertOurs(held.world);
  yield;
  held.world.ensure(held.world.comments, `question/${key}`);
  if (attendance.kind === 'remind') {
    const { number } = attendance;
    yield;
    held.world.ensure(held.world.comments, `reminder/${key}/${number}`);
    const questions = [...(task.questions ?? []).slice(0, -1), { ...question, reminders: number }];
    yield* held.changeTask(task, { questions });
    return undefined;
  }
  if (held.run.steering?.paused !== undefined) return yield* pause(held);
  const parkedUntil = attendance.until;
  yield* held.changeRun({ state: 'parked', waitsFor: 'answer', parkedUntil, setbacks: handedBack(held.run) });
  yield* tellIfPossible(held);
  yield;
  return asItStands(held);
}

/** As in `src/workers/pushed.ts`. */
function begunTask(held: Held, isAtHand: (commit: string) => boolean = () => true): RunTask | undefined {
  const { world, run, tasks } = held;
  if (world.bugs.ordersBeforePush === true) return undefined;
  const { sessions } = world.row(run.id);
  const isBegun = ({ key, since = 0 }: RunTask): boolean =>
    sessions
      .filter(({ taskKey, attempt }) => taskKey === key && attempt > since)
      .map((one) => world.pushBegun(run.id, pushKey(world, one)))
      .some((begun) => begun !== undefined && isAtHand(begun.commit));
  return tasks.find((task) => task.outcome === undefined && isBegun(task));
}

/** As in `src/workers/pushed.ts`. */
function* recordPushed(held: Held): Generator<undefined, void> {
  const task = begunTask(held);
  if (task === undefined) return;
  const { world, run } = held;
  const own = world.row(run.id).sessions.filter(({ taskKey }) => taskKey === task.key);
  for (const session of sessionsThatCount(task, own)) {
    const effect = world.row(run.id).effects.get(pushKey(world, session));
    const begun = world.pushBegun(run.id, pushKey(world, session));
    if (begun === undefined) continue;
    yield;
    const head = world.branches.get(run.branch)?.at(-1)?.oid;
    if (effect?.result === undefined && head !== begun.commit) continue;
    const parent = begun.parent === undefined ? {} : { parent: begun.parent };
    const outcome = { kind: 'committed', commit: begun.commit, ...parent } as const;
    yield* held.changeRun({ tip: begun.commit, pushed: undefined });
    yield;
    world.saveSession(held.lease, { ...session, outcome, endedAt: held.now });
    yield* held.changeTask(task, { outcome, endedAt: held.now });
    return;
  }
}

function isFailed({ outcome }: RunTask): boolean {
  return outcome?.kind === 'failed';
}

/** As `historyOf` in `src/workers/pushed.ts`: of the pushes that were begun and whose commit can be had, the one that may be on the branch. */
function findPush(held: Held, task: RunTask, sessions: readonly Session[]): PushBegun | undefined {
  const { world, run } = held;
  const begun = sessionsThatCount(task, sessions)
    .toReversed()
    .flatMap((session) => {
      const push = world.pushBegun(run.id, pushKey(world, session));
      const isDone = world.row(run.id).effects.get(pushKey(world, session))?.result !== undefined;
      return push === undefined ? [] : [{ push, isDone }];
    });
  const head = begun.length > 1 ? branchOnGitHub(held) : undefined;
  return likeliestFirst(begun, head).find(({ commit }) => isAtHand(held, commit));
}

function branchOnGitHub({ world, run }: Held): string | undefined {
  return world.forge('look at the branch', () => world.branches.get(run.branch)?.at(-1)?.oid);
}

/** As in `src/workers/pushed.ts`. */
function isAtHand(held: Held, commit: string): boolean {
  const { world, worker } = held;
  if (worker.mirror.has(commit)) return true;
  if (world.bugs.pushKeyedByTask === true) return false;
  if (branchOnGitHub(held) !== commit) return false;
  worker.mirror.add(commit);
  return true;
}

function pushKey(world: World, session: Pick<Session, 'id' | 'taskKey'> | undefined): string {
  return world.bugs.pushKeyedByTask === true ? `push/${session?.taskKey ?? ''}` : `push/${session?.id ?? ''}`;
}

/** What the commit of a session stands on, if its push was begun before. */
function parentOnRecord({ world, run }: Held, session: Session): string | undefined {
  return world.pushBegun(run.id, pushKey(world, session))?.parent;
}

type Again = { readonly at: number; readonly reason: string };

function* workOn(held: Held, task: RunTask): Generator<undefined, Again | undefined> {
  const { world } = held;
  const sessions = world.row(held.run.id).sessions.filter(({ taskKey }) => taskKey === task.key);
  const pushBegun = task.attempts === 0 ? undefined : findPush(held, task, sessions);
  const missed = world.bugs.forgetsQuestions === true ? undefined : missedQuestion(task, sessions, held.tasks);
  if (missed !== undefined) {
    yield* held.changeTask(task, { questions: [...(task.questions ?? []), missed.question], startedAt: undefined });
    return undefined;
  }
  const { stop } = held.run;
  const how = approach(task, { sessions, pushBegun, stop, deaths: deathsBefore(held.run), retry });
  yield;
  const spent = how.kind === 'attempt' ? budgetBefore(held, task) : undefined;
  if (spent?.resetAt !== undefined) return { at: spent.resetAt, reason: spent.message };
  const turn =
    how.kind === 'attempt' && spent === undefined
      ? chooseProvider(candidates(world), { sessions: sessionsThatCount(task, sessions), now: held.now, retry })
      : undefined;
  if (turn?.kind === 'wait') return turn;
  if (how.kind === 'give-up') yield* held.changeTask(task, { outcome: how.outcome, endedAt: held.now });
  else if (spent !== undefined)
    yield* held.changeTask(task, { outcome: { kind: 'failed', failure: spent }, endedAt: held.now });
  else if (turn?.kind === 'none') yield* held.changeTask(task, { outcome: lastFailure(sessions), endedAt: held.now });
  else {
    const begun = how.kind === 'attempt' ? sessionBegins(held.run) : undefined;
    if (begun !== undefined) yield* held.changeRun({ setbacks: begun });
    const again = yield* attempt(held, task, { ...how, earlier: sessions, provider: turn?.provider ?? '' });
    if (again !== undefined) return again;
  }
  const setbacks = gotFurther(held.run);
  if (setbacks !== undefined) yield* held.changeRun({ setbacks });
  return undefined;
}

function* attempt(
  held: Held,
  task: RunTask,
  how: Exclude<ReturnType<typeof approach>, { kind: 'give-up' }> & {
    readonly earlier: readonly Session[];
    readonly provider: string;
  },
): Generator<undefined, Again | undefined> {
  let session: Session;
  let outcome: Outcome;
  if (how.kind === 'resume') {
    ({ session } = how);
    outcome = { kind: 'committed', commit: how.commit };
  } else {
    session = yield* beginSession(held, task, how);
    outcome = yield* converse(held, session, task);
    takePoison(held, 'work');
  }
  yield;
  if (outcome.kind === 'committed') {
    const parent = parentOnRecord(held, session) ?? held.run.tip;
    yield* pushCommit(held, task, { oid: outcome.commit, session });
    outcome = { ...outcome, parent };
  }
  const settled = settlement(outcome, {
    session,
    sessions: sessionsThatCount(task, how.earlier),
    now: held.now,
    retry,
    candidates: candidates(held.world),
  });
  noteEnd(held, session, outcome);
  held.worker.assertOurs(held.world);
  yield;
  held.world.saveSession(held.lease, { ...session, outcome, endedAt: held.now });
  if (settled.kind === 'settled') yield* held.changeTask(task, { outcome, endedAt: held.now });
  else {
    const questions = settled.kind === 'asked' ? { questions: [...(task.questions ?? []), settled.question] } : {};
    yield* held.changeTask(task, { outcome: undefined, startedAt: undefined, ...questions });
  }
  return settled.kind === 'again' ? settled : undefined;
}

/** Two providers; every run prefers the first. */
function candidates(world: World): readonly Candidate[] {
  return ['first', 'second'].map((provider) => ({ provider, circuit: world.circuits.get(provider), lacks: undefined }));
}

function lastFailure(sessions: readonly Session[]): Outcome | undefined {
  return sessions.findLast(({ outcome }) => outcome?.kind === 'failed')?.outcome;
}

/** As `src/workers/circuits.ts` does at a session's end. */
function noteEnd({ world, now }: Held, { provider }: Session, outcome: Outcome): void {
  const before = world.circuits.get(provider) ?? CLOSED;
  if (outcome.kind !== 'failed') return void world.circuits.delete(provider);
  const { kind, resetAt } = outcome.failure;
  if (kind === 'quota' && resetAt !== undefined)
    world.circuits.set(
      provider,
      afterBlame(before, { kind: 'until', at: resetAt, reason: kind }, now, DEFAULT_CIRCUIT),
    );
  else if (kind === 'auth' || kind === 'overloaded')
    world.circuits.set(
      provider,
      afterBlame(before, { kind: kind === 'auth' ? 'at-once' : 'counts', reason: kind }, now, DEFAULT_CIRCUIT),
    );
}

function* beginSession(
  held: Held,
  task: RunTask,
  { number, provider }: { readonly number: number; readonly provider: string },
): Generator<undefined, Session> {
  const session: Session = {
    id: sessionIdFor(held.run.id, task.position, number),
    runId: held.run.id,
    taskKey: task.key,
    attempt: number,
    provider,
    runner: 'model',
    conversation: undefined,
    image: undefined,
    log: '',
    startedAt: held.now,
    endedAt: undefined,
    outcome: undefined,
    usage: NO_USAGE,
  };
  held.worker.assertOurs(held.world);
  yield;
  held.world.saveSession(held.lease, session);
  yield* held.changeTask(task, { attempts: number, startedAt: held.now, endedAt: undefined, outcome: undefined });
  yield;
  return session;
}

function takePoison({ world, worker, run }: Held, what: 'work' | 'tell'): void {
  if (world.poison.get(issueOf(run)) === what) worker.process.doomed = true;
}

function issueOf({ trigger }: Run): number {
  return trigger.kind === 'push' ? 0 : trigger.issue;
}

/** What every agent proposes that proposes something. */
export const PROPOSAL: readonly ProposedTask[] = ['one', 'other'].map((title) => ({ title, text: title }));

const ASKS: Readonly<Record<'ask' | 'replan', Asks>> = {
  ask: { kind: 'ask', text: 'Which?', options: ['this', 'that'] },
  replan: { kind: 'replan', why: 'It is done differently.', tasks: PROPOSAL },
};

const FATES: readonly (FailureKind | 'no-change' | 'committed' | 'ask' | 'replan')[] = [
  ...Array.from({ length: 9 }, () => 'committed' as const),
  'no-change',
  'crash',
  'overloaded',
  'quota',
  'infra',
  'auth',
  'ask',
  'replan',
];

/** The agent's session and all that follows up to the commit: nothing of it is seen outside. */
function* converse(held: Held, session: Session, task: RunTask): Generator<undefined, Outcome> {
  const { world, worker, run, tasks, now } = held;
  const { id } = session;
  const fate = FATES[worker.fate % FATES.length] ?? 'committed';
  world.trace?.push(`    agent of ${id}: ${fate}`);
  if (world.row(run.id).run.stop !== undefined) return { kind: 'cancelled', by: 'ada', reason: 'the run was stopped' };
  const exhausted = yield* spend(held, { session, task, calls: 1 + (worker.fate % 3) });
  if (exhausted !== undefined) return { kind: 'failed', failure: exhausted };
  if (fate === 'no-change') return { kind: 'no-change' };
  if (fate === 'committed') {
    world.nonce += 1;
    const commit = `${id}.${world.nonce}`;
    worker.mirror.add(commit);
    return { kind: 'committed', commit };
  }
  if (fate === 'ask' || fate === 'replan') {
    const not = whyNotAsk(task, 1);
    if (not !== undefined) return { kind: 'failed', failure: { kind: 'permission', message: not } };
    const question = questionOf(ASKS[fate], { id: nextQuestionId(tasks), session: id, at: now, work: undefined });
    return { kind: 'parked', reason: 'It waits.', question };
  }
  const resetAt = fate === 'quota' ? { resetAt: now + 60_000 } : {};
  return { kind: 'failed', failure: { kind: fate, message: 'It broke.', ...resetAt } };
}

function* pushCommit(held: Held, task: RunTask, commit: { oid: string; session: Session }): Generator<undefined, void> {
  const { run, world } = held;
  if (run.tip !== commit.oid) {
    const expected = branchTip(run);
    const parent = run.tip;
    yield* held.effect(pushKey(world, commit.session), { commit: commit.oid, parent, session: commit.session.id }, () =>
      world.push(run.branch, held.lease, { oid: commit.oid, task: task.key, expected, parent }),
    );
    yield* held.changeRun({ tip: commit.oid, pushed: undefined });
  }
  yield* openPullRequest(held);
}

/** As `rewindBranch` in `src/workers/rewind.ts`. */
function* rewind(held: Held): Generator<undefined, void> {
  const { run, world, lease } = held;
  const { pushed: from, tip: to } = run;
  if (from === undefined) return;
  const at = yield* held.effect(`rewind/${from}/${to}`, { from, to }, () =>
    world.rewind(run.branch, lease, { from, to }),
  );
  const pushed = at === to ? undefined : at;
  if (pushed !== from) yield* held.changeRun({ pushed });
}

function* openPullRequest(held: Held): Generator<undefined, void> {
  const { run, world } = held;
  if (run.pullRequest !== undefined) return;
  yield* held.effect('pull-request', { head: run.branch }, () => world.ensure(world.pulls, run.branch));
  yield* held.changeRun({ pullRequest: { number: 1, url: run.branch, draft: true } });
}

/** Says how things stand in the run's one comment. */
function* tell(held: Held): Generator<undefined, void> {
  held.worker.assertOurs(held.world);
  takePoison(held, 'tell');
  yield;
  held.world.ensure(held.world.comments, `run/${held.run.id}`);
}

function* tellIfPossible(held: Held): Generator<undefined, void> {
  try {
    yield* tell(held);
  } catch (error) {
    if (!(error instanceof Away)) throw error;
  }
}

function* park(
  held: Held,
  wait: { readonly at: number | undefined; readonly reason: string } & Pick<Run, 'setbacks'>,
): Life {
  const { at, reason, setbacks } = wait;
  yield* held.changeRun({ state: 'parked', reason, parkedUntil: at, setbacks });
  if (setbacks?.aloneTold !== false) yield* tellIfPossible(held);
  return { kind: 'again', delayMs: at === undefined ? 0 : Math.max(0, at - held.now) };
}

/** As `pause` in `src/workers/put-away.ts`. */
function* pause(held: Held): Life {
  yield* held.changeRun({ state: 'parked', parkedUntil: undefined, setbacks: handedBack(held.run) });
  yield* tellIfPossible(held);
  yield;
  return asItStands(held);
}

function* endAnyway(held: Held, ending: Ending & { readonly silent?: boolean }): Life {
  if (ending.silent !== true)
    for (const given of ordersLeft(held.world, held.run)) if (isExec(given)) yield* tellExecution(held, given);
  yield* recordPushed(held);
  yield* held.takeOrders({ ends: true });
  return yield* end(held, ending);
}

function* end(held: Held, { state, reason, silent = false }: Ending & { readonly silent?: boolean }): Life {
  try {
    if (!silent) yield* tell(held);
  } catch (error) {
    if (afterInterruption(held.run, interruptionOf(error), { now: held.now, retry }).kind !== 'end') throw error;
  }
  yield;
  try {
    yield* held.changeRun({ state, reason, endedAt: held.now });
  } catch (error) {
    if (error instanceof OrdersWaiting) return { kind: 'again', delayMs: 0 };
    throw error;
  }
  return { kind: 'done' };
}

function* fold(held: Held, error: unknown): Life {
  const interruption = interruptionOf(error);
  if (interruption.kind === 'lost') return yield* tellAlive(held);
  try {
    yield;
    held.reload();
    if (isFinal(held.run.state)) return { kind: 'done' };
    const means = afterInterruption(held.run, interruption, { now: held.now, retry });
    switch (means.kind) {
      case 'leave':
        return { kind: 'done' };
      case 'hand-back':
        yield* held.changeRun({ setbacks: means.setbacks });
        return { kind: 'again', delayMs: 0 };
      case 'end':
        return yield* endAnyway(held, { state: 'failed', reason: means.reason });
      case 'wait':
        if (!isWaiting(held.run, held.now)) return yield* park(held, means);
        yield* held.changeRun({ setbacks: means.setbacks });
        return { kind: 'again', delayMs: Math.max(0, means.at - held.now) };
    }
  } catch (second) {
    if (interruptionOf(second).kind === 'lost') return yield* tellAlive(held);
    held.worker.leftNoWord = true;
    return isFinal(held.run.state) ? { kind: 'done' } : { kind: 'again', delayMs: 30_000 };
  }
}

/** As in `src/workers/handle.ts`. */
function* tellAlive({ world, worker, lease }: Held): Life {
  yield;
  try {
    world.updateRun(lease, { setbacks: handedBack(world.row(lease.runId).run) });
  } catch {
    worker.leftNoWord = true;
  }
  return { kind: 'done' };
}

function interruptionOf(error: unknown): Interruption {
  if (error instanceof EndedEarly || error instanceof LeaseLost) return { kind: 'lost' };
  if (error instanceof BranchMoved) return { kind: 'refused', reason: "Somebody else changed the run's branch." };
  if (error instanceof Away) return { kind: 'away', limited: false, retryAt: undefined };
  if (error instanceof OurSideBroke) return { kind: 'infrastructure', message: error.message };
  return { kind: 'unforeseen', message: String(error) };
}
