import type { PushBegun } from '../domain/conduct.ts';
import { addUsage } from '../domain/usage.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldRun } from './held-run.ts';
import { pushKey } from './stages/push.ts';

/** A task whose commit is on the branch is committed, whatever befell the workers afterwards. */
export async function recordPushed({ store, clock, forge }: WorkerDeps, held: HeldRun): Promise<void> {
  const task = held.tasks.find((one) => one.outcome === undefined);
  if (task === undefined) return;
  for (const session of await store.sessionsOf(held.run.id, task.key)) {
    const effect = await store.findEffect(held.run.id, pushKey(session));
    if (effect === undefined) continue;
    const pushed = (effect.result as { readonly commit: string } | null | undefined)?.commit;
    const commit = pushed ?? (effect.intent as PushBegun).commit;
    const head = pushed ?? (await forge.branchHead(held.run.repository, held.run.branch).catch(() => undefined));
    if (head !== commit) continue;
    const outcome = { kind: 'committed', commit } as const;
    const endedAt = clock.now();
    await held.changeRun({ tip: commit });
    await held.saveSession({ ...session, outcome, endedAt });
    await held.changeTask(task.key, { outcome, endedAt, usage: addUsage(task.usage, session.usage) });
    return;
  }
}
