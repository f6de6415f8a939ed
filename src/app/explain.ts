import { ACTIVE_STATES, workKey } from '../domain/active-run.ts';
import { standing } from '../domain/conduct.ts';
import { explain, type Explanation, type Facts } from '../domain/explain.ts';
import { preferenceOf } from '../domain/failover.ts';
import { hasTriggerLabel } from '../domain/label.ts';
import { spent } from '../domain/report/run-report.ts';
import { isFinal, type Run } from '../domain/run.ts';
import type { Repository } from '../domain/repository.ts';
import { ForgeError, mayWrite, type Forge } from '../forge/forge.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../domain/clock.ts';

/** Most runs that are looked at to find a place in line. */
const MOST_RUNS = 1_000;

export interface ExplainDeps {
  readonly store: Pick<Store, 'tasksOf' | 'listRuns' | 'heldLeases' | 'circuitsBelow'>;
  readonly forge: Pick<Forge, 'issue' | 'role' | 'writeRoom'>;
  readonly clock: Clock;
  /** What is left on this machine's disk, and how much a task needs to begin; left out where that says nothing of the workers. */
  readonly space?: () => Promise<Facts['disk']>;
}

/** Looks at everything that could hold the newest run of a thread, or keep one from starting there. */
export async function explainThread(
  deps: ExplainDeps,
  repository: Repository,
  thread: number,
  run: Run | undefined,
): Promise<Explanation> {
  const { store, forge } = deps;
  const now = deps.clock.now();
  const active = await store.listRuns({ states: ACTIVE_STATES, limit: MOST_RUNS });
  const leases = await store.heldLeases(now);
  const issue = await orUnknown(async () => await forge.issue(repository, thread));
  const role = run && (await orUnknown(async () => await forge.role(repository, run.requester.login)));
  const tasks = run === undefined ? [] : await store.tasksOf(run.id);
  const due = active.filter((one) => !leases.has(one.id) && standing(one, now).kind === 'due');
  return explain({
    now,
    run,
    tasks,
    ...(issue && {
      thread: { number: thread, open: issue.open, asksForRun: hasTriggerLabel(issue.labels) },
    }),
    ...(role && { requester: { mayWrite: mayWrite(role), role } }),
    rival: run && active.find((one) => one.id !== run.id && isSameWork(one, run)),
    lease: run && leases.get(run.id),
    line: {
      before: run === undefined ? due.length : due.filter((one) => one.createdAt < run.createdAt).length,
      atWork: leases.size,
    },
    circuits: new Map(
      (
        await Promise.all((run === undefined ? [] : preferenceOf(run)).map((name) => store.circuitsBelow(`${name}/`)))
      ).flatMap((found) => [...found]),
    ),
    ...(run && { spent: spent({ run, tasks, now }) }),
    writeRoom: forge.writeRoom(),
    disk: await deps.space?.(),
  });
}

function isSameWork(other: Run, run: Run): boolean {
  return (
    !isFinal(other.state) &&
    other.repository.id === run.repository.id &&
    workKey(other.playbook) === workKey(run.playbook)
  );
}

/** What GitHub says, or undefined when it does not: an explanation is wanted most when something is broken. */
async function orUnknown<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ForgeError) return undefined;
    throw error;
  }
}
