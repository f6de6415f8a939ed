import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { attend, chosen, missedQuestion, openQuestion, proposalHash } from '../../src/domain/asking.ts';
import { nextInRun, standing } from '../../src/domain/conduct.ts';
import { objection, takeOrders } from '../../src/domain/order.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { Question } from '../../src/domain/question.ts';
import type { RunTask } from '../../src/domain/run.ts';
import type { GivenOrder, Order } from '../../src/domain/steering.ts';
import { sessionIdFor } from '../../src/domain/ids.ts';
import { aRun, aSession, aTask } from '../store/samples.ts';

const DAY = 24 * 3_600_000;
const run = aRun({ settings: { onFailure: 'ask' } });
const failed: Outcome = { kind: 'failed', failure: { kind: 'crash', message: 'It broke.' } };

function question(change: Partial<Question> = {}): Question {
  return { id: 'q1', kind: 'ask', text: 'Which?', options: [], session: sessionIdFor(run.id, 1, 1), at: 0, ...change };
}

function given(...orders: readonly Order[]): readonly GivenOrder[] {
  return orders.map((order, index) => ({ number: index + 1, key: `c${index}`, by: 'ada', at: index + 1, order }));
}

/** The tasks as the orders leave them. With `cut`, a crash comes after so many of the tasks' changes, and all is taken in again. */
function after(tasks: readonly RunTask[], orders: readonly GivenOrder[], cut?: number): readonly RunTask[] {
  const whole = { run, tasks };
  return cut === undefined ? takeAll(whole, orders) : takeAll({ run, tasks: takeAll(whole, orders, cut) }, orders);
}

function takeAll(
  of: Pick<Parameters<typeof takeOrders>[0], 'run' | 'tasks'>,
  orders: readonly GivenOrder[],
  cut = Infinity,
): readonly RunTask[] {
  const { steering, added, tasks: changes } = takeOrders(of, orders);
  if (steering.taken === (of.run.steering?.taken ?? 0)) return of.tasks;
  const written = [...of.tasks, ...added].map((task) => {
    const change = changes.slice(0, cut).find(({ key }) => key === task.key);
    return change === undefined ? task : { ...task, ...change };
  });
  return cut <= changes.length
    ? written
    : takeAll({ run: { ...of.run, steering }, tasks: written }, orders, cut - changes.length);
}

describe('a question', () => {
  const asked = [aTask(run.id, 1, { attempts: 1, questions: [question({ options: ['Postgres', 'SQLite'] })] })];

  it('keeps its run waiting, in no line, until somebody answers', () => {
    expect(nextInRun(run, asked)).toMatchObject({ kind: 'answer', question: { id: 'q1' } });
    const waiting = { ...run, state: 'parked', waitsFor: 'answer' } as const;
    expect(standing(waiting, 0)).toEqual({ kind: 'held' });
    expect(standing({ ...waiting, parkedUntil: 5 }, 0)).toEqual({ kind: 'waits', at: 5 });
    expect(standing({ ...waiting, orders: 1 }, 0)).toEqual({ kind: 'due', early: true });
    const answer: Order = { kind: 'answer', question: 'q1', words: '2' };
    expect(objection(answer, { run: waiting, tasks: asked })).toBeUndefined();
    const now = after(asked, given(answer));
    expect(now[0]?.questions).toMatchObject([{ answer: { by: 'ada', text: 'SQLite' } }]);
    expect(nextInRun(run, now)).toMatchObject({ kind: 'task' });
    expect(objection(answer, { run: waiting, tasks: now })).toContain('needs no answer any more');
  });

  it('that a dead worker left with its session alone is named anew, as another task may have asked meanwhile', () => {
    const lost = question({});
    const parked = { kind: 'parked', reason: 'Waits for an answer.', question: lost } as const;
    const sessions = [aSession(run.id, 1, { id: lost.session, outcome: parked })];
    const first = aTask(run.id, 1, { attempts: 1 });
    const second = aTask(run.id, 2, { attempts: 1, questions: [question({ session: sessionIdFor(run.id, 2, 1) })] });
    expect(missedQuestion(first, sessions, [first])?.question).toEqual(lost);
    expect(missedQuestion(first, sessions, [first, second])?.question).toEqual({ ...lost, id: 'q2' });
    const taken = { ...first, questions: [{ ...lost, id: 'q2' }] };
    expect(missedQuestion(taken, sessions, [taken, second])).toBeUndefined();
  });

  it('is answered once, and what is said after that is words for its task', () => {
    const answers = given(
      { kind: 'answer', question: 'q1', words: 'SQLite' },
      { kind: 'answer', question: 'q1', words: 'No, Postgres.' },
    );
    const { steering, tasks } = takeOrders({ run, tasks: asked }, answers);
    expect(tasks[0]?.questions).toMatchObject([{ answer: { text: 'SQLite' } }]);
    expect(steering.words).toEqual([{ by: 'ada', text: 'No, Postgres.', task: asked[0]?.key }]);
  });

  it('is not answered by the end of a pause', () => {
    const { tasks } = takeOrders({ run, tasks: asked }, given({ kind: 'pause' }, { kind: 'resume' }));
    expect(tasks).toEqual([]);
    expect(openQuestion(after(asked, given({ kind: 'resume' })))).toBeUndefined();
  });

  it.each([
    ['2', 'SQLite'],
    ['2.', 'SQLite'],
    ['sqlite', 'SQLite'],
    ['3', '3'],
    ['neither', 'neither'],
  ])('has %j stand for %j', (said, meant) => {
    expect(chosen({ options: ['Postgres', 'SQLite'] }, said)).toBe(meant);
  });

  it('is asked again after a day, then after two more, and waits no longer than the playbook says', () => {
    const of = { settings: {}, remindMs: DAY };
    expect(attend(question(), { ...of, now: 1 })).toEqual({ kind: 'wait', until: DAY });
    expect(attend(question(), { ...of, now: DAY })).toEqual({ kind: 'remind', number: 1 });
    expect(attend(question({ reminders: 1 }), { ...of, now: DAY })).toEqual({ kind: 'wait', until: 3 * DAY });
    expect(attend(question({ reminders: 4 }), { ...of, now: DAY })).toEqual({ kind: 'wait', until: undefined });
    const settings = { onNoAnswer: 'stop', answerWithin: 2 * DAY } as const;
    expect(attend(question({ reminders: 1 }), { ...of, settings, now: DAY })).toEqual({ kind: 'wait', until: 2 * DAY });
    expect(attend(question(), { ...of, settings, now: 2 * DAY })).toEqual({ kind: 'no-answer', leads: 'stop' });
  });
});

describe('a failure that people are asked about', () => {
  const one = aTask(run.id, 1, { attempts: 2, outcome: failed });

  it('ends nothing until they are asked, and is tried again with what they say', () => {
    expect(nextInRun(run, [one])).toMatchObject({ kind: 'ask' });
    const asked = [{ ...one, questions: [question({ kind: 'failure' })] }];
    expect(nextInRun(run, asked)).toMatchObject({ kind: 'answer' });
    const [again] = after(asked, given({ kind: 'answer', question: undefined, words: 'Mind the step.' }));
    expect(again).toMatchObject({ outcome: undefined, since: 2, questions: [{ answer: { text: 'Mind the step.' } }] });
    expect(nextInRun(run, [{ ...again!, outcome: failed }])).toMatchObject({ kind: 'ask' });
  });

  it.each([
    ['leave', 'task'],
    ['end', 'end'],
  ] as const)('is left as it is where nobody answers (%s)', (leads, next) => {
    const answer = { by: undefined, at: 1, text: '', leads };
    const tasks = [{ ...one, questions: [question({ kind: 'failure', answer })] }, aTask(run.id, 2)];
    expect(nextInRun(run, tasks).kind).toBe(next);
  });
});

describe('a proposal of other tasks', () => {
  const proposal = ['Task 2\n\nwith care', 'new', 'newer'].map((text) => ({ title: text.split('\n')[0] ?? '', text }));
  const asking = question({ kind: 'replan', tasks: proposal });
  const tasks = [1, 2, 3].map((n) => aTask(run.id, n, n === 1 ? { attempts: 1, questions: [asking] } : {}));
  const approve: Order = { kind: 'approve', hash: proposalHash(proposal) };

  it('takes the place of what is left once its very text is approved', () => {
    expect(objection({ kind: 'approve', hash: 'else' }, { run, tasks })).toContain('no proposal');
    expect(objection(approve, { run, tasks })).toBeUndefined();
    const now = after(tasks, given(approve));
    expect(now.map(({ position, title, outcome }) => [position, title, outcome?.kind])).toEqual([
      [1, 'Task 1', 'skipped'],
      [2, 'Task 2', undefined],
      [3, 'Task 3', 'skipped'],
      [4, 'new', undefined],
      [5, 'newer', undefined],
    ]);
  });

  it('comes to the same wherever a crash cuts it off', () => {
    const orders = given(approve, { kind: 'skip', task: 4, reason: '' });
    fc.assert(
      fc.property(fc.nat(4), (cut) => {
        expect(after(tasks, orders, cut)).toEqual(after(tasks, orders));
      }),
    );
  });

  it('is gone on without by any other answer', () => {
    const now = after(tasks, given({ kind: 'answer', question: 'q1', words: 'No.' }));
    expect(now).toHaveLength(3);
    expect(nextInRun(run, now)).toMatchObject({ kind: 'task', task: { position: 1 } });
  });
});
