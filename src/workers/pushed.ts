import { likeliestFirst, sessionsThatCount, type PushBegun } from '../domain/conduct.ts';
import type { RunTask, Session } from '../domain/run.ts';
import { addUsage } from '../domain/usage.ts';
import { fetchCommit, hasObject } from '../git/mirror.ts';
import { remoteHead } from '../git/remote.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldRun } from './held-run.ts';
import type { RunScope } from './record.ts';
import { pushKey, type PushResult } from './stages/push.ts';

/*
 * What may be on a run's branch already, and is not on record yet.
 */

/** How far a task got before, read from the store once. */
export interface TaskHistory {
  readonly sessions: readonly Session[];
  /** The commit that was about to be pushed, or was, when a worker went away; undefined also when it is not in the mirror. */
  readonly pushBegun: PushBegun | undefined;
}

/** Reads what a task has been through: as much for the thousandth task as for the first. */
export async function historyOf(task: RunTask, scope: RunScope): Promise<TaskHistory> {
  if (task.attempts === 0) return { sessions: [], pushBegun: undefined };
  const sessions = await scope.deps.store.sessionsOf(task.runId, task.key);
  const pushes = await Array.fromAsync(pushesOf(task, sessions, scope.deps.store));
  const begun = pushes.toReversed().map((one) => ({ push: one.begun, isDone: one.result !== undefined }));
  const head = begun.length > 1 ? await branchOnGitHub(scope) : undefined;
  for (const push of likeliestFirst(begun, head))
    if (await isAtHand(push.commit, scope)) return { sessions, pushBegun: push };
  return { sessions, pushBegun: undefined };
}

/** A push that a session began. */
interface Push {
  readonly session: Session;
  readonly begun: PushBegun;
  /** Undefined until it is on record as done. */
  readonly result: PushResult | undefined;
}

/** The pushes of a task, the oldest first, without those from before a person asked for it again: what these came to was taken back. */
async function* pushesOf(
  task: RunTask,
  sessions: readonly Session[],
  store: WorkerDeps['store'],
): AsyncGenerator<Push, void> {
  for (const session of sessionsThatCount(task, sessions)) {
    const effect = await store.findEffect(task.runId, pushKey(session));
    if (effect === undefined) continue;
    const result = (effect.result ?? undefined) as PushResult | undefined;
    yield { session, begun: effect.intent as PushBegun, result };
  }
}

async function branchOnGitHub({ mirror, deps, held }: RunScope): Promise<string | undefined> {
  const { repository, branch } = held.run;
  return await remoteHead(mirror.gitDir, await deps.forge.gitAccess(repository), branch);
}

/** Whether a commit is in the mirror, or can be had: one that another machine made is on the branch if it was pushed. */
async function isAtHand(commit: string, scope: RunScope): Promise<boolean> {
  const { mirror, deps, held } = scope;
  if (await hasObject(mirror, `${commit}^{commit}`)) return true;
  if ((await branchOnGitHub(scope)) !== commit) return false;
  const { repository, branch } = held.run;
  await fetchCommit(mirror, await deps.forge.gitAccess(repository), branch, commit);
  return true;
}

/** A task whose commit is on the branch is committed, whatever befell the workers afterwards. */
export async function recordPushed({ store, clock, forge }: WorkerDeps, held: HeldRun): Promise<void> {
  const task = await begunTask(store, held.tasks);
  if (task === undefined) return;
  const sessions = await store.sessionsOf(held.run.id, task.key);
  for await (const { session, begun, result: pushed } of pushesOf(task, sessions, store)) {
    const commit = pushed?.commit ?? begun.commit;
    const head =
      pushed?.commit ?? (await forge.branchHead(held.run.repository, held.run.branch).catch(() => undefined));
    if (head !== commit) continue;
    const parent = pushed?.parent ?? (commit === begun.commit ? begun.parent : undefined);
    const outcome = { kind: 'committed', commit, ...(parent === undefined ? {} : { parent }) } as const;
    const endedAt = clock.now();
    await held.changeRun({ tip: pushed?.tip ?? commit, pushed: undefined });
    await held.saveSession({ ...session, outcome, endedAt });
    await held.changeTask(task.key, { outcome, endedAt, usage: addUsage(task.usage, session.usage) });
    return;
  }
}

/** Takes in what people have asked of a run that ends. */
export async function takeLastOrders({ store }: WorkerDeps, held: HeldRun): Promise<void> {
  await held.takeOrders((await begunTask(store, held.tasks))?.key, { ends: true });
}

/** The task, not settled yet, whose commit may be on the branch already: a session that counts began to push it. */
export async function begunTask(store: WorkerDeps['store'], tasks: readonly RunTask[]): Promise<RunTask | undefined> {
  return await findBegun(store, tasks, async () => true);
}

/** The same, if its push can be seen through: a commit that is neither on the branch nor to be had is nothing to wait for. */
export async function taskToSeeThrough(scope: RunScope): Promise<RunTask | undefined> {
  const { deps, held } = scope;
  return await findBegun(deps.store, held.tasks, async (commit) => await isAtHand(commit, scope));
}

async function findBegun(
  store: WorkerDeps['store'],
  tasks: readonly RunTask[],
  counts: (commit: string) => Promise<boolean>,
): Promise<RunTask | undefined> {
  for (const task of tasks.filter(({ outcome, attempts }) => outcome === undefined && attempts > 0)) {
    const sessions = await store.sessionsOf(task.runId, task.key);
    for await (const { begun } of pushesOf(task, sessions, store)) if (await counts(begun.commit)) return task;
  }
  return undefined;
}
