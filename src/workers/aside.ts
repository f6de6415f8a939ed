import { waitsOn } from '../domain/conduct.ts';
import { isExec } from '../domain/exec.ts';
import { hasOrders } from '../domain/order.ts';
import type { Setbacks } from '../domain/run.ts';
import { handedBack } from '../domain/setback.ts';
import type { Word } from '../queue/queue.ts';
import type { WorkerDeps } from './deps.ts';
import { execute } from './exec.ts';
import type { HeldRun } from './held-run.ts';
import { begunTask } from './pushed.ts';
import { asItStands } from './put-away.ts';
import type { RunScope } from './record.ts';

/*
 * What is done for a run that waits, and goes on waiting afterwards. Its record says all the time what it waits for, so that no
 * crash takes that away.
 */

/** Whether a run waits, and is only asked to run commands. Not while a push that was begun is to be seen through first. */
export async function isOnlyToRun({ store, clock }: WorkerDeps, held: HeldRun): Promise<boolean> {
  const { run, tasks } = held;
  if (!hasOrders(run) || (await begunTask(store, tasks)) !== undefined) return false;
  return waitsOn(run, await store.ordersOf(run.id, run.steering?.taken ?? 0), clock.now());
}

/** Runs the commands that were asked for, up to the first order that is another's to take in, and lets the run wait on. */
export async function runAside(scope: RunScope): Promise<Word> {
  const { held, deps } = scope;
  for (;;) {
    await held.refreshStop();
    const [next] = await deps.store.ordersOf(held.run.id, held.run.steering?.taken ?? 0);
    if (next === undefined || !isExec(next)) break;
    await execute(next, scope);
  }
  await held.changeRun({ setbacks: handedBack(held.run) });
  return await asItStands(deps, held);
}

/** Lets a run that was only asked for something wait on, and has it looked at again after a setback. */
export async function comeBack(
  held: HeldRun,
  { at, setbacks }: { readonly at: number; readonly setbacks: Setbacks },
  now: number,
): Promise<Word> {
  await held.changeRun({ setbacks });
  return { kind: 'again', delayMs: Math.max(0, at - now) };
}
