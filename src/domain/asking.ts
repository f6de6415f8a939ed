import { freshTask, keyOfAdded, nextPosition } from './added-task.ts';
import { digest, sessionIdFor, type SessionId, type TaskKey } from './ids.ts';
import type { PlaybookSettings } from './playbook.ts';
import type { Answer, ProposedTask, Question } from './question.ts';
import type { Run, RunTask, Session } from './run.ts';

/*
 * What is asked of people, decided from the run's record alone: what waits for an answer, what an answer is to whom, and when
 * people are reminded or not waited for any longer.
 */

/** Questions one task may put to people; after that its agent is not the one to do it. */
const MOST_QUESTIONS = 10;

/** How often people are reminded of a question. Each time they are left alone for twice as long. */
const MOST_REMINDERS = 4;

/** How long an answer is waited for where the playbook says what comes then but not when. Milliseconds. */
export const ANSWER_WITHIN_MS = 3 * 24 * 3_600_000;

/** What an agent ended its session with, for people to answer. */
export type Asks =
  | { readonly kind: 'ask'; readonly text: string; readonly options: readonly string[] }
  | { readonly kind: 'replan'; readonly why: string; readonly tasks: readonly ProposedTask[] };

/** The question that an agent asked. */
export function questionOf(
  asks: Asks,
  of: Pick<Question, 'id' | 'session' | 'at'> & { readonly work: Question['work'] | undefined },
): Question {
  const { work, ...facts } = of;
  const kept = work === undefined ? {} : { work };
  return asks.kind === 'ask'
    ? { ...facts, kind: 'ask', text: asks.text, options: asks.options, ...kept }
    : { ...facts, kind: 'replan', text: asks.why, options: [], tasks: asks.tasks, ...kept };
}

/** A question with the task it is about. */
export interface AskedQuestion {
  readonly task: RunTask;
  readonly question: Question;
}

/** The question of a run that waits for people. */
export function openQuestion(tasks: readonly RunTask[]): AskedQuestion | undefined {
  for (const task of tasks) {
    const question = task.questions?.at(-1);
    if (question !== undefined && isOpen(task, question)) return { task, question };
  }
  return undefined;
}

/** Whether a question still waits for an answer: a task that was left out, say, needs none any more. */
export function isOpen({ outcome }: RunTask, question: Question): boolean {
  if (question.answer !== undefined) return false;
  return question.kind === 'failure' ? outcome?.kind === 'failed' : outcome === undefined;
}

/** The question a run has by this id, or the open one when none is named. */
export function findQuestion(tasks: readonly RunTask[], id: string | undefined): AskedQuestion | undefined {
  if (id === undefined) return openQuestion(tasks);
  for (const task of tasks) {
    const question = task.questions?.find((one) => one.id === id);
    if (question !== undefined) return { task, question };
  }
  return undefined;
}

/** The id of a run's next question. */
export function nextQuestionId(tasks: readonly RunTask[]): string {
  return `q${1 + tasks.reduce((sum, { questions = [] }) => sum + questions.length, 0)}`;
}

/**
 * The task whose failure people are to be asked about, in a run whose playbook says so: one that failed and that nobody has been
 * asked about since, or about which nobody decided that it stays so.
 */
export function unaskedFailure(
  { settings }: Pick<Run, 'settings'>,
  tasks: readonly RunTask[],
): (RunTask & { readonly outcome: { readonly kind: 'failed' } }) | undefined {
  if (settings.onFailure !== 'ask') return undefined;
  return tasks.find((task): task is RunTask & { readonly outcome: { readonly kind: 'failed' } } => {
    if (task.outcome?.kind !== 'failed') return false;
    const last = task.questions?.at(-1);
    return last?.kind !== 'failure' || (last.answer !== undefined && last.answer.leads === undefined);
  });
}

/** Whether a failed task ended its run because people, or nobody, said so. */
export function endedByAnswer({ questions }: RunTask): boolean {
  return questions?.at(-1)?.answer?.leads === 'end';
}

/** The question that a task's failure is. */
export function questionOfFailure(task: RunTask, of: { readonly id: string; readonly at: number }): Question {
  const { outcome } = task;
  const text = outcome?.kind === 'failed' ? outcome.failure.message : '';
  const session = sessionIdFor(task.runId, task.position, task.attempts);
  return { id: of.id, kind: 'failure', text, options: [], session, at: of.at };
}

/**
 * A session that ended with a question which is not with its task yet: a worker died in between. The question is named anew, since
 * another of the run's `tasks` may have asked under its name meanwhile, and nobody has been shown it.
 */
export function missedQuestion(
  task: RunTask,
  sessions: readonly Session[],
  tasks: readonly RunTask[],
): { readonly question: Question; readonly session: Session } | undefined {
  const known = new Set<SessionId>((task.questions ?? []).map(({ session }) => session));
  for (const session of sessions) {
    const { id, outcome } = session;
    if (outcome?.kind === 'parked' && outcome.question !== undefined && !known.has(id))
      return { question: { ...outcome.question, id: nextQuestionId(tasks) }, session };
  }
  return undefined;
}

/** Why an agent can't ask (again), as a sentence; undefined when it can. `thread` is where people would be asked. */
export function whyNotAsk({ questions = [] }: RunTask, thread: number | undefined): string | undefined {
  const asked = questions.filter(({ kind }) => kind !== 'failure').length;
  if (asked >= MOST_QUESTIONS)
    return `The agent asked ${MOST_QUESTIONS} questions about this task and wants to ask more.`;
  return asked > 0 && thread === undefined
    ? 'The agent asked again, and there is no issue or pull request yet where people could answer.'
    : undefined;
}

/** A task whose last question is answered. One whose failure was asked about is begun again, unless it is to stay so. */
export function answered(task: RunTask, answer: Answer): RunTask {
  const { questions = [] } = task;
  const last = questions.at(-1);
  if (last === undefined || !isOpen(task, last)) return task;
  const after = { ...task, questions: [...questions.slice(0, -1), { ...last, answer }] };
  return last.kind === 'failure' && answer.leads === undefined
    ? { ...after, outcome: undefined, since: task.attempts }
    : after;
}

/** Whether an answer is this one: given by them, then. */
export function isAnswer(answer: Answer | undefined, given: { readonly by: string; readonly at: number }): boolean {
  return answer?.by === given.by && answer.at === given.at;
}

/** What is to be done about an open question now. */
export type Attendance =
  /** Nothing before `until`; undefined: until somebody answers. */
  | { readonly kind: 'wait'; readonly until: number | undefined }
  /** People are reminded, for the `number`th time. */
  | { readonly kind: 'remind'; readonly number: number }
  /** Nobody answered in time. */
  | { readonly kind: 'no-answer'; readonly leads: 'continue' | 'stop' };

/** Decides what is to be done about an open question. `remindMs` is the time before the first reminder; 0 for none. */
export function attend(
  { at, reminders = 0 }: Question,
  of: {
    readonly settings: Pick<PlaybookSettings, 'onNoAnswer' | 'answerWithin'>;
    readonly remindMs: number;
    readonly now: number;
  },
): Attendance {
  const { onNoAnswer = 'wait', answerWithin = ANSWER_WITHIN_MS } = of.settings;
  const deadline = onNoAnswer === 'wait' ? undefined : at + answerWithin;
  if (onNoAnswer !== 'wait' && deadline !== undefined && of.now >= deadline)
    return { kind: 'no-answer', leads: onNoAnswer };
  // One time span, then two more, then four more …
  const next =
    of.remindMs === 0 || reminders >= MOST_REMINDERS ? undefined : at + of.remindMs * (2 ** (reminders + 1) - 1);
  if (next !== undefined && of.now >= next) return { kind: 'remind', number: reminders + 1 };
  const times = [deadline, next].filter((time) => time !== undefined);
  return { kind: 'wait', until: times.length === 0 ? undefined : Math.min(...times) };
}

/** The option that an answer names by its number or its words, else the answer as it is. */
export function chosen({ options }: Pick<Question, 'options'>, words: string): string {
  const said = words.trim();
  const number = /^\(?#?(\d{1,2})[.)]?$/.exec(said)?.[1];
  if (number !== undefined) return options[Number(number) - 1] ?? said;
  return options.find((option) => option.toLowerCase() === said.toLowerCase()) ?? said;
}

/** What a proposal is approved by: it changes with every word of it. */
export function proposalHash(tasks: readonly ProposedTask[]): string {
  return digest(JSON.stringify(tasks.map(({ title, text }) => [title, text])), 10);
}

/** What the proposal of a question is approved by; undefined where it proposes nothing. */
export function proposedIn(question: Question | undefined): string | undefined {
  return question?.kind === 'replan' ? proposalHash(question.tasks ?? []) : undefined;
}

/**
 * A run's tasks after a proposal was approved: those it begins with and that are still to be done stay, the others that are left are
 * skipped, and the rest of the proposal is added. Done again after a crash it comes to the same.
 *
 * @param of.begun A task whose commit may be on the branch already.
 */
export function replanned(
  tasks: readonly RunTask[],
  { task, question }: AskedQuestion,
  of: { readonly by: string; readonly at: number; readonly begun: TaskKey | undefined },
): readonly RunTask[] {
  const { tasks: proposal = [] } = question;
  const keys = proposal.map((one, index) => keyOfAdded(one, `${question.id}.${index + 1}`));
  const left = tasks.filter((one) => one.outcome === undefined && one.key !== of.begun && !keys.includes(one.key));
  const kept: RunTask[] = [];
  let from = 0;
  for (const one of proposal) {
    const at = left.findIndex((other, index) => index >= from && other.text === one.text && other.key !== task.key);
    if (at === -1) break;
    kept.push(...left.slice(at, at + 1));
    from = at + 1;
  }
  const outcome = { kind: 'skipped', by: of.by, reason: REPLACED } as const;
  const isReplaced = (one: RunTask): boolean => left.includes(one) && !kept.includes(one);
  const answer = { by: of.by, at: of.at, text: 'Approved.' };
  const after = tasks.map((one) => {
    const told = one.key === task.key ? answered(one, answer) : one;
    return isReplaced(one) ? { ...told, outcome } : told;
  });
  const first = nextPosition(tasks.filter(({ key }) => !keys.includes(key)));
  const added = proposal.slice(kept.length).flatMap((one, index): readonly RunTask[] => {
    const key = keys[kept.length + index];
    if (key === undefined || tasks.some((there) => there.key === key)) return [];
    const { title, text } = one;
    return [freshTask({ runId: task.runId, key, position: first + index, title, text, by: of.by })];
  });
  return [...after, ...added];
}

/** Why a task was skipped whose place new ones took. */
const REPLACED = 'replaced by a new plan';
