import type { Circuit } from '../domain/circuit.ts';
import type { GivenOrder } from '../domain/steering.ts';
import type { RunId, SessionId, TaskKey } from '../domain/ids.ts';
import type { Run, RunTask, Session, StopRequest } from '../domain/run.ts';
import type { Charge, Spending } from '../domain/spending.ts';

/**
 * Terms. The *inbox* holds every webhook delivery we acknowledged. A *lease* is the right to work on a run, good until `until`;
 * its *epoch* grows with every new owner, and every write of a worker says which epoch it is made under, so that a worker that
 * lost its lease cannot write. An *effect* is something done outside the store; its intent is recorded before, its result after.
 */
export interface Store {
  // Inbox

  /** Saves a delivery durably before it is acknowledged. The GUID is unique: a second save of it changes nothing. */
  saveDelivery(delivery: NewDelivery): Promise<'saved' | 'duplicate'>;
  /** Deliveries not settled yet whose `retryAt` has come, oldest first; of one lane only, if it is given. */
  pendingDeliveries(now: number, limit: number, lane?: string): Promise<readonly Delivery[]>;
  /** The lanes that have such deliveries, at most a thousand of them, those that have waited longest first. */
  lanesDue(now: number): Promise<readonly string[]>;
  /** Records that a delivery was dealt with, and how, in a few words. */
  settleDelivery(guid: string, note: string): Promise<void>;
  /** Records that handling failed: one more attempt, to be made at `retryAt`; `undefined` gives up and keeps the delivery for a person. */
  failDelivery(guid: string, error: string, retryAt: number | undefined): Promise<void>;
  /** Which of these GUIDs the inbox holds, in whatever state. */
  knownDeliveries(guids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Forgets deliveries that were settled and received before `before` (epoch milliseconds); says how many. */
  pruneDeliveries(before: number): Promise<number>;

  // Marks: small things remembered across restarts, by name

  setMark(name: string, mark: Mark): Promise<void>;
  findMarks(names: readonly string[]): Promise<ReadonlyMap<string, Mark>>;
  /** Marks whose name begins with `prefix`. */
  marksBelow(prefix: string): Promise<ReadonlyMap<string, Mark>>;
  /** Forgets marks whose name begins with `prefix` and whose `at` is before `before`; says how many. */
  pruneMarks(prefix: string, before: number): Promise<number>;

  // Circuits: how model endpoints do, shared by all workers

  /** The circuits that have these names. One that was never in trouble is not there. */
  findCircuits(names: readonly string[]): Promise<ReadonlyMap<string, Circuit>>;
  /** The circuits whose name begins with `prefix`. */
  circuitsBelow(prefix: string): Promise<ReadonlyMap<string, Circuit>>;
  /**
   * Changes a circuit, as it is at that moment, under a lock: of any number that change it at the same time each sees what the one
   * before left. `change` gives undefined to leave it. Returns whether it was changed.
   */
  changeCircuit(name: string, change: (before: Circuit) => Circuit | undefined): Promise<boolean>;

  // Keys of installations, sealed: only the operator's secret opens them

  /** Keeps a key, in place of the one there is. */
  saveKey(key: StoredKey): Promise<void>;
  listKeys(): Promise<readonly StoredKey[]>;
  findKey(installationId: number, protocol: string): Promise<StoredKey | undefined>;
  /** Says whether there was one. */
  removeKey(installationId: number, protocol: string): Promise<boolean>;

  // Runs

  /**
   * Saves a run with its tasks, unless its id exists or another run that is not settled works on the same playbook (see
   * `workKey`): of any number that ask at the same time one is saved. `created` says whether it was this one; `run` is the run
   * that is there, which may be one of another id.
   */
  createRun(run: Run, tasks: readonly RunTask[]): Promise<{ readonly created: boolean; readonly run: Run }>;
  findRun(id: RunId): Promise<Run | undefined>;
  /** Runs in one of `states` (all when omitted), newest first. */
  listRuns(filter?: RunFilter): Promise<readonly Run[]>;
  tasksOf(id: RunId): Promise<readonly RunTask[]>;
  /** Sessions of a run, or of one of its tasks, in the order they began. */
  sessionsOf(id: RunId, task?: TaskKey): Promise<readonly Session[]>;
  /** Sessions of any repository that are called `name`, by our id or as the provider's conversation; newest first, 20 at most. */
  findSessions(name: string): Promise<readonly { readonly repositoryId: number; readonly session: Session }[]>;
  /** Asks the worker to end a run. The first request stays; returns whether this was it. */
  requestStop(id: RunId, stop: StopRequest): Promise<boolean>;
  /**
   * Records an order for a run, once per `key`; a run in one of the states `reopen` is queued again with it. `in the way`: another
   * run is at the same work, and nothing was recorded.
   */
  giveOrder(id: RunId, order: NewOrder): Promise<'given' | 'known' | 'in the way'>;
  /** Orders of a run with a number above `after`, in order. */
  ordersOf(id: RunId, after: number): Promise<readonly GivenOrder[]>;

  // Leases

  /** Takes the lease of a run that nobody holds at `now` (free, or run out). Undefined when somebody does. */
  claimRun(id: RunId, owner: string, now: number, ttlMs: number): Promise<Lease | undefined>;
  /** Extends a lease; false when it is lost. */
  renewLease(lease: Lease, now: number, ttlMs: number): Promise<boolean>;
  releaseLease(lease: Lease): Promise<void>;
  /** Ends all leases of an owner that is dead for certain. Returns the runs it had. */
  releaseLeasesOf(owner: string): Promise<readonly RunId[]>;
  /** The leases somebody holds at `now`, each by its run. */
  heldLeases(now: number): Promise<ReadonlyMap<RunId, { readonly owner: string; readonly until: number }>>;

  // Writes under a lease. Each throws `LeaseLostError` when the lease's epoch is no longer the run's.

  /** Throws `OrdersWaitingError`, and changes nothing, when the run would end with orders it has not taken in. */
  updateRun(lease: Lease, change: RunChange): Promise<void>;
  updateTask(lease: Lease, key: TaskKey, change: TaskChange): Promise<void>;
  /** Adds tasks to the run, all or none. Those whose key it has already are left as they are: adding again changes nothing. */
  addTasks(lease: Lease, tasks: readonly RunTask[]): Promise<void>;
  /** Inserts a session or replaces the one of the same id. */
  saveSession(lease: Lease, session: Session): Promise<void>;
  /**
   * Records what is about to be done outside, under a key that is the same at every retry. Recorded again, the newer intent
   * replaces the older; once there is a result nothing changes any more.
   */
  recordIntent(lease: Lease, effect: EffectIntent): Promise<void>;
  /** Records what an effect gave. */
  recordResult(lease: Lease, key: string, result: unknown): Promise<void>;
  /** The effect recorded under `key` of this run, if any: `result` is undefined while only the intent is there. */
  findEffect(id: RunId, key: string): Promise<Effect | undefined>;

  // Spending: what sessions consumed, whatever became of them and of the worker that had them

  /** Records what a session has consumed on a day in all; what is recorded of it never becomes less. */
  recordSpent(spent: Spent): Promise<void>;
  /** What was spent in each scope that a session's limits count. */
  spendingOf(of: SpendingOf): Promise<Spending>;
  /** What a run has spent in all. */
  spentByRun(id: RunId): Promise<Charge>;

  // Audit

  /** Appends who did what; never changed afterwards (promise P15). */
  audit(entry: AuditEntry): Promise<void>;
  auditOf(id: RunId): Promise<readonly AuditEntry[]>;

  /** Rejects when the store cannot answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What tells the workers that share a `MAESTRO_HOME` which of them live. */
export interface Presence {
  /** Names of workers that died without a word, this one's own among them if it had an earlier life. Each is given until `forget`. */
  departed(): readonly string[];
  /** What the dead worker left has been taken over. */
  forget(name: string): void;
  /** Says that this worker goes, leaving nothing to take over. */
  leave(): void;
}

export interface NewDelivery {
  readonly guid: string;
  readonly event: string;
  readonly action: string | undefined;
  /** The raw body, as signed. */
  readonly body: string;
  readonly receivedAt: number;
  /** Those of one lane are dealt with in order, and lanes side by side. Those without share one. */
  readonly lane?: string;
}

export interface Delivery extends Omit<NewDelivery, 'lane'> {
  readonly attempts: number;
}

/** A model key of an installation, as it is kept. */
export interface StoredKey {
  readonly installationId: number;
  /** Of the model API it is for. */
  readonly protocol: string;
  readonly sealed: string;
  /** Epoch milliseconds. */
  readonly setAt: number;
}

export interface Mark {
  /** JSON value. */
  readonly value: unknown;
  /** Epoch milliseconds. */
  readonly at: number;
}

export interface RunFilter {
  readonly states?: readonly Run['state'][];
  readonly repositoryId?: number;
  /** Runs whose trigger or playbook is this issue. */
  readonly issue?: number;
  readonly limit?: number;
}

export interface Lease {
  readonly runId: RunId;
  readonly owner: string;
  readonly epoch: number;
}

/** What may change in a run once it exists; everything else is fact. */
export type RunChange = Partial<
  Pick<
    Run,
    | 'state'
    | 'reason'
    | 'startedAt'
    | 'endedAt'
    | 'parkedUntil'
    | 'tip'
    | 'pullRequest'
    | 'statusCommentId'
    | 'setbacks'
    | 'steering'
    | 'waitsFor'
    | 'pushed'
  >
>;

export type TaskChange = Partial<
  Pick<
    RunTask,
    'attempts' | 'since' | 'outcome' | 'usage' | 'startedAt' | 'endedAt' | 'handover' | 'questions' | 'notes'
  >
>;

export interface NewOrder extends Omit<GivenOrder, 'number'> {
  /** The final states in which the run is opened again. */
  readonly reopen: readonly Run['state'][];
}

export interface EffectIntent {
  readonly key: string;
  /** What kind of effect, e.g. `push`. */
  readonly name: string;
  /** JSON value: all that a retry needs to find or repeat the effect. */
  readonly intent: unknown;
}

export interface Effect extends EffectIntent {
  readonly result: unknown;
}

/** Names a session and what it is part of. */
interface Spender {
  readonly session: SessionId;
  readonly runId: RunId;
  readonly task: TaskKey;
  readonly repositoryId: number;
  /** UTC, as `dayOf` gives it. */
  readonly day: string;
}

export interface Spent extends Spender {
  /** Of this session on this day. */
  readonly total: Charge;
}

export interface SpendingOf extends Spender {
  /** Attempts at the task that do not count any more. */
  readonly since: number;
}

export interface AuditEntry {
  readonly at: number;
  readonly runId: RunId | undefined;
  readonly sessionId?: SessionId;
  /** Login of the person, or the name of the process. */
  readonly actor: string;
  /** Static, in the past tense: `run created`, `task committed`. */
  readonly action: string;
  readonly detail: unknown;
  /** Where a run has an entry with this key already, nothing is appended. Not given back by `auditOf`. */
  readonly once?: string;
}

/** A key of an installation can't be opened. The message says what to do, and holds nothing of the key. */
export class SealError extends Error {
  override readonly name = 'SealError';
}

/** Thrown when a run would end while there are orders it has not taken in. */
export class OrdersWaitingError extends Error {
  override readonly name = 'OrdersWaitingError';
  constructor(lease: Lease) {
    super(`run ${lease.runId} was asked for something before it ended`);
  }
}

/** Thrown by every write made under a lease that is no longer the newest. */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError';
  constructor(lease: Lease) {
    super(`the lease on run ${lease.runId} (owner ${lease.owner}, epoch ${lease.epoch}) has passed to another worker`);
  }
}
