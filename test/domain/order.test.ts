import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Amount, Budget } from '../../src/domain/budget.ts';
import { nextInRun, placeInLine, standing } from '../../src/domain/conduct.ts';
import { objection, takeOrders } from '../../src/domain/order.ts';
import type { GivenOrder, Order } from '../../src/domain/steering.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { aRun, aTask } from '../store/samples.ts';

const failed: Outcome = { kind: 'failed', failure: { kind: 'crash', message: 'It broke.' } };
const committed: Outcome = { kind: 'committed', commit: 'c'.repeat(40) };

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

  it('does not skip a task whose commit may be on the branch', () => {
    const list = tasks(committed, undefined, undefined);
    const skips = given({ kind: 'skip', task: 2, reason: '' }, { kind: 'skip', task: 3, reason: '' });
    const { tasks: changes } = takeOrders({ run: aRun(), tasks: list, begun: list[1]?.key }, skips);
    expect(changes.map(({ key }) => key)).toEqual([list[2]?.key]);
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
      fc.record({ kind: fc.constant('retry' as const), task: fc.integer({ min: 1, max: 5 }), words: fc.string() }),
      fc.record({ kind: fc.constant('skip' as const), task: fc.integer({ min: 1, max: 5 }), reason: fc.string() }),
    );
    const outcome = fc.constantFrom(undefined, committed, failed);
    fc.assert(
      fc.property(
        fc.array(order, { maxLength: 8 }),
        fc.array(outcome, { maxLength: 4 }),
        fc.nat(8),
        (orders, outcomes, cut) => {
          const list = tasks(...outcomes);
          const all = given(...orders);
          const run = aRun();
          const whole = apply({ run, tasks: list }, all);
          const first = apply({ run, tasks: list }, all.slice(0, cut));
          // A crash may fall between the tasks' changes and the record that they were made.
          const crashed = apply({ run, tasks: first.tasks }, all.slice(0, cut));
          expect(apply(first, all)).toEqual(whole);
          expect(apply(crashed, all)).toEqual(whole);
          expect(whole.tasks.filter(({ outcome: now }) => now?.kind === 'committed')).toHaveLength(
            outcomes.filter((one) => one?.kind === 'committed').length,
          );
        },
      ),
    );
  });
});

function apply(
  of: { readonly run: ReturnType<typeof aRun>; readonly tasks: ReturnType<typeof tasks> },
  orders: readonly GivenOrder[],
): { readonly run: ReturnType<typeof aRun>; readonly tasks: ReturnType<typeof tasks> } {
  const { steering, tasks: changes } = takeOrders(of, orders);
  return {
    run: { ...of.run, steering },
    tasks: of.tasks.map((task) => {
      const change = changes.find(({ key }) => key === task.key);
      return change === undefined ? task : { ...task, outcome: change.outcome, since: change.since };
    }),
  };
}
