import { answered, chosen, findQuestion, isAnswer, isOpen, openQuestion, proposedIn, replanned } from './asking.ts';
import { addedTask } from './added-task.ts';
import { addAmounts, formatAmount, UNITS, type Amount } from './budget.ts';
import { isExec, notExecutable, type GivenExec } from './exec.ts';
import type { TaskKey } from './ids.ts';
import type { Outcome } from './outcome.ts';
import type { Question } from './question.ts';
import { newestFirst, undoneBy } from './redo.ts';
import { isFinal, type Run, type RunState, type RunTask } from './run.ts';
import type { GivenOrder, Order, Steering, SteeringWords } from './steering.ts';

/*
 * What people ask of a run that is there. An order is a fact: it is recorded where the person gave it, numbered within its run, and
 * taken in by the worker between two tasks, once. What it changes is decided here, from the run's record alone: taken in again
 * after a crash it changes the same.
 */

/** The most that is kept of what people added; the oldest goes first. */
const MOST_WORDS = 20;

/** The most tasks that are added to a run: a list that long is a playbook of its own. */
const MOST_ADDED = 100;

const NO_STEERING: Steering = { taken: 0, words: [] };

/** What taking in orders changes, in the order it is to be written down: the branch, the tasks as they are listed, the steering. */
export interface TakenOrders {
  readonly steering: Steering;
  /** To be added before anything else is changed. */
  readonly added: readonly RunTask[];
  /** Where the run's branch is to be from now on; undefined when that does not change. */
  readonly tip?: string;
  readonly tasks: readonly TaskOrder[];
  /** What is to be run before the orders after it are taken in. */
  readonly exec?: GivenExec;
}

/** A task's new outcome; undefined for one that is to be done. `since` is the number of attempts that do not count any more. */
export interface TaskOrder {
  readonly key: TaskKey;
  readonly outcome: Outcome | undefined;
  readonly since: number;
  /** Its questions, where what was answered changed. */
  readonly questions?: readonly Question[];
}

/** Whether there are orders that were not taken in yet. */
export function hasOrders(run: Pick<Run, 'orders' | 'steering'>): boolean {
  return (run.orders ?? 0) > (run.steering?.taken ?? 0);
}

/** In which of its final states an order opens a run again. */
export function opensAgain({ kind }: Order): readonly RunState[] {
  if (kind === 'redo') return ['failed', 'stopped', 'succeeded'];
  if (kind === 'add') return ['succeeded'];
  return kind === 'resume' || kind === 'retry' || kind === 'skip' ? ['failed', 'stopped'] : [];
}

/** Why an order can't be carried out as things stand, as a sentence for whoever gave it; undefined when it can. */
export function objection(
  order: Order,
  of: { readonly run: Pick<Run, 'state' | 'settings' | 'plan'>; readonly tasks: readonly RunTask[] },
): string | undefined {
  if (order.kind === 'exec') return notExecutable(of.run.state);
  if (isFinal(of.run.state) && !opensAgain(order).includes(of.run.state)) {
    return of.run.state === 'succeeded'
      ? 'The run here is done: there is nothing left to steer. `/maestro add …` adds a task, `/maestro redo N` takes task N back and does it again; or ask for a new run.'
      : 'The run here has ended. `/maestro resume` goes on where it ended.';
  }
  if (order.kind === 'add') return unaddable(of);
  if (order.kind === 'answer' || order.kind === 'approve') return unanswerable(order, of.tasks);
  if (order.kind === 'resume' && order.budget !== undefined) return notRaised(order.budget, of.run);
  if (order.kind !== 'retry' && order.kind !== 'skip' && order.kind !== 'redo') return undefined;
  const task = of.tasks.find(({ position }) => position === order.task);
  if (task === undefined) {
    const { length } = of.tasks;
    return `There is no task ${order.task}: the run here has ${length === 1 ? 'one task' : `tasks 1 to ${length}`}.`;
  }
  if (order.kind === 'skip') return isSkippable(task) ? undefined : `Task ${order.task} is done already.`;
  if (task.outcome === undefined) return `Task ${order.task} is still to be done: there is nothing to do again.`;
  if (order.kind === 'redo' || isRepeatable(task)) return undefined;
  return `Task ${order.task} is done. \`/maestro redo ${order.task}\` takes it back, with all that was made after it, and does it again.`;
}

/** What orders go by. */
interface Ordered {
  readonly run: Pick<Run, 'id' | 'steering' | 'tip' | 'base'>;
  readonly tasks: readonly RunTask[];
  /** The task whose commit may be on the branch already. */
  readonly begun?: TaskKey | undefined;
  /** The run ends now, whatever is still to be taken in. */
  readonly ends?: boolean;
}

/** Why a task can't be added; undefined when it can. */
function unaddable({ run, tasks }: Parameters<typeof objection>[1]): string | undefined {
  if (run.plan !== undefined)
    return 'The run here writes a playbook: add the task to that, in its pull request or with `/maestro steer …`.';
  const added = tasks.filter((task) => task.added !== undefined).length;
  return added < MOST_ADDED ? undefined : `${MOST_ADDED} tasks were added to the run here: ask for a new run.`;
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
 * skipped any more: it is seen through. So is it before anything is taken back from under it: orders from there on wait, unless
 * the run ends; then nothing is taken back. Orders wait as well for a command that was asked for before them. One that adds tasks is
 * taken in by itself, so that no other is ever judged by tasks that came after it: whoever takes orders in asks again until nothing is
 * taken in.
 */
export function takeOrders(of: Ordered, orders: readonly GivenOrder[]): TakenOrders {
  const { taken } = of.run.steering ?? NO_STEERING;
  let state: State = { steering: of.run.steering ?? NO_STEERING, tip: of.run.tip, tasks: of.tasks };
  let exec: GivenExec | undefined;
  for (const given of orders) {
    if (given.number <= state.steering.taken) continue;
    if (isExec(given) && of.ends !== true) exec = given;
    if (exec !== undefined) break;
    const mustWait = given.order.kind === 'redo' && of.begun !== undefined;
    if (mustWait && of.ends !== true) break;
    const changed = mustWait ? state : { ...state, ...afterOrder(state, of, given) };
    const isAdding = changed.tasks.length > of.tasks.length;
    if (isAdding && state.steering.taken > taken) break;
    state = { ...changed, steering: { ...changed.steering, taken: given.number } };
    if (isAdding) break;
  }
  const { steering, tip } = state;
  const order = newestFirst(of.tasks);
  const tasks = state.tasks
    .slice(0, of.tasks.length)
    .flatMap((task, index) => changeOf(task, of.tasks[index]))
    .toSorted((a, b) => order.indexOf(a.position) - order.indexOf(b.position))
    .map(({ change }) => change);
  const added = state.tasks.slice(of.tasks.length);
  return { steering, added, tasks, ...(tip === of.run.tip ? {} : { tip }), ...(exec === undefined ? {} : { exec }) };
}

/** What orders change. */
interface State {
  readonly steering: Steering;
  readonly tip: string;
  readonly tasks: readonly RunTask[];
}

/** Why there is nothing to answer or to approve. */
function unanswerable(
  order: Extract<Order, { kind: 'answer' | 'approve' }>,
  tasks: readonly RunTask[],
): string | undefined {
  if (order.kind === 'approve') {
    if (proposedIn(openQuestion(tasks)?.question) === order.hash) return undefined;
    return `There is no proposal \`${order.hash}\` to approve here.`;
  }
  const found = findQuestion(tasks, order.question);
  if (found === undefined)
    return order.question === undefined ? 'No question is open here.' : `There is no question ${order.question} here.`;
  return isOpen(found.task, found.question) ? undefined : `Question ${found.question.id} needs no answer any more.`;
}

function afterOrder({ steering, tasks }: State, { run, begun }: Ordered, given: GivenOrder): Partial<State> {
  const { by, at, order } = given;
  switch (order.kind) {
    case 'pause':
      return { steering: { ...steering, paused: { by, at } }, tasks };
    case 'resume': {
      // What is asked stays asked when a pause ends; else the agent has to do without an answer.
      const answer = { by, at, text: '' };
      const closed = steering.paused === undefined ? tasks.map((task) => answered(task, answer)) : tasks;
      return {
        steering: raised(unpaused(steering), order.budget),
        tasks: closed.map((task) => (isRepeatable(task) && !isSkipped(task) ? again(answered(task, answer)) : task)),
      };
    }
    case 'steer':
      return { steering: withWords(steering, { by, text: order.words }), tasks };
    case 'retry': {
      // One that is to be done anyway still gets the words: a crash may have kept its change and lost them.
      const task = tasks.find((one) => one.position === order.task && (one.outcome === undefined || isRepeatable(one)));
      if (task === undefined) return { steering, tasks };
      // Where something was asked, they are the answer.
      const last = task.questions?.at(-1);
      const isAnswered = last !== undefined && (isOpen(task, last) || isAnswer(last.answer, given));
      const words =
        order.words === '' || isAnswered ? steering : withWords(steering, { by, text: order.words, task: task.key });
      const after = answered(task, { by, at, text: order.words });
      const changed = isRepeatable(after) ? again(after) : after;
      return { steering: unpaused(words), tasks: tasks.map((one) => (one === task ? changed : one)) };
    }
    case 'answer':
      return afterAnswer({ steering, tasks }, given, order);
    case 'approve': {
      const asked = tasks
        .flatMap((task) => (task.questions ?? []).slice(-1).map((question) => ({ task, question })))
        .find(({ task, question }) => isOpen(task, question) || isAnswer(question.answer, given));
      if (asked === undefined || proposedIn(asked.question) !== order.hash) return { steering, tasks };
      return { steering, tasks: replanned(tasks, asked, { by, at, begun }) };
    }
    case 'add': {
      const task = addedTask(run.id, tasks, given, order.text);
      return { tasks: task === undefined ? tasks : [...tasks, task] };
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
    case 'exec':
      return {};
    case 'redo': {
      const task = tasks.find((one) => one.position === order.task);
      if (task === undefined) return {};
      const { tip, positions } = undoneBy(order.task, { base: run.base.sha, tasks });
      const words = order.words === '' ? steering : withWords(steering, { by, text: order.words, task: task.key });
      return {
        steering: unpaused(words),
        tasks: tasks.map((one) => (positions.has(one.position) || isOpened(one, order.task) ? again(one) : one)),
        ...(tip === undefined ? {} : { tip }),
      };
    }
  }
}

/** Whether a task that has no commit is open again when the task at `position` is done again: it may come to something else now. */
function isOpened(task: RunTask, position: number): boolean {
  if (task.outcome === undefined || task.outcome.kind === 'committed') return false;
  return task.position === position || (task.position > position && !isSkipped(task));
}

/** An answer to a question that has one already is words for that task, so that nothing anybody said is lost. */
function afterAnswer(
  { steering, tasks }: { readonly steering: Steering; readonly tasks: readonly RunTask[] },
  { by, at }: GivenOrder,
  { question: id, words }: Extract<Order, { kind: 'answer' }>,
): { readonly steering: Steering; readonly tasks: readonly RunTask[] } {
  const found = findQuestion(tasks, id);
  if (found === undefined || isAnswer(found.question.answer, { by, at })) return { steering, tasks };
  const { task, question } = found;
  if (isOpen(task, question)) {
    const after = answered(task, { by, at, text: chosen(question, words) });
    return { steering, tasks: tasks.map((one) => (one === task ? after : one)) };
  }
  return { steering: withWords(steering, { by, text: words, task: task.key }), tasks };
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

function changeOf(
  after: RunTask,
  before: RunTask | undefined,
): readonly { readonly position: number; readonly change: TaskOrder }[] {
  if (after === before) return [];
  const questions = after.questions === before?.questions ? {} : { questions: after.questions ?? [] };
  const { key, position, outcome, since = 0 } = after;
  return [{ position, change: { key, outcome, since, ...questions } }];
}
