import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commandsNow } from '../../src/domain/commands-now.ts';
import { objection } from '../../src/domain/order.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import { isFinal, type RunState } from '../../src/domain/run.ts';
import { aRun, aTask } from './report/a-run.ts';

const OUTCOMES: readonly (Outcome | undefined)[] = [
  undefined,
  { kind: 'committed', commit: 'c' },
  { kind: 'no-change' },
  { kind: 'failed', failure: { kind: 'crash', message: 'It ended.' } },
  { kind: 'cancelled', by: 'mona', reason: 'stopped' },
  { kind: 'skipped', by: 'mona', reason: '' },
];
const STATES: readonly RunState[] = ['queued', 'running', 'parked', 'succeeded', 'failed', 'stopped'];

function words(state: RunState, outcomes: readonly (Outcome | undefined)[], change: Parameters<typeof aRun>[0] = {}) {
  const tasks = outcomes.map((outcome, index) => aTask(index + 1, { outcome }));
  return commandsNow({ run: aRun({ state, ...change }), tasks }).map((command) => command.words);
}

describe('the commands that are valid now', () => {
  const stop = { by: 'mona', reason: 'stopped by @mona', at: 0 };
  const steering = { taken: 1, paused: { by: 'mona', at: 0 }, words: [] };

  it.each([
    [
      'of a run at work',
      words('running', [OUTCOMES[1], undefined]),
      ['pause', 'steer …', 'redo 1', 'add …', 'skip 2', 'exec …', 'stop'],
    ],
    [
      'of one that waits',
      words('parked', [undefined]),
      ['pause', 'resume', 'steer …', 'add …', 'skip 1', 'exec …', 'stop'],
    ],
    [
      'of one that is paused',
      words('parked', [undefined], { steering }),
      ['resume', 'steer …', 'add …', 'skip 1', 'exec …', 'stop'],
    ],
    ['of one that is to stop', words('running', [undefined], { stop }), []],
    [
      'of one that failed',
      words('failed', [OUTCOMES[1], OUTCOMES[3], undefined]),
      ['resume', 'retry 2', 'redo N', 'skip N'],
    ],
    ['of one that is done', words('succeeded', [OUTCOMES[1], OUTCOMES[5]]), ['redo N', 'add …']],
  ])('%s', (_, found, expected) => {
    expect(found).toEqual(expected);
  });

  it('name exactly the tasks for which they would be accepted', () => {
    const tasks = fc.array(fc.constantFrom(...OUTCOMES), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(fc.constantFrom(...STATES), tasks, (state, outcomes) => {
        const of = { run: aRun({ state }), tasks: outcomes.map((outcome, index) => aTask(index + 1, { outcome })) };
        const found = commandsNow(of);
        for (const kind of ['retry', 'skip'] as const) {
          const accepted = of.tasks
            .map(({ position }) => position)
            .filter((task) => objection({ kind, task, words: '', reason: '' }, of) === undefined);
          expect(found.find(({ verb }) => verb === kind)?.tasks ?? []).toEqual(accepted);
        }
        expect(found.some(({ verb }) => verb === 'stop')).toBe(!isFinal(state));
        expect(found.some(({ verb }) => verb === 'exec')).toBe(!isFinal(state));
      }),
    );
  });
});
