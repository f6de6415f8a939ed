import { findQuestion, isOpen, openQuestion, type AskedQuestion } from '../../domain/asking.ts';
import { ownWords } from '../../domain/command.ts';
import { badCommand, noRun } from '../../domain/refusal.ts';
import { isFinal, type Run, type RunTask } from '../../domain/run.ts';
import type { CommentEvent } from '../../domain/webhook.ts';
import { react, refuse, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { runsHere } from '../runs-here.ts';
import { giveOrder } from './steer.ts';

/** A comment that is no command, in a thread where people are asked something. */
interface Reply {
  readonly kind: 'reply';
  readonly question: undefined;
  readonly words: string;
}

/**
 * GitHub's times are whole seconds of its own clock. What was written so long before a question, by ours, is still taken as an answer
 * to it; what is older was written about something else, and comes late. Milliseconds.
 */
const CLOCK_TOLERANCE_MS = 60_000;

/** A comment as the answer to a question that is open in its thread; undefined when it is none. Who wrote it is not looked at. */
export async function asReply(deps: AppDeps, event: CommentEvent, key: string): Promise<Reply | undefined> {
  const words = ownWords(event.comment.body);
  if (words === '') return undefined;
  const active = (await runsHere(deps.store, event.repository.id, event.issue)).filter(({ state }) => !isFinal(state));
  for (const run of active) {
    if (!(await mayAnswer(deps, run, event.at, key))) continue;
    return (await isToSomebodyElse(deps, words)) ? undefined : { kind: 'reply', question: undefined, words };
  }
  return undefined;
}

/** Whether something is asked in a run that the comment may be the answer to, or was when it came first. */
async function mayAnswer({ store }: AppDeps, run: Run, at: number, key: string): Promise<boolean> {
  const open = openQuestion(await store.tasksOf(run.id));
  if (open !== undefined && at >= open.question.at - CLOCK_TOLERANCE_MS) return true;
  if (run.orders === undefined) return false;
  return (await store.ordersOf(run.id, 0)).some((order) => order.key === key);
}

function bare(login: string): string {
  return login.toLowerCase().replace(/\[bot\]$/, '');
}

/** Whether it begins with the name of somebody else: people talk with each other in threads. */
async function isToSomebodyElse({ forge }: AppDeps, words: string): Promise<boolean> {
  const [, login] = /^@([A-Za-z0-9][A-Za-z0-9-]*(?:\[bot\])?)/.exec(words) ?? [];
  if (login === undefined) return false;
  return bare(login) !== bare((await forge.self()).login);
}

/**
 * Gives an answer to the run that asked. `runs` are those of the thread, newest first. Where several ask, one has to be named: an
 * answer to the wrong one is worse than none.
 */
export async function answer(
  deps: AppDeps,
  asked: Asked,
  runs: readonly Run[],
  { question, words }: { readonly question: string | undefined; readonly words: string },
): Promise<string> {
  const here = await withTasks(deps, runs);
  const known = here.find(({ keys }) => keys.includes(asked.key));
  const waiting = here.flatMap((one): readonly (Here & AskedQuestion)[] => {
    const found = isFinal(one.run.state) ? undefined : findQuestion(one.tasks, question);
    return found !== undefined && isOpen(found.task, found.question) ? [{ ...one, ...found }] : [];
  });
  const [first, second] = waiting;
  if (known === undefined && first !== undefined && second !== undefined) {
    const where =
      'Several runs ask something here: answer in the pull request of the one you mean, or by the id of its question.';
    return await refuse(deps, asked, badCommand(where));
  }
  const one = known ?? first ?? here[0];
  if (one === undefined) return await refuse(deps, asked, noRun('No run is going here that asked something.'));
  // The very question, so that the answer is to no other that is asked later.
  const order = { kind: 'answer', question: first?.question.id ?? question, words } as const;
  const refusal = await giveOrder(deps, asked, one, order);
  if (refusal !== undefined) return await refuse(deps, asked, refusal);
  await react(deps, asked, '+1');
  return `answer given to ${one.run.id}`;
}

/** Approves what an agent of a run here proposed. */
export async function approve(
  deps: AppDeps,
  asked: Asked,
  runs: readonly Run[],
  { hash }: { readonly hash: string },
): Promise<string> {
  const here = await withTasks(deps, runs);
  const order = { kind: 'approve', hash } as const;
  const one =
    here.find(({ keys }) => keys.includes(asked.key)) ??
    here.find(({ run, tasks }) => !isFinal(run.state) && openQuestion(tasks)?.question.kind === 'replan') ??
    here[0];
  if (one === undefined) return await refuse(deps, asked, noRun('No run is going here that proposed something.'));
  const refusal = await giveOrder(deps, asked, one, order);
  if (refusal !== undefined) return await refuse(deps, asked, refusal);
  await react(deps, asked, '+1');
  return `approval given to ${one.run.id}`;
}

interface Here {
  readonly run: Run;
  readonly tasks: readonly RunTask[];
  /** Keys of the orders it was given. */
  readonly keys: readonly string[];
}

async function withTasks({ store }: AppDeps, runs: readonly Run[]): Promise<readonly Here[]> {
  return await Promise.all(
    runs.map(async (run) => {
      const [tasks, orders] = await Promise.all([store.tasksOf(run.id), store.ordersOf(run.id, 0)]);
      return { run, tasks, keys: orders.map(({ key }) => key) };
    }),
  );
}
