import { describe, expect, it } from 'vitest';
import { checkOf, evidenceOf, howItEnded, isPassed, type Check } from '../../src/domain/evidence.ts';

const OF = { durationMs: 1_500.4, output: 'said\n' };
const passed: Check = { command: 'npm test', durationMs: 1, code: 0 };
const failed: Check = { command: 'npm test', durationMs: 1, code: 1 };

describe('a check', () => {
  it('passed only if it exited by itself with 0', () => {
    const ends = [
      { ending: 'exited', code: 0 },
      { ending: 'exited', code: 1 },
      { ending: 'exited', code: undefined },
      { ending: 'wall', code: 0 },
      { ending: 'memory', code: 137 },
    ] as const;
    const checks = ends.map((end) => checkOf('npm test', end, OF));

    expect(checks.map(isPassed)).toEqual([true, false, false, false, false]);
    expect(checks.map(howItEnded)).toEqual([
      'exit code 0',
      'exit code 1',
      'exit code unknown',
      'ended after taking too long',
      'ended after using too much memory',
    ]);
    expect(checks[0]).toEqual({ command: 'npm test', durationMs: 1_500, code: 0, tail: 'said\n' });
  });

  it('keeps the last of what it printed, and no half of a character', () => {
    const { tail = '' } = checkOf('x', { ending: 'exited', code: 1 }, { durationMs: 1, output: '🙂'.repeat(5_000) });

    expect(tail.length).toBeLessThanOrEqual(2_000);
    expect(tail.isWellFormed()).toBe(true);
    expect(checkOf('x', { ending: 'exited', code: 1 }, { durationMs: 1, output: ' \n' })).not.toHaveProperty('tail');
  });
});

describe('the evidence for an outcome', () => {
  it('is the attempt’s own checks, and the failed ones of attempts before', () => {
    const session = { id: 's4', attempt: 4, checks: [passed] };
    const earlier = [
      { id: 's1', attempt: 1, checks: [passed, failed] },
      { id: 's2', attempt: 2 },
      { id: 's3', attempt: 3, checks: [passed] },
    ];

    expect(evidenceOf(session, earlier)).toEqual({ checks: [passed], failedBefore: [{ attempt: 1, check: failed }] });
    expect(evidenceOf({ id: 's1', attempt: 1, checks: [failed] }, earlier.slice(0, 1))).toEqual({ checks: [failed] });
    expect(evidenceOf({ id: 's1', attempt: 1 }, [])).toEqual({});
  });
});
