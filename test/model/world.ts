import type { Circuit } from '../../src/domain/circuit.ts';
import { workKey } from '../../src/domain/active-run.ts';
import type { PushBegun } from '../../src/domain/conduct.ts';
import type { RunId, TaskKey } from '../../src/domain/ids.ts';
import { hasOrders, objection, opensAgain } from '../../src/domain/order.ts';
import { isFinal, type Run, type RunTask, type Session } from '../../src/domain/run.ts';
import type { GivenOrder, Order } from '../../src/domain/steering.ts';
import type { IssueLabelEvent } from '../../src/domain/webhook.ts';

/** Faults that can be built in, to show that the model finds them. */
export interface Bugs {
  /** Writes of a worker whose lease passed on are taken. */
  readonly noEpochCheck?: true;
  /** A request is known by its delivery's GUID instead of its natural key. */
  readonly dedupeByGuid?: true;
  /** What is made on GitHub is made without looking for what an earlier try left. */
  readonly blindRetry?: true;
  /** A delivery is acknowledged before it is saved. */
  readonly ackBeforeSave?: true;
  /** A push overwrites whatever is on the branch. */
  readonly pushWithoutLease?: true;
  /** What is known of a push is known by its task, and only on the machine that made the commit. */
  readonly pushKeyedByTask?: true;
  /** After a write whose answer was lost, a worker goes on from what it remembers. */
  readonly trustsItsMemory?: true;
  /** Only the worker that saw a task fail ends the run for it. */
  readonly forgetsFailures?: true;
  /** The database lets two unsettled runs do the same work. */
  readonly noWorkKey?: true;
  /** A run that was there when workers died is taken up beside others like any run. */
  readonly suspectsBeside?: true;
  /** What people ask is taken in before a push that was begun is seen through. */
  readonly ordersBeforePush?: true;
  /** A run that a person has stopped ends without a look at what it was pushing. */
  readonly endsOverPush?: true;
  /** A run may end although it was asked for something it has not taken in. */
  readonly endsOverOrders?: true;
  /** What is taken back from a branch is not kept first. */
  readonly keepsNothing?: true;
  /** A task is taken back over a push that was begun. */
  readonly redoOverPush?: true;
  /** What is on record of a command is not looked at before it is run. */
  readonly runsAgain?: true;
  /** A question that a session ended with is forgotten with the worker that heard it. */
  readonly forgetsQuestions?: true;
  /** What earlier sessions spent is forgotten with them. */
  readonly forgetsSpending?: true;
  /** Nobody puts runs in line again that the queue lost. */
  readonly noReconciler?: true;
}

/** Thrown by calls of GitHub that got no answer, whether or not they did something. */
export class Away extends Error {}
/** Thrown by writes under a lease that passed on. */
export class LeaseLost extends Error {}
export class BranchMoved extends Error {}
/** Thrown when a run would end with orders it has not taken in. */
export class OrdersWaiting extends Error {}

interface Pushed {
  readonly oid: string;
  readonly task: TaskKey;
  readonly expected: string | undefined;
  readonly parent: string;
}

/** Commits of a branch up to one of them; none up to the base. */
function upTo<T extends { readonly oid: string }>(commits: readonly T[], oid: string): T[] {
  return commits.slice(0, commits.findIndex((one) => one.oid === oid) + 1);
}

export interface Lease {
  readonly runId: RunId;
  readonly epoch: number;
}

/** What a session spent on a day. */
interface Spent {
  readonly session: string;
  readonly attempt: number;
  readonly runId: RunId;
  readonly task: TaskKey;
  readonly day: string;
  readonly tokens: number;
}

interface RunRow {
  run: Run;
  tasks: readonly RunTask[];
  sessions: readonly Session[];
  effects: Map<string, { intent: unknown; result: unknown }>;
  epoch: number;
  leaseUntil: number | undefined;
  /** How often its end was written, and which outcomes of its tasks were, in order. */
  ends: number;
  outcomes: TaskKey[];
  orders: GivenOrder[];
}

export interface Delivery {
  readonly guid: string;
  readonly event: IssueLabelEvent;
}

export interface InboxRow extends Delivery {
  note: string | undefined;
}

export interface Issue {
  readonly number: number;
  labelled: boolean;
  /** When its label was taken off. */
  readonly off: number[];
}

export type Fault = 'before' | 'after' | 'broken';

/** Longest life of a lease that is not renewed. Milliseconds. */
export const LEASE_MS = 30_000;

/** Everything outside the processes, and what they share: GitHub, the database, the queue, time. Each method is one moment. */
export class World {
  readonly bugs: Bugs;
  readonly trace: string[] | undefined;
  /** True time since the beginning. Milliseconds. */
  time = 1_000_000;
  nonce = 0;

  // GitHub
  readonly issues: readonly Issue[] = [1, 2, 3].map((number) => ({ number, labelled: false, off: [] }));
  readonly sent: Delivery[] = [];
  readonly branches = new Map<string, { oid: string; task: TaskKey; run: RunId }[]>();
  /** What stands on what, of all that was ever pushed, and by which run; and what was put aside before it was taken back. */
  readonly pushed = new Map<string, { parent: string; run: RunId }>();
  readonly kept = new Set<string>();
  /** Runs with a push that was on its way when its worker's lease passed on, and found the branch where it had left it. */
  readonly overtaken = new Set<RunId>();
  /** Issues whose runs end every process that does this for them. */
  readonly poison = new Map<number, 'work' | 'tell'>();
  /** Runs that were cut off when their process had nothing else at hand. */
  readonly cutAlone = new Set<RunId>();
  readonly pulls: string[] = [];
  readonly comments: string[] = [];
  /** Commands of people that were run, by run and order. */
  readonly executed: string[] = [];

  // Ours
  readonly acknowledged = new Set<string>();
  readonly inbox = new Map<string, InboxRow>();
  readonly rows = new Map<RunId, RunRow>();
  readonly spent = new Map<string, Spent>();
  /** What workers spent on a run whose lease had passed on while the call was on its way. Tokens. */
  readonly spentLate = new Map<RunId, number>();
  readonly circuits = new Map<string, Circuit>();
  readonly queue = new Map<RunId, { due: number; holder: string | undefined }>();
  /** Promises seen broken on the way. */
  readonly broken: string[] = [];

  /** What happens to the next calls of GitHub, and to the next writes to the database. */
  readonly forgeFaults: Fault[] = [];
  readonly storeFaults: Fault[] = [];

  constructor(bugs: Bugs, trace?: string[]) {
    this.bugs = bugs;
    this.trace = trace;
  }

  /** Calls GitHub: it may not answer, before or after it did what was asked. */
  forge<T>(what: string, effect: () => T): T {
    const fault = this.forgeFaults.shift();
    this.trace?.push(`    GitHub: ${what}${fault === undefined ? '' : ` (${fault})`}`);
    if (fault === 'before') throw new Away(what);
    if (fault === 'broken') throw new Error(`broken: ${what}`);
    const result = effect();
    if (fault === 'after') throw new Away(what);
    return result;
  }

  /** Makes a comment or pull request unless it is there. GitHub itself has no such call: looking and making count as one moment. */
  ensure(list: string[], what: string): void {
    this.forge(`ensure ${what}`, () => {
      if (this.bugs.blindRetry === true || !list.includes(what)) list.push(what);
    });
  }

  push(branch: string, lease: Lease, commit: Pushed): void {
    const run = lease.runId;
    this.forge(`push ${commit.oid} to ${branch}`, () => {
      const commits = this.branches.get(branch) ?? [];
      const actual = commits.at(-1)?.oid;
      if (actual === commit.oid) return;
      if (actual !== commit.expected && this.bugs.pushWithoutLease !== true) throw new BranchMoved(actual);
      const below = this.bugs.pushWithoutLease === true ? commits : upTo(commits, commit.parent);
      this.branches.set(branch, [...below, { oid: commit.oid, task: commit.task, run }]);
      this.pushed.set(commit.oid, { parent: commit.parent, run });
      if (this.row(run).epoch !== lease.epoch) this.overtaken.add(run);
    });
  }

  /** Moves a branch back, what is on it put aside first; one that would be left with nothing stays. Gives where it is. */
  rewind(branch: string, lease: Lease, { from, to }: { readonly from: string; readonly to: string }): string {
    const actual = (): string => this.branches.get(branch)?.at(-1)?.oid ?? 'base';
    const chain = this.chainOf(from);
    if (actual() !== to && !chain.includes(actual())) throw new BranchMoved(actual());
    this.forge(`keep ${from}`, () => {
      if (this.bugs.keepsNothing !== true) for (const oid of chain) this.kept.add(oid);
    });
    if (to === 'base') return actual();
    const expected = actual();
    return this.forge(`rewind ${branch} to ${to}`, () => {
      if (actual() !== expected && actual() !== to) throw new BranchMoved(actual());
      this.branches.set(branch, upTo(this.branches.get(branch) ?? [], to));
      if (this.row(lease.runId).epoch !== lease.epoch) this.overtaken.add(lease.runId);
      return to;
    });
  }

  /** A commit and all it stands on. */
  private chainOf(oid: string): readonly string[] {
    const below = this.pushed.get(oid);
    return below === undefined ? [] : [oid, ...this.chainOf(below.parent)];
  }

  row(id: RunId): RunRow {
    const row = this.rows.get(id);
    if (row === undefined) throw new Error(`no run ${id}`);
    return row;
  }

  createRun(run: Run, tasks: readonly RunTask[]): Run {
    return this.write(`create run ${run.id}`, () => {
      const there = this.rows.get(run.id)?.run ?? this.atWork(run);
      if (there !== undefined && (there.id === run.id || this.bugs.noWorkKey !== true)) return there;
      if (there !== undefined) this.broken.push(`P2: runs ${there.id} and ${run.id} do the same work at the same time`);
      this.rows.set(run.id, {
        run,
        tasks,
        sessions: [],
        effects: new Map(),
        epoch: 0,
        leaseUntil: undefined,
        ends: 0,
        outcomes: [],
        orders: [],
      });
      return run;
    });
  }

  private atWork(run: Run): Run | undefined {
    for (const { run: other } of this.rows.values())
      if (!isFinal(other.state) && workKey(other.playbook) === workKey(run.playbook)) return other;
    return undefined;
  }

  active(): readonly Run[] {
    return [...this.rows.values()].map(({ run }) => run).filter((run) => !isFinal(run.state));
  }

  claim(id: RunId, now: number): Lease | undefined {
    const row = this.row(id);
    if (row.leaseUntil !== undefined && row.leaseUntil >= now) return undefined;
    row.epoch += 1;
    row.leaseUntil = now + LEASE_MS;
    return { runId: id, epoch: row.epoch };
  }

  renew(lease: Lease, now: number): boolean {
    const row = this.row(lease.runId);
    if (row.epoch !== lease.epoch || row.leaseUntil === undefined) return false;
    row.leaseUntil = now + LEASE_MS;
    return true;
  }

  release(lease: Lease): void {
    const row = this.row(lease.runId);
    if (row.epoch === lease.epoch) row.leaseUntil = undefined;
  }

  private write<T>(what: string, effect: () => T): T {
    const fault = this.storeFaults.shift();
    this.trace?.push(`    store: ${what}${fault === undefined ? '' : ` (${fault})`}`);
    if (fault === 'before' || fault === 'broken') throw new Error('the database does not answer');
    const result = effect();
    if (fault === 'after') throw new Error('the database went away');
    return result;
  }

  private under<T>(lease: Lease, what: string, effect: (row: RunRow) => T): T {
    return this.write(what, () => {
      const row = this.row(lease.runId);
      if (row.epoch !== lease.epoch && this.bugs.noEpochCheck !== true) throw new LeaseLost(what);
      return effect(row);
    });
  }

  updateRun(lease: Lease, change: Partial<Run>): void {
    this.under(lease, `run ${JSON.stringify(change)}`, (row) => {
      const ends = change.state !== undefined && isFinal(change.state);
      if (ends && hasOrders(row.run) && this.bugs.endsOverOrders !== true) throw new OrdersWaiting();
      if (ends) row.ends += 1;
      row.run = { ...row.run, ...change };
    });
  }

  updateTask(lease: Lease, key: TaskKey, change: Partial<RunTask>): void {
    this.under(lease, `task ${key} ${JSON.stringify(change)}`, (row) => {
      if (change.outcome !== undefined) row.outcomes.push(key);
      // Asked for again by a person: it may have another.
      if (change.since !== undefined) row.outcomes = row.outcomes.filter((one) => one !== key);
      row.tasks = row.tasks.map((task) => (task.key === key ? { ...task, ...change } : task));
    });
  }

  addTasks(lease: Lease, tasks: readonly RunTask[]): void {
    this.under(lease, `add ${tasks.length} tasks`, (row) => {
      row.tasks = [...row.tasks, ...tasks.filter(({ key }) => !row.tasks.some((there) => there.key === key))];
    });
  }

  saveSession(lease: Lease, session: Session): void {
    this.under(lease, `session ${session.id} ${session.outcome?.kind ?? 'begun'}`, (row) => {
      row.sessions = [...row.sessions.filter(({ id }) => id !== session.id), session];
    });
  }

  /** As `recordSpent` of the store: not under a lease, and to the same end however often. */
  recordSpent(lease: Lease, spent: Spent): void {
    this.write(`${spent.session} spent ${spent.tokens} tokens on ${spent.day}`, () => {
      const key = `${spent.session}/${spent.day}`;
      const more = spent.tokens - (this.spent.get(key)?.tokens ?? 0);
      this.spent.set(key, spent);
      if (this.row(spent.runId).epoch === lease.epoch) return;
      this.spentLate.set(spent.runId, (this.spentLate.get(spent.runId) ?? 0) + more);
    });
  }

  recordIntent(lease: Lease, key: string, intent: unknown): void {
    this.under(lease, `intent ${key} ${JSON.stringify(intent)}`, ({ effects }) => {
      if (effects.get(key)?.result === undefined) effects.set(key, { intent, result: undefined });
    });
  }

  recordResult(lease: Lease, key: string, result: unknown): void {
    this.under(lease, `result ${key}`, ({ effects }) => {
      const effect = effects.get(key);
      if (effect !== undefined) effect.result = result;
    });
  }

  pushBegun(id: RunId, key: string): PushBegun | undefined {
    return this.row(id).effects.get(key)?.intent as PushBegun | undefined;
  }

  requestStop(id: RunId, at: number): void {
    const row = this.row(id);
    if (isFinal(row.run.state)) return;
    if (row.run.stop === undefined) row.run = { ...row.run, stop: { by: 'ada', reason: 'label removed by @ada', at } };
  }

  /** As the app does with a command: refused when it can't be carried out, or another run is at the same work. */
  giveOrder(id: RunId, order: Order, at: number): boolean {
    const row = this.row(id);
    if (objection(order, row) !== undefined) return false;
    const reopens = opensAgain(order).includes(row.run.state);
    if (reopens && this.atWork(row.run) !== undefined) return false;
    const number = row.orders.length + 1;
    row.orders.push({ number, key: `c${number}`, by: 'ada', at, order });
    row.run = { ...row.run, orders: number };
    this.trace?.push(`    ${id}: ${JSON.stringify(order)}`);
    if (!reopens) return true;
    row.run = {
      ...row.run,
      state: 'queued',
      stop: undefined,
      reason: undefined,
      setbacks: undefined,
      endedAt: undefined,
    };
    row.ends = 0;
    return true;
  }

  save(delivery: Delivery): void {
    this.write(`save ${delivery.guid}`, () => {
      if (!this.inbox.has(delivery.guid)) this.inbox.set(delivery.guid, { ...delivery, note: undefined });
    });
  }

  settle(guid: string, note: string): void {
    this.write(`settle ${guid}: ${note}`, () => {
      const row = this.inbox.get(guid);
      if (row !== undefined) row.note = note;
    });
  }

  enqueue(id: RunId, due: number | undefined): void {
    const job = this.queue.get(id);
    if (job === undefined) this.queue.set(id, { due: due ?? this.time, holder: undefined });
    else if (due === undefined && job.holder === undefined) job.due = this.time;
  }
}
