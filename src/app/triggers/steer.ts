import type { Command } from '../../domain/command.ts';
import { objection, opensAgain } from '../../domain/order.ts';
import { badCommand, noRun, type Refusal } from '../../domain/refusal.ts';
import { isFinal, type Run, type RunTask } from '../../domain/run.ts';
import type { Order } from '../../domain/steering.ts';
import { react, refuse, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { notOurs } from './not-ours.ts';

/** A command that becomes an order. */
type SteeringCommand = Exclude<Extract<Command, { kind: Order['kind'] }>, { kind: 'answer' | 'approve' }>;

/**
 * Gives an order to the run here: to all that go on, or to the newest that ended when none does. `all` are those of the thread, newest
 * first. Returns the note for the delivery.
 */
export async function steer(
  deps: AppDeps,
  asked: Asked,
  all: readonly Run[],
  command: SteeringCommand,
): Promise<string> {
  const [newest] = all;
  if (newest === undefined) return await refuse(deps, asked, noRun('There has been no run here yet.'));
  const active = all.filter((run) => !isFinal(run.state));
  const named = command.kind !== 'pause' && command.kind !== 'resume' && command.kind !== 'steer';
  const runs = active.length === 0 || named ? [active[0] ?? newest] : active;
  for (const run of runs) {
    const tasks = await deps.store.tasksOf(run.id);
    const refusal = await giveOrder(deps, asked, { run, tasks }, orderOf(command, asked, tasks));
    if (refusal !== undefined) return await refuse(deps, asked, refusal);
  }
  await react(deps, asked, '+1');
  return `${command.kind} asked of ${runs.map((run) => run.id).join(', ')}`;
}

/** Records an order and puts its run in line. Gives why it can't be carried out. */
export async function giveOrder(
  deps: AppDeps,
  asked: Asked,
  { run, tasks }: { readonly run: Run; readonly tasks: readonly RunTask[] },
  order: Order,
): Promise<Refusal | undefined> {
  const { store, queue, clock } = deps;
  const given = await store.ordersOf(run.id, 0);
  // Given by an earlier delivery of the same comment: it may have changed what it would now be judged by.
  if (!given.some(({ key }) => key === asked.key)) {
    const message = objection(order, { run, tasks });
    if (message !== undefined) return badCommand(message);
    const decided = order.kind === 'redo' || order.kind === 'add' ? await notOurs(deps, run, order.kind) : undefined;
    if (decided !== undefined) return decided;
    const at = clock.now();
    const by = asked.sender.login;
    const outcome = await store.giveOrder(run.id, { key: asked.key, by, at, order, reopen: opensAgain(order) });
    if (outcome === 'in the way')
      return badCommand('Another run is at the same work: stop it first, or steer that one.');
    await store.audit({ at, runId: run.id, actor: by, action: `${order.kind} asked for`, detail: order });
  }
  await queue.enqueue(run.id);
  return undefined;
}

/** The order a command is, for a run with these tasks: where none is named, the first that came to nothing is meant. */
function orderOf(command: SteeringCommand, { thread }: Asked, tasks: readonly RunTask[]): Order {
  if (command.kind === 'exec') return { ...command, thread };
  if (command.kind !== 'retry' && command.kind !== 'skip') return command;
  const first = tasks.find(({ outcome }) => outcome?.kind === 'failed' || outcome?.kind === 'cancelled') ?? tasks[0];
  const task = command.task ?? first?.position ?? 1;
  return command.kind === 'retry'
    ? { kind: 'retry', task, words: command.words }
    : { kind: 'skip', task, reason: command.words };
}
