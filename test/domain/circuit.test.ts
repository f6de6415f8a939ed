import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  afterBlame,
  blameOf,
  CLOSED,
  circuitStanding,
  takeTrial,
  type Blame,
  type Circuit,
} from '../../src/domain/circuit.ts';
import type { ModelRefusal } from '../../src/domain/model-refusal.ts';

const NOW = 1_800_000_000_000;
const policy = { failures: 3, baseMs: 60_000, maxMs: 30 * 60_000, trialMs: 120_000 };
const counts: Blame = { kind: 'counts', reason: 'is overloaded' };
const refused: Blame = { kind: 'at-once', reason: 'has a key that is refused' };

function refusal(status: number | undefined, more: Partial<ModelRefusal> = {}): ModelRefusal {
  return { status, code: undefined, at: NOW, resetAt: undefined, ...more };
}

describe('what a refusal says about the endpoint', () => {
  it.each<[string, ModelRefusal, Blame['kind'] | undefined]>([
    ['a refused key', refusal(401), 'at-once'],
    ['an empty account', refusal(429, { code: 'insufficient_quota' }), 'at-once'],
    ['a limit that is lifted in an hour', refusal(429, { resetAt: NOW + 3_600_000 }), 'until'],
    ['a limit that is lifted in a second', refusal(429, { resetAt: NOW + 1_000 }), 'counts'],
    ['an overload', refusal(529), 'counts'],
    ['nobody there', refusal(undefined), 'counts'],
    ['a model that does not exist', refusal(404), undefined],
    ['a prompt that is too long', refusal(400), undefined],
  ])('%s', (_, seen, kind) => {
    expect(blameOf(seen)?.kind).toBe(kind);
  });

  it('is not believed for longer than the longest limit there is', () => {
    expect(blameOf(refusal(429, { resetAt: NOW + 1e12 }))).toMatchObject({ at: NOW + 8 * 24 * 3_600_000 });
  });
});

describe('a circuit', () => {
  it('opens at the third failure in a row, and not before', () => {
    const two = afterBlame(afterBlame(CLOSED, counts, NOW, policy), counts, NOW, policy);
    expect(circuitStanding(two, NOW)).toEqual({ kind: 'closed' });
    const three = afterBlame(two, counts, NOW, policy);
    expect(circuitStanding(three, NOW)).toMatchObject({ kind: 'open', at: NOW + 60_000, reason: 'is overloaded' });
  });

  it('opens at once for a refused key', () => {
    expect(circuitStanding(afterBlame(CLOSED, refused, NOW, policy), NOW)).toMatchObject({ kind: 'open' });
  });

  it('is half open after its time for one session, and open for twice as long when that fails too', () => {
    const open = afterBlame(CLOSED, refused, NOW, policy);
    expect(takeTrial(open, NOW + 59_999, policy)).toBeUndefined();
    const tried = takeTrial(open, NOW + 60_000, policy);
    expect(tried).toBeDefined();
    expect(circuitStanding(tried ?? CLOSED, NOW + 60_000)).toMatchObject({ kind: 'open', tried: true });
    expect(takeTrial(tried ?? CLOSED, NOW + 60_001, policy)).toBeUndefined();
    const again = afterBlame(tried ?? CLOSED, counts, NOW + 61_000, policy);
    expect(circuitStanding(again, NOW + 61_000)).toMatchObject({ kind: 'open', at: NOW + 61_000 + 120_000 });
  });

  it('lets another session try when nothing came of the first', () => {
    const tried = takeTrial(afterBlame(CLOSED, refused, NOW, policy), NOW + 60_000, policy) ?? CLOSED;
    expect(takeTrial(tried, NOW + 60_000 + 120_000, policy)).toBeDefined();
  });

  it('does not open for longer because of sessions that began before it did', () => {
    const open = afterBlame(CLOSED, refused, NOW, policy);
    expect(afterBlame(open, counts, NOW + 1_000, policy)).toEqual(open);
    expect(afterBlame(open, refused, NOW + 1_000, policy)).toEqual(open);
  });

  it('never lets two sessions try at a time, and never stays open for longer than it may (any history)', () => {
    const step = fc.record({
      wait: fc.integer({ min: 0, max: 200_000 }),
      what: fc.constantFrom('counts', 'at-once', 'until', 'answer', 'try'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let now = NOW;
        let circuit: Circuit = CLOSED;
        let tryingUntil = 0;
        for (const { wait, what } of steps) {
          now += wait;
          const taken = what === 'try' ? takeTrial(circuit, now, policy) : undefined;
          expect(taken === undefined || now >= tryingUntil).toBe(true);
          if (what === 'try') {
            circuit = taken ?? circuit;
            tryingUntil = taken === undefined ? tryingUntil : now + policy.trialMs;
            continue;
          }
          tryingUntil = 0;
          if (what === 'answer') circuit = CLOSED;
          else circuit = afterBlame(circuit, { kind: what, at: now + 90_000, reason: '' }, now, policy);
          expect((circuit.openUntil ?? now) - now).toBeLessThanOrEqual(policy.maxMs);
          expect(circuitStanding(circuit, now + policy.maxMs + policy.trialMs).kind).not.toBe('open');
        }
      }),
    );
  });
});
