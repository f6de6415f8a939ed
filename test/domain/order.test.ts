import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Amount, Budget } from '../../src/domain/budget.ts';
import { nextInRun, placeInLine, standing } from '../../src/domain/conduct.ts';
import { seenTo } from '../../src/domain/exec.ts';
import { objection, takeOrders } from '../../src/domain/order.ts';
import type { GivenOrder, Order } from '../../src/domain/steering.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RunTask } from '../../src/domain/run.ts';
import { aRun, aTask } from '../store/samples.ts';

const failed: Outcome = { kind: 'failed', failure: { kind: 'crash', message: 'It broke.' } };
const committed: Outcome = { kind: 'committed', commit: 'c'.repeat(40) };

const EXEC = { kind: 'exec', command: 'npm test', thread: 1 } as const;

function given(...orders: readonly Order[]): readonly GivenOrder[] {
  return orders.map((order, index) => ({ number: index + 1, key: `c${index}`, by: 'ada', at: index, order }));
}

function tasks(...outcomes: readonly (Outcome | undefined)[]): ReturnType<typeof aTask>[] {
  return outcomes.map((outcome, index) =>
    aTask(aRun().id, index + 1, { outcome, attempts: outcome === undefined ? 0 : 2 }),
  );
}

describe('taking in orders', () => {
  it('pauses until somebody resumes', () => {
    const run = aRun();
    const { steering } = takeOrders({ run, tasks: [] }, given({ kind: 'pause' }));
    expect(steering).toMatchObject({ taken: 1, paused: { by: 'ada' } });
    const paused = aRun({ state: 'parked', orders: 1, steering });
    expect(standing(paused, 0)).toEqual({ kind: 'held' });
    expect(placeInLine(paused, 0)).toBeUndefined();
    expect(standing({ ...paused, orders: 2 }, 0)).toEqual({ kind: 'due', early: true });
    const stop = { by: 'ada', reason: 'enough', at: 1 };
    expect(standing({ ...paused, stop }, 0)).toEqual({ kind: 'due', early: true });
    const after = takeOrders({ run: paused, tasks: [] }, given({ kind: 'pause' }, { kind: 'resume' }));
    expect(after.steering).toEqual({ taken: 2, words: [] });
  });

  it('does a task again from its first attempt on, with words for it alone', () => {
    const list = tasks(committed, failed, undefined);
    const { steering, tasks: changes } = takeOrders(
      { run: aRun(), tasks: list },
      given({ kind: 'retry', task: 2, words: 'Mind the step.' }, { kind: 'retry', task: 1, words: 'no' }),
    );
    expect(changes).toEqual([{ key: list[1]?.key, outcome: undefined, since: 2 }]);
    expect(steering.words).toEqual([{ by: 'ada', text: 'Mind the step.', task: list[1]?.key }]);
  });

  it('leaves a task out, and the run succeeds without it', () => {
    const list = tasks(committed, failed);
    const { tasks: changes } = takeOrders({ run: aRun(), tasks: list }, given({ kind: 'skip', task: 2, reason: '' }));
    expect(changes).toMatchObject([{ outcome: { kind: 'skipped', by: 'ada' } }]);
    const after = list.map((task) => ({ ...task, ...changes.find(({ key }) => key === task.key) }));
    expect(nextInRun(aRun(), after)).toMatchObject({ kind: 'end', state: 'succeeded' });
  });

  it('adds a task at the end, once, however often the order is taken in', () => {
    const list = tasks(committed);
    const orders = given({ kind: 'add', text: 'Paint it.\nIn blue.' }, { kind: 'add', text: 'Paint it.\nIn blue.' });
    const run = aRun();
    const after = apply({ run, tasks: list }, orders);
    expect(after.tasks.slice(1)).toMatchObject([
      { position: 2, title: 'Paint it.', text: 'Paint it.\nIn blue.', outcome: undefined, added: { by: 'ada' } },
      { position: 3, title: 'Paint it.' },
    ]);
    expect(nextInRun(after.run, after.tasks)).toMatchObject({ kind: 'task', task: { position: 2 } });
    expect(apply({ ...after, run }, orders)).toEqual(after);
  });

  it('does not skip a task whose commit may be on the branch', () => {
    const list = tasks(committed, undefined, undefined);
    const skips = given({ kind: 'skip', task: 2, reason: '' }, { kind: 'skip', task: 3, reason: '' });
    const { tasks: changes } = takeOrders({ run: aRun(), tasks: list, begun: list[1]?.key }, skips);
    expect(changes.map(({ key }) => key)).toEqual([list[2]?.key]);
  });

  it('takes a task back with all that was made after it, whatever its place, and goes on from there', () => {
    const { run, tasks: list } = onBranch(['committed', 'committed', 'failed', 'committed', 'open']);
    const redo = takeOrders({ run, tasks: list }, given({ kind: 'redo', task: 2, words: 'In blue.' }));
    expect(redo.tip).toBe('1'.repeat(40));
    // What failed further on may come to something else now. What is on top is written down first.
    expect(redo.tasks.map(({ key }) => list.find((task) => task.key === key)?.position)).toEqual([3, 4, 2]);
    expect(redo.tasks.every(({ outcome }) => outcome === undefined)).toBe(true);
    expect(redo.steering.words).toEqual([{ by: 'ada', text: 'In blue.', task: list[1]?.key }]);
    expect(takeOrders({ run, tasks: list }, given({ kind: 'redo', task: 1, words: '' })).tip).toBe(run.base.sha);
    // One that left no commit takes nothing back.
    const failedOne = takeOrders({ run, tasks: list }, given({ kind: 'redo', task: 3, words: '' }));
    expect(failedOne).toMatchObject({ tasks: [{ key: list[2]?.key, outcome: undefined }] });
    expect(failedOne.tip).toBeUndefined();
  });

  it('goes by when the commits were made where it is not known what they stand on', () => {
    const list = [3, 1, 2].map((endedAt, index) =>
      aTask(aRun().id, index + 1, { outcome: { kind: 'committed', commit: `${index + 1}` }, attempts: 1, endedAt }),
    );
    const redo = takeOrders({ run: aRun(), tasks: list }, given({ kind: 'redo', task: 3, words: '' }));
    expect(redo.tip).toBe('2');
    expect(redo.tasks.map(({ key }) => key)).toEqual([list[0]?.key, list[2]?.key]);
  });

  it('takes nothing back from under a push that was begun, and drops it when the run ends over that', () => {
    const { run, tasks: list } = onBranch(['committed', 'open']);
    const orders = given({ kind: 'redo', task: 1, words: '' }, { kind: 'pause' });
    const waiting = takeOrders({ run, tasks: list, begun: list[1]?.key }, orders);
    expect(waiting).toEqual({ steering: { taken: 0, words: [] }, added: [], tasks: [] });
    const ended = takeOrders({ run, tasks: list, begun: list[1]?.key, ends: true }, orders);
    expect(ended).toMatchObject({ steering: { taken: 2, paused: { by: 'ada' } }, tasks: [] });
  });

  it('stops before a command that is to be run, and takes in what comes after it once that was seen to', () => {
    const orders = given({ kind: 'steer', words: 'In blue.' }, EXEC, { kind: 'pause' });
    const before = takeOrders({ run: aRun(), tasks: [] }, orders);
    expect(before).toMatchObject({ steering: { taken: 1 }, exec: { number: 2, order: EXEC } });
    expect(before.steering.paused).toBeUndefined();
    const steering = seenTo({ steering: before.steering }, { number: 2 });
    expect(steering).toEqual({ ...before.steering, taken: 2 });
    const after = takeOrders({ run: aRun({ steering }), tasks: [] }, orders);
    expect(after).toMatchObject({ steering: { taken: 3, paused: { by: 'ada' } } });
    expect(after.exec).toBeUndefined();
    // A run that ends takes all in: what was not run is told apart from this.
    const ended = takeOrders({ run: aRun(), tasks: [], ends: true }, orders);
    expect(ended).toMatchObject({ steering: { taken: 3, paused: { by: 'ada' } } });
    expect(ended.exec).toBeUndefined();
  });

  it.each<readonly [Order, Parameters<typeof objection>[1]['run']['state'], string]>([
    [{ kind: 'retry', task: 9, words: '' }, 'running', 'There is no task 9'],
    [{ kind: 'retry', task: 1, words: '' }, 'running', 'is done'],
    [{ kind: 'retry', task: 3, words: '' }, 'running', 'still to be done'],
    [{ kind: 'retry', task: 2, words: '' }, 'failed', 'possible'],
    [{ kind: 'skip', task: 1, reason: '' }, 'running', 'done already'],
    [{ kind: 'skip', task: 3, reason: '' }, 'running', 'possible'],
    [{ kind: 'pause' }, 'failed', '/maestro resume'],
    [{ kind: 'resume' }, 'stopped', 'possible'],
    [{ kind: 'resume' }, 'succeeded', 'nothing left'],
    [{ kind: 'add', text: 'More.' }, 'running', 'possible'],
    [{ kind: 'add', text: 'More.' }, 'succeeded', 'possible'],
    [{ kind: 'add', text: 'More.' }, 'failed', '/maestro resume'],
    [{ kind: 'redo', task: 1, words: '' }, 'succeeded', 'possible'],
    [{ kind: 'redo', task: 2, words: '' }, 'stopped', 'possible'],
    [{ kind: 'redo', task: 3, words: '' }, 'running', 'still to be done'],
    [{ kind: 'redo', task: 4, words: '' }, 'running', 'There is no task 4'],
    [EXEC, 'queued', 'possible'],
    [EXEC, 'parked', 'possible'],
    [EXEC, 'succeeded', 'take its branch and run it yourself'],
    [EXEC, 'failed', '`/maestro resume` goes on where it ended; ask again then'],
  ])('says why %j of a %s run is not possible, if it is not', (order, state, complaint) => {
    const said = objection(order, { run: aRun({ state }), tasks: tasks(committed, failed, undefined) });
    expect(said ?? 'possible').toContain(complaint);
  });

  it('adds to the budget each time it is asked to, also through a pause', () => {
    const more = { kind: 'resume', budget: { usd: 2 } } as const;
    const { steering } = takeOrders({ run: aRun(), tasks: [] }, given(more, { kind: 'pause' }, more));
    expect(steering).toEqual({ taken: 3, words: [], budget: { usd: 4 } });
  });

  it.each<readonly [Budget | undefined, Amount, string]>([
    [{ run: { usd: 5 } }, { usd: 1 }, 'possible'],
    [{ run: { usd: 5, ms: 60_000 } }, { usd: 1, ms: 60_000 }, 'possible'],
    [{ run: { tokens: 5_000 } }, { usd: 1 }, 'The budget of the run here is 5.0k tokens'],
    [{ task: { usd: 5 } }, { usd: 1 }, 'no `budget` of its own'],
    [undefined, { usd: 1 }, 'no `budget` of its own'],
  ])('of a run with the budget %j %j is added, or it is said why not', (budget, more, complaint) => {
    const run = aRun({ state: 'failed', settings: budget === undefined ? {} : { budget } });
    expect(objection({ kind: 'resume', budget: more }, { run, tasks: [] }) ?? 'possible').toContain(complaint);
  });

  it('comes to the same however often, and in however many parts, they are taken in', () => {
    const order: fc.Arbitrary<Order> = fc.oneof(
      fc.constantFrom<Order>({ kind: 'pause' }, { kind: 'resume' }, { kind: 'resume', budget: { usd: 0.1, ms: 3 } }),
      fc.record({ kind: fc.constant('steer' as const), words: fc.string() }),
      fc.record({
        kind: fc.constantFrom('retry' as const, 'redo' as const),
        task: fc.integer({ min: 1, max: 5 }),
        words: fc.string(),
      }),
      fc.record({ kind: fc.constant('add' as const), text: fc.string() }),
      fc.record({ kind: fc.constant('skip' as const), task: fc.integer({ min: 1, max: 5 }), reason: fc.string() }),
    );
    const outcome = fc.constantFrom<Fate>('open', 'committed', 'failed');
    fc.assert(
      fc.property(
        fc.array(order, { maxLength: 8 }),
        fc.array(outcome, { maxLength: 4 }),
        fc.nat(8),
        fc.nat(12),
        (orders, outcomes, cut, writes) => {
          const { run, tasks: list } = onBranch(outcomes);
          const all = given(...orders);
          const whole = apply({ run, tasks: list }, all);
          const first = apply({ run, tasks: list }, all.slice(0, cut));
          // A crash may fall between any two of the writes, so that the record that they were made is missing.
          const crashed = apply(apply({ run, tasks: list }, all.slice(0, cut), writes), all.slice(0, cut));
          expect(apply(first, all)).toEqual(whole);
          expect(apply(crashed, all)).toEqual(whole);
          const kept = whole.tasks.flatMap(({ outcome: now }) => (now?.kind === 'committed' ? [now.commit] : []));
          // What is still there is what the tip stands on, and nothing else.
          expect(kept).toEqual(commitsOf(list).slice(0, kept.length));
          expect(whole.run.tip).toBe(kept.at(-1) ?? run.base.sha);
          const isTakenBack = orders.some(({ kind }) => kind === 'redo');
          expect(isTakenBack || kept.length === commitsOf(list).length).toBe(true);
        },
      ),
    );
  });
});

type Fate = 'open' | 'committed' | 'failed';

interface State {
  readonly run: ReturnType<typeof aRun>;
  readonly tasks: readonly RunTask[];
}

/** A run whose tasks came to this, the committed ones one on top of the other. */
function onBranch(fates: readonly Fate[]): State {
  const run = aRun();
  let tip = run.base.sha;
  const list = fates.map((fate, index) => {
    const position = index + 1;
    if (fate !== 'committed')
      return aTask(run.id, position, fate === 'failed' ? { outcome: failed, attempts: 2 } : { outcome: undefined });
    const parent = tip;
    tip = String(position).repeat(40);
    return aTask(run.id, position, { outcome: { kind: 'committed', commit: tip, parent }, attempts: 1 });
  });
  return { run: { ...run, tip }, tasks: list };
}

function commitsOf(list: readonly RunTask[]): readonly string[] {
  return list.flatMap(({ outcome }) => (outcome?.kind === 'committed' ? [outcome.commit] : []));
}

/** Takes orders in; with `writes`, a crash comes after so many of the writes. */
function apply(of: State, orders: readonly GivenOrder[], writes = Infinity): State {
  const { steering, tip, tasks: changes, added } = takeOrders(of, orders);
  if (steering.taken === (of.run.steering?.taken ?? 0)) return of;
  let left = writes;
  const isWritten = (): boolean => (left -= 1) >= 0;
  let { run, tasks: list } = of;
  if (tip !== undefined && isWritten()) run = { ...run, tip };
  if (added.length > 0 && isWritten()) list = [...list, ...added.map((task) => ({ ...task, since: 0 }))];
  for (const { key, outcome, since } of changes) {
    if (isWritten()) list = list.map((task) => (task.key === key ? { ...task, outcome, since } : task));
  }
  if (isWritten()) run = { ...run, steering };
  return left < 0 ? { run, tasks: list } : apply({ run, tasks: list }, orders, left);
}
