import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatAmount, parseAmount } from '../../src/domain/budget.ts';
import { nextInRun } from '../../src/domain/conduct.ts';
import { DEFAULT_RETRY, remedy } from '../../src/domain/retry.ts';
import {
  admit,
  addCharges,
  budgetFailure,
  budgetStep,
  limitsOf,
  NO_CHARGE,
  reached,
  timeLeft,
} from '../../src/domain/spending.ts';
import type { Charge, Limit, Spending } from '../../src/domain/spending.ts';
import { aRun, aTask } from '../store/samples.ts';

const NOON = Date.UTC(2026, 10, 27, 12);

function spending(change: Partial<Spending> = {}): Spending {
  return {
    session: NO_CHARGE,
    task: NO_CHARGE,
    run: NO_CHARGE,
    'repository-day': NO_CHARGE,
    day: NO_CHARGE,
    ...change,
  };
}

function usd(amount: number): Charge {
  return { ...NO_CHARGE, usd: amount };
}

const RUN: Limit = { scope: 'run', unit: 'usd', most: 5, byOperator: false };

describe('an amount', () => {
  it.each([
    ['$5', { usd: 5 }],
    ['5', { usd: 5 }],
    ['2M tokens', { tokens: 2_000_000 }],
    ['0.5k tokens, 90m', { tokens: 500, ms: 5_400_000 }],
  ])('is read from %j', (text, amount) => {
    expect(parseAmount(text)).toEqual(amount);
  });

  it.each(['', '$', '5M', '$5, $6', '$0', 'tokens', '5 apples', '$5,', '99999999d', 'Infinity', '1e3'])(
    'is none in %j',
    (text) => {
      expect(parseAmount(text)).toBeUndefined();
    },
  );

  it('is shown as it could have been written', () => {
    expect(formatAmount({ usd: 5, tokens: 2_000_000, ms: 3 * 3_600_000 })).toBe('$5.00, 2.0M tokens, 3 h');
  });
});

describe('limits', () => {
  it("are the smaller of the playbook's and the operator's, unit by unit", () => {
    const run = aRun({ settings: { budget: { run: { usd: 5, tokens: 100 }, task: { usd: 1 } } } });
    expect(limitsOf(run, { run: { usd: 3, ms: 60 }, task: { usd: 2 }, day: { usd: 9 } })).toEqual([
      { scope: 'task', unit: 'usd', most: 1, byOperator: false },
      { scope: 'run', unit: 'usd', most: 3, byOperator: true },
      { scope: 'run', unit: 'tokens', most: 100, byOperator: false },
      { scope: 'run', unit: 'ms', most: 60, byOperator: true },
      { scope: 'day', unit: 'usd', most: 9, byOperator: true },
    ]);
    expect(limitsOf(aRun(), {})).toEqual([]);
  });

  it("grow with what a person added, but not beyond the operator's", () => {
    const steering = { taken: 1, words: [], budget: { usd: 4 } };
    const run = aRun({ settings: { budget: { run: { usd: 5 } } }, steering });
    expect(limitsOf(run, {})).toMatchObject([{ most: 9, byOperator: false }]);
    expect(limitsOf(run, { run: { usd: 6 } })).toMatchObject([{ most: 6, byOperator: true }]);
    expect(limitsOf({ ...run, settings: {} }, {})).toEqual([]);
  });

  it('are reached when all is spent, and say which of them and how much', () => {
    expect(reached([RUN], spending({ run: usd(4.99), day: usd(100) }))).toBeUndefined();
    const hit = reached([RUN], spending({ run: usd(5.02) }));
    expect(hit).toEqual({ limit: RUN, spent: 5.02 });
    expect(hit && budgetFailure(hit, NOON)).toEqual({
      kind: 'budget',
      message: 'The budget of this run is spent: $5.02 of $5.00.',
      limit: { scope: 'run', byOperator: false },
    });
  });

  it('of a day come back with the next one, by UTC', () => {
    const limit: Limit = { scope: 'repository-day', unit: 'tokens', most: 1_000, byOperator: true };
    const failure = budgetFailure({ limit, spent: 1_200 }, NOON);
    expect(failure.message).toBe(
      'The budget of this repository for today is spent: 1.2k tokens of 1.0k tokens. It is there again at 2026-11-28 00:00 UTC.',
    );
    expect(remedy(failure, 9, NOON, DEFAULT_RETRY)).toMatchObject({ kind: 'retry', at: Date.UTC(2026, 10, 28) });
    const ofRun = budgetFailure({ limit: RUN, spent: 5 }, NOON);
    expect(remedy(ofRun, 1, NOON, DEFAULT_RETRY)).toEqual({ kind: 'fail' });
  });

  it('say what a person can do', () => {
    expect(budgetStep({ scope: 'run', byOperator: false })).toContain('/maestro resume budget=$5');
    expect(budgetStep({ scope: 'run', byOperator: true })).toMatch(/^Ask whoever operates Maestro/);
    expect(budgetStep({ scope: 'task', byOperator: false })).toMatch(/\/maestro retry.*raise `budget` in the playbook/);
    expect(budgetStep({ scope: 'day', byOperator: true })).toMatch(/^Wait until the day is over/);
  });

  it('of the run end it, even where a playbook goes on after failures; those of a task do not', () => {
    const run = aRun({ settings: { onFailure: 'continue' } });
    const after = (scope: 'run' | 'task'): string => {
      const failure = budgetFailure({ limit: { ...RUN, scope }, spent: 6 }, NOON);
      return nextInRun(run, [aTask(run.id, 1, { outcome: { kind: 'failed', failure } }), aTask(run.id, 2)]).kind;
    };
    expect(after('run')).toBe('end');
    expect(after('task')).toBe('task');
  });

  it('of time leave what is left of the one that leaves least', () => {
    const limits: readonly Limit[] = [
      RUN,
      { ...RUN, unit: 'ms', most: 100 },
      { ...RUN, scope: 'task', unit: 'ms', most: 90 },
    ];
    const spent = { ...NO_CHARGE, ms: 30 };
    expect(timeLeft(limits, spending({ run: spent }))).toBe(70);
    expect(timeLeft([RUN], spending({ run: spent }))).toBeUndefined();
  });
});

describe('a call', () => {
  const alone = { calls: 0, charge: NO_CHARGE, dearest: undefined };

  it("goes while nothing is spent up, and beside others while they can't be too many", () => {
    expect(admit([RUN], spending({ run: usd(4.99) }), alone)).toEqual({ kind: 'go' });
    expect(admit([RUN], spending({ run: usd(5) }), alone)).toMatchObject({ kind: 'reached' });
    expect(admit([RUN], spending({ run: usd(4) }), { ...alone, calls: 1, charge: usd(1) })).toMatchObject({
      kind: 'reached',
    });
    expect(admit([RUN], spending(), { ...alone, calls: 1 })).toEqual({ kind: 'wait' });
    expect(admit([RUN], spending({ run: usd(3) }), { calls: 1, charge: NO_CHARGE, dearest: usd(1) })).toEqual({
      kind: 'go',
    });
    expect(admit([RUN], spending({ run: usd(3) }), { calls: 2, charge: NO_CHARGE, dearest: usd(1) })).toEqual({
      kind: 'wait',
    });
    expect(admit([], spending(), { ...alone, calls: 7 })).toEqual({ kind: 'go' });
  });

  it('goes beyond a limit at most by one, however many at once and in whatever order they end', () => {
    const call = fc.record({ usd: fc.double({ min: 0.01, max: 1, noNaN: true }), ends: fc.nat(5) });
    fc.assert(
      fc.property(
        fc.array(call, { minLength: 1, maxLength: 40 }),
        fc.double({ min: 0.5, max: 8, noNaN: true }),
        (calls, most) => {
          const limit = { ...RUN, most };
          // Calls are as dear as the dearest so far at most: what nobody could foresee is not promised.
          const dearestFirst = calls.map((one) => ({ ...one, usd: Math.min(one.usd, calls[0]?.usd ?? 0) }));
          let spent = NO_CHARGE;
          let dearest: Charge | undefined;
          let running: { readonly usd: number; readonly ends: number }[] = [];
          const settle = (): void => {
            const over = running.shift();
            if (over === undefined) return;
            spent = addCharges(spent, usd(over.usd));
            dearest = usd(Math.max(dearest?.usd ?? 0, over.usd));
          };
          for (const one of dearestFirst) {
            let answer = admit([limit], spending({ run: spent }), {
              calls: running.length,
              charge: NO_CHARGE,
              dearest,
            });
            while (answer.kind === 'wait') {
              settle();
              answer = admit([limit], spending({ run: spent }), { calls: running.length, charge: NO_CHARGE, dearest });
            }
            if (answer.kind === 'reached') break;
            running = [...running, one].toSorted((a, b) => a.ends - b.ends);
          }
          while (running.length > 0) settle();
          expect(spent.usd).toBeLessThan(most + (calls[0]?.usd ?? 0) + 1e-9);
        },
      ),
    );
  });
});
