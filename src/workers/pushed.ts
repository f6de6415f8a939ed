import { sessionsThatCount, type PushBegun } from '../domain/conduct.ts';
import type { RunTask } from '../domain/run.ts';
import { addUsage } from '../domain/usage.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldRun } from './held-run.ts';
import { pushKey, type PushResult } from './stages/push.ts';

/** A task whose commit is on the branch is committed, whatever befell the workers afterwards. */
export async function recordPushed({ store, clock, forge }: WorkerDeps, held: HeldRun): Promise<void> {
  const task = await begunTask(store, held.tasks);
  if (task === undefined) return;
  // What was pushed before a person asked for the task again was taken back.
  for (const session of sessionsThatCount(task, await store.sessionsOf(held.run.id, task.key))) {
    const effect = await store.findEffect(held.run.id, pushKey(session));
    if (effect === undefined) continue;
    const pushed = effect.result as PushResult | null | undefined;
    const begun = effect.intent as PushBegun;
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

/**
 * The task, not settled yet, whose commit may be on the branch already: a session that counts began to push it.
 *
 * @param isAtHand Whether a commit can still be had. Of one that can't be, which is not on the branch either, there is nothing to wait for.
 */
export async function begunTask(
  store: WorkerDeps['store'],
  tasks: readonly RunTask[],
  isAtHand: (commit: string) => Promise<boolean> = async () => true,
): Promise<RunTask | undefined> {
  for (const task of tasks.filter(({ outcome, attempts }) => outcome === undefined && attempts > 0)) {
    for (const session of sessionsThatCount(task, await store.sessionsOf(task.runId, task.key))) {
      const begun = (await store.findEffect(task.runId, pushKey(session)))?.intent as PushBegun | undefined;
      if (begun !== undefined && (await isAtHand(begun.commit))) return task;
    }
  }
  return undefined;
}
