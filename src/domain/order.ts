import { addAmounts, formatAmount, UNITS, type Amount } from './budget.ts';
import type { TaskKey } from './ids.ts';
import type { Outcome } from './outcome.ts';
import { isFinal, type Run, type RunTask } from './run.ts';
import type { GivenOrder, Order, Steering, SteeringWords } from './steering.ts';

/*
 * What people ask of a run that is there. An order is a fact: it is recorded where the person gave it, numbered within its run, and
 * taken in by the worker between two tasks, once. What it changes is decided here, from the run's record alone: taken in again
 * after a crash it changes the same.
 */

/** The most that is kept of what people added; the oldest goes first. */
const MOST_WORDS = 20;

const NO_STEERING: Steering = { taken: 0, words: [] };

/** What taking in orders changes. Tasks' changes are to be written before the steering. */
export interface TakenOrders {
  readonly steering: Steering;
  readonly tasks: readonly TaskOrder[];
}

/** A task's new outcome; undefined for one that is to be done. `since` is the number of attempts that do not count any more. */
export interface TaskOrder {
  readonly key: TaskKey;
  readonly outcome: Outcome | undefined;
  readonly since: number;
}

/** Whether there are orders that were not taken in yet. */
export function hasOrders(run: Pick<Run, 'orders' | 'steering'>): boolean {
  return (run.orders ?? 0) > (run.steering?.taken ?? 0);
}

/** Whether an order opens a run again that failed or was stopped. */
export function opensAgain({ kind }: Order): boolean {
  return kind === 'resume' || kind === 'retry' || kind === 'skip';
}

/** Why an order can't be carried out as things stand, as a sentence for whoever gave it; undefined when it can. */
export function objection(
  order: Order,
  of: { readonly run: Pick<Run, 'state' | 'settings'>; readonly tasks: readonly RunTask[] },
): string | undefined {
  const isDone = of.run.state === 'succeeded';
  if (isDone || (isFinal(of.run.state) && !opensAgain(order))) {
    return isDone
      ? 'The run here is done: there is nothing left to steer. Ask for a new one.'
      : 'The run here has ended. `/maestro resume` goes on where it ended.';
  }
  if (order.kind === 'resume' && order.budget !== undefined) return notRaised(order.budget, of.run);
  if (order.kind !== 'retry' && order.kind !== 'skip') return undefined;
  const task = of.tasks.find(({ position }) => position === order.task);
  if (task === undefined) {
    const { length } = of.tasks;
    return `There is no task ${order.task}: the run here has ${length === 1 ? 'one task' : `tasks 1 to ${length}`}.`;
  }
  if (order.kind === 'skip' ? isSkippable(task) : isRepeatable(task)) return undefined;
  return order.kind === 'skip'
    ? `Task ${order.task} is done already.`
    : `Task ${order.task} ${task.outcome === undefined ? 'is still to be done' : 'is done'}: there is nothing to do again.`;
}

/** Why something can't be added to a run's budget; undefined when it can. What is not limited needs nothing added. */
function notRaised(more: Amount, { settings }: Pick<Run, 'settings'>): string | undefined {
  const own = settings.budget?.run;
  if (own === undefined)
    return 'The run here has no `budget` of its own to add to. Where one is spent, whoever operates Maestro set it.';
  if (UNITS.every((unit) => more[unit] === undefined || own[unit] !== undefined)) return undefined;
  return `The budget of the run here is ${formatAmount(own)}: add to that, like \`/maestro resume budget="${formatAmount(own)}"\`.`;
}

/**
 * Takes in `orders`, in order, those taken in before left out. A task whose commit may be on the branch already, `begun`, is not
 * skipped any more: it is seen through.
 */
export function takeOrders(
  of: { readonly run: Pick<Run, 'steering'>; readonly tasks: readonly RunTask[]; readonly begun?: TaskKey | undefined },
  orders: readonly GivenOrder[],
): TakenOrders {
  let steering = of.run.steering ?? NO_STEERING;
  let { tasks } = of;
  for (const given of orders) {
    if (given.number <= steering.taken) continue;
    const changed = afterOrder({ steering, tasks, begun: of.begun }, given);
    steering = { ...changed.steering, taken: given.number };
    tasks = changed.tasks;
  }
  return { steering, tasks: tasks.flatMap((task, index) => changeOf(task, of.tasks[index])) };
}

function afterOrder(
  {
    steering,
    tasks,
    begun,
  }: { readonly steering: Steering; readonly tasks: readonly RunTask[]; readonly begun: TaskKey | undefined },
  { by, at, order }: GivenOrder,
): { readonly steering: Steering; readonly tasks: readonly RunTask[] } {
  switch (order.kind) {
    case 'pause':
      return { steering: { ...steering, paused: { by, at } }, tasks };
    case 'resume':
      return {
        steering: raised(unpaused(steering), order.budget),
        tasks: tasks.map((task) => (isRepeatable(task) && !isSkipped(task) ? again(task) : task)),
      };
    case 'steer':
      return { steering: withWords(steering, { by, text: order.words }), tasks };
    case 'retry': {
      // One that is to be done anyway still gets the words: a crash may have kept its change and lost them.
      const task = tasks.find((one) => one.position === order.task && (one.outcome === undefined || isRepeatable(one)));
      if (task === undefined) return { steering, tasks };
      const words = order.words === '' ? steering : withWords(steering, { by, text: order.words, task: task.key });
      return {
        steering: unpaused(words),
        tasks: tasks.map((one) => (one.key === task.key && isRepeatable(one) ? again(one) : one)),
      };
    }
    case 'skip': {
      const outcome = { kind: 'skipped', by, reason: order.reason } as const;
      return {
        steering,
        tasks: tasks.map((task) =>
          task.position === order.task && task.key !== begun && isSkippable(task) ? { ...task, outcome } : task,
        ),
      };
    }
  }
}

function again(task: RunTask): RunTask {
  return { ...task, outcome: undefined, since: task.attempts };
}

function isSkipped({ outcome }: RunTask): boolean {
  return outcome?.kind === 'skipped';
}

/** Whether a task came to nothing, so that doing it again loses nothing. */
function isRepeatable({ outcome }: RunTask): boolean {
  return outcome?.kind === 'failed' || outcome?.kind === 'cancelled' || outcome?.kind === 'skipped';
}

function isSkippable(task: RunTask): boolean {
  return task.outcome === undefined || (isRepeatable(task) && !isSkipped(task));
}

function unpaused({ paused: _paused, ...steering }: Steering): Steering {
  return steering;
}

function raised(steering: Steering, budget: Amount | undefined): Steering {
  return budget === undefined ? steering : { ...steering, budget: addAmounts(steering.budget ?? {}, budget) };
}

function withWords(steering: Steering, words: SteeringWords): Steering {
  return { ...steering, words: [...steering.words, words].slice(-MOST_WORDS) };
}

function changeOf(after: RunTask, before: RunTask | undefined): readonly TaskOrder[] {
  if (after === before) return [];
  return [{ key: after.key, outcome: after.outcome, since: after.since ?? 0 }];
}
