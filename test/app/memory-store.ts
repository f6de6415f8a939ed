import type { RunId } from '../../src/domain/ids.ts';
import type { GivenOrder } from '../../src/domain/steering.ts';
import { workKey } from '../../src/domain/active-run.ts';
import { isFinal, type Run, type RunTask } from '../../src/domain/run.ts';
import { NO_CHARGE } from '../../src/domain/spending.ts';
import type { AuditEntry, Delivery, Mark, Store } from '../../src/store/store.ts';

interface Row extends Delivery {
  readonly lane: string;
  readonly retryAt: number | undefined;
  readonly settled: boolean;
  readonly note: string;
}

/** The part of a store the app uses, in memory, with a look inside. For tests of decisions; the real one has tests of its own. */
export interface MemoryStore extends Pick<
  Store,
  | 'saveDelivery'
  | 'pendingDeliveries'
  | 'lanesDue'
  | 'settleDelivery'
  | 'failDelivery'
  | 'knownDeliveries'
  | 'setMark'
  | 'findMarks'
  | 'marksBelow'
  | 'pruneMarks'
  | 'createRun'
  | 'findRun'
  | 'listRuns'
  | 'tasksOf'
  | 'sessionsOf'
  | 'findSessions'
  | 'requestStop'
  | 'giveOrder'
  | 'ordersOf'
  | 'heldLeases'
  | 'circuitsBelow'
  | 'spentByRun'
  | 'audit'
  | 'auditOf'
  | 'ping'
> {
  delivery(guid: string): Row | undefined;
  deliveries(): readonly Row[];
  /** Sets what a worker would. */
  change(id: RunId, change: Partial<Run>): void;
}

export function createMemoryStore(): MemoryStore {
  const rows = new Map<string, Row>();
  const runs = new Map<RunId, Run>();
  const tasks = new Map<RunId, readonly RunTask[]>();
  const entries: AuditEntry[] = [];
  const orders = new Map<RunId, GivenOrder[]>();
  const marks = new Map<string, Mark>();

  function changeRow(guid: string, change: Partial<Row>): void {
    const row = rows.get(guid);
    if (row === undefined) throw new Error(`no delivery ${guid}`);
    rows.set(guid, { ...row, ...change });
  }

  function due(now: number): readonly Row[] {
    return [...rows.values()]
      .filter((row) => !row.settled && row.retryAt !== undefined && row.retryAt <= now)
      .toSorted((a, b) => a.receivedAt - b.receivedAt);
  }

  return {
    saveDelivery: async (delivery) => {
      if (rows.has(delivery.guid)) return 'duplicate';
      rows.set(delivery.guid, { lane: '', ...delivery, attempts: 0, retryAt: 0, settled: false, note: '' });
      return 'saved';
    },
    pendingDeliveries: async (now, limit, lane) =>
      due(now)
        .filter((row) => lane === undefined || row.lane === lane)
        .slice(0, limit),
    lanesDue: async (now) => [...new Set(due(now).map((row) => row.lane))],
    settleDelivery: async (guid, note) => changeRow(guid, { settled: true, note }),
    failDelivery: async (guid, error, retryAt) =>
      changeRow(guid, { attempts: (rows.get(guid)?.attempts ?? 0) + 1, retryAt, note: error }),
    knownDeliveries: async (guids) => new Set(guids.filter((guid) => rows.has(guid))),
    setMark: async (name, mark) => void marks.set(name, mark),
    findMarks: async (names) =>
      new Map(
        names.flatMap((name) => {
          const mark = marks.get(name);
          return mark === undefined ? [] : [[name, mark] as const];
        }),
      ),
    marksBelow: async (prefix) => new Map([...marks].filter(([name]) => name.startsWith(prefix))),
    pruneMarks: async (prefix, before) => {
      const old = [...marks].filter(([name, { at }]) => name.startsWith(prefix) && at < before);
      for (const [name] of old) marks.delete(name);
      return old.length;
    },
    createRun: async (run, runTasks) => {
      const existing =
        runs.get(run.id) ?? [...runs.values()].find((other) => !isFinal(other.state) && isAtWork(other, run));
      if (existing !== undefined) return { created: false, run: existing };
      runs.set(run.id, run);
      tasks.set(run.id, runTasks);
      return { created: true, run };
    },
    findRun: async (id) => runs.get(id),
    listRuns: async (filter = {}) =>
      [...runs.values()]
        .filter((run) => filter.states?.includes(run.state) ?? true)
        .filter((run) => filter.repositoryId === undefined || run.repository.id === filter.repositoryId)
        .filter((run) => filter.issue === undefined || issueOf(run) === filter.issue)
        .toSorted((a, b) => b.createdAt - a.createdAt)
        .slice(0, filter.limit),
    tasksOf: async (id) => tasks.get(id) ?? [],
    sessionsOf: async () => [],
    findSessions: async () => [],
    requestStop: async (id, stop) => {
      const run = runs.get(id);
      if (run === undefined || run.stop !== undefined) return false;
      runs.set(id, { ...run, stop });
      return true;
    },
    giveOrder: async (id, { reopen, ...order }) => {
      const given = orders.get(id) ?? [];
      if (given.some(({ key }) => key === order.key)) return 'known';
      orders.set(id, [...given, { ...order, number: given.length + 1 }]);
      const run = runs.get(id);
      const isReopened = reopen && run !== undefined && isFinal(run.state);
      if (run !== undefined)
        runs.set(id, { ...run, orders: given.length + 1, ...(isReopened ? { state: 'queued' as const } : {}) });
      return 'given';
    },
    ordersOf: async (id, after) => (orders.get(id) ?? []).filter(({ number }) => number > after),
    heldLeases: async () => new Map(),
    circuitsBelow: async () => new Map(),
    spentByRun: async () => NO_CHARGE,
    audit: async (entry) => void entries.push(entry),
    auditOf: async (id) => entries.filter((entry) => entry.runId === id),
    ping: async () => undefined,
    delivery: (guid) => rows.get(guid),
    deliveries: () => [...rows.values()],
    change: (id, change) => {
      const run = runs.get(id);
      if (run !== undefined) runs.set(id, { ...run, ...change });
    },
  };
}

function isAtWork(run: Run, other: Run): boolean {
  return run.repository.id === other.repository.id && workKey(run.playbook) === workKey(other.playbook);
}

function issueOf(run: Run): number | undefined {
  if (run.trigger.kind !== 'push') return run.trigger.issue;
  return run.playbook.kind === 'file' ? undefined : run.playbook.issue;
}
