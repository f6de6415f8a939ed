import { answered, attend, nextQuestionId, questionOfFailure } from '../domain/asking.ts';
import type { Next } from '../domain/conduct.ts';
import type { Answer, Question } from '../domain/question.ts';
import { renderQuestion, renderReminder } from '../domain/report/question-comment.ts';
import { threadOf } from '../domain/report/run-report.ts';
import type { RunTask } from '../domain/run.ts';
import { handedBack } from '../domain/setback.ts';
import type { Word } from '../queue/queue.ts';
import { LeaseLostError } from '../store/store.ts';
import type { WorkerDeps } from './deps.ts';
import { EndedEarly } from './ending.ts';
import type { HeldRun } from './held-run.ts';
import { asItStands, pause, type Driving } from './put-away.ts';

/*
 * Asking people. A question is on record with its task before anybody is told; each step here finds what an earlier life has done
 * of it, so that a question is put once, whatever happens.
 */

const NOBODY = 'There is no issue or pull request yet where people could answer.';

/**
 * Puts a run away until people have said what it needs; undefined when it goes on after all. The words for the queue are as after
 * a pause: without a time the run is in no line.
 */
export async function attendTo(
  deps: WorkerDeps,
  driving: Driving,
  next: Extract<Next, { readonly kind: 'ask' | 'answer' }>,
): Promise<Word | undefined> {
  const { held } = driving;
  const { task } = next;
  const now = deps.clock.now();
  const thread = threadOf(held.run);
  if (next.kind === 'ask') {
    const question = questionOfFailure(task, { id: nextQuestionId(held.tasks), at: now });
    await held.changeTask(task.key, { questions: [...(task.questions ?? []), question] });
    await held.audit(now, 'question asked', { task: task.key, question: question.id });
    return undefined;
  }
  const { question } = next;
  if (thread === undefined) {
    await close(held, task, { by: undefined, at: now, text: NOBODY, ...(question.kind === 'failure' ? END : {}) });
    return undefined;
  }
  const { settings } = held.run;
  const attendance = attend(question, { settings, remindMs: deps.settings.remindMs, now });
  if (attendance.kind === 'no-answer') {
    const isEnd = attendance.leads === 'stop';
    const then = isEnd ? END : question.kind === 'failure' ? ({ leads: 'leave' } as const) : {};
    await close(held, task, { by: undefined, at: now, text: '', ...then });
    await held.audit(now, 'question not answered', { task: task.key, question: question.id, leads: attendance.leads });
    return undefined;
  }
  await putQuestion(deps, held, { task, question, thread });
  if (attendance.kind === 'remind') {
    const { number } = attendance;
    const key = `reminder/${held.run.id}/${question.id}/${number}`;
    await deps.forge.ensureComment(held.run.repository, thread, key, renderReminder(held.run, question));
    await held.changeTask(task.key, { questions: withLast(task, { ...question, reminders: number }) });
    return undefined;
  }
  if (held.run.steering?.paused !== undefined) return await pause(deps, driving);
  return await waitForPeople(deps, driving, { question, until: attendance.until });
}

const END = { leads: 'end' } as const;

/** Lets a run wait for an answer, holding nothing. */
async function waitForPeople(
  deps: WorkerDeps,
  { held, announcer }: Driving,
  { question, until }: { readonly question: Question; readonly until: number | undefined },
): Promise<Word> {
  const reason = `Question ${question.id} waits for an answer: comment \`/maestro answer …\`, or simply reply.`;
  await held.changeRun({
    state: 'parked',
    reason,
    waitsFor: 'answer',
    parkedUntil: until,
    setbacks: handedBack(held.run),
  });
  await held.audit(deps.clock.now(), 'run waits for an answer', { question: question.id, until });
  await announcer.sayNow();
  return await asItStands(deps, held);
}

/** Answers a question for those who did not. An agent's whose run ends with it leaves its task undone. */
async function close(held: HeldRun, task: RunTask, answer: Answer): Promise<void> {
  const after = answered(task, answer);
  const { questions = [] } = after;
  const keptRef = questions.at(-1)?.work?.ref;
  const isUndone = answer.leads === 'end' && after.outcome === undefined;
  const outcome = {
    kind: 'cancelled',
    by: 'nobody',
    reason: 'nobody answered in time',
    ...(keptRef === undefined ? {} : { keptRef }),
  } as const;
  await held.changeTask(task.key, { questions, ...(isUndone ? { outcome, endedAt: answer.at } : {}) });
}

function withLast({ questions = [] }: RunTask, question: Question): readonly Question[] {
  return [...questions.slice(0, -1), question];
}

async function putQuestion(
  deps: Pick<WorkerDeps, 'forge'>,
  held: HeldRun,
  { task, question, thread }: { readonly task: RunTask; readonly question: Question; readonly thread: number },
): Promise<void> {
  held.assertOurs();
  const { run, tasks } = held;
  const text = renderQuestion({ run, task, tasks, question });
  await deps.forge.ensureComment(run.repository, thread, `question/${run.id}/${question.id}`, text);
}

/**
 * Shows in the comments of questions what became of them. It is a courtesy: what can't be shown now holds nothing up.
 *
 * @param told What was told so far by this worker, by question.
 */
export async function tellAnswered(
  deps: Pick<WorkerDeps, 'forge'>,
  { held, log }: Pick<Driving, 'held' | 'log'>,
  told: Map<string, string>,
): Promise<void> {
  const thread = threadOf(held.run);
  if (thread === undefined) return;
  for (const task of held.tasks) {
    for (const question of task.questions ?? []) {
      const said = JSON.stringify([question.answer, task.outcome?.kind === 'skipped']);
      if (told.get(question.id) === said) continue;
      try {
        await putQuestion(deps, held, { task, question, thread });
        told.set(question.id, said);
      } catch (error) {
        if (error instanceof LeaseLostError || error instanceof EndedEarly) throw error;
        log.warn({ err: error, question: question.id }, 'what became of a question could not be shown');
      }
    }
  }
}
