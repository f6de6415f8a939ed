import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CLOSED, type Circuit } from '../../src/domain/circuit.ts';
import { settlement } from '../../src/domain/conduct.ts';
import { chooseProvider, modelOf, preferenceOf, type Candidate } from '../../src/domain/failover.ts';
import type { FailureKind, Outcome } from '../../src/domain/outcome.ts';
import { DEFAULT_RETRY as retry } from '../../src/domain/retry.ts';
import type { Session } from '../../src/domain/run.ts';
import { aRun, aSession } from '../store/samples.ts';

const NOW = Date.UTC(2026, 10, 23, 12, 0);
const HOUR = 3_600_000;
const { id } = aRun();

function failed(kind: FailureKind, resetAt?: number): Outcome {
  const reset = resetAt === undefined ? {} : { resetAt };
  return { kind: 'failed', failure: { kind, message: 'It broke.', ...reset } };
}

function session(attempt: number, provider: string, outcome: Outcome | undefined, endedAt = NOW): Session {
  return aSession(id, attempt, { provider, outcome, endedAt });
}

function open(openUntil: number): Circuit {
  return { ...CLOSED, failures: 1, openings: 1, openUntil, reason: 'is out of quota' };
}

const one: Candidate = { provider: 'claude-code', circuit: undefined, lacks: undefined };
const two: Candidate = { provider: 'codex', circuit: undefined, lacks: undefined };
const both = [one, two];
const none = { sessions: [], now: NOW, retry };

describe('the provider of a task', () => {
  it('is the one asked for, when nothing is in the way', () => {
    expect(chooseProvider(both, none)).toEqual({
      kind: 'go',
      provider: 'claude-code',
      trial: false,
      instead: undefined,
    });
  });

  it('is the next one while the first is out of quota, with the reason', () => {
    const sessions = [session(1, 'claude-code', failed('quota', NOW + 2 * HOUR))];
    expect(chooseProvider(both, { ...none, sessions })).toEqual({
      kind: 'go',
      provider: 'codex',
      trial: false,
      instead: 'claude-code is out of quota until 2026-11-23 14:00 UTC',
    });
  });

  it('is the next one while the circuit of the first is open, for tasks that never met its trouble', () => {
    const candidates = [{ ...one, circuit: open(NOW + HOUR) }, two];
    expect(chooseProvider(candidates, none)).toMatchObject({
      provider: 'codex',
      instead: expect.stringMatching(/13:00/),
    });
  });

  it('is the first one again, for a try, when the time of its circuit is over', () => {
    const candidates = [{ ...one, circuit: open(NOW - 1) }, two];
    expect(chooseProvider(candidates, none)).toMatchObject({ kind: 'go', provider: 'claude-code', trial: true });
  });

  it('is waited for twice when it is overloaded, before another takes over', () => {
    const first = [session(1, 'claude-code', failed('overloaded'))];
    expect(chooseProvider(both, { ...none, sessions: first })).toMatchObject({ kind: 'wait', at: NOW + 30_000 });
    const second = [...first, session(2, 'claude-code', failed('overloaded'), NOW + 31_000)];
    expect(chooseProvider(both, { ...none, now: NOW + 31_000, sessions: second })).toMatchObject({ provider: 'codex' });
  });

  it('is waited for until the earliest is back, when all of them are out', () => {
    const candidates = [
      { ...one, circuit: open(NOW + 2 * HOUR) },
      { ...two, circuit: open(NOW + HOUR) },
    ];
    expect(chooseProvider(candidates, none)).toEqual({
      kind: 'wait',
      at: NOW + HOUR,
      reason:
        'claude-code is out of quota until 2026-11-23 14:00 UTC; codex is out of quota until 2026-11-23 13:00 UTC',
    });
  });

  it('is none when the task was refused by all of them for good, or there is no key', () => {
    const sessions = [session(1, 'claude-code', failed('auth'))];
    const candidates = [one, { ...two, lacks: 'has no key' }];
    expect(chooseProvider(candidates, { ...none, sessions })).toMatchObject({ kind: 'none' });
  });

  it('does not depend on failures that another provider would have as well', () => {
    const sessions = [session(1, 'claude-code', failed('infra'))];
    expect(chooseProvider(both, { ...none, sessions })).toMatchObject({ provider: 'claude-code' });
  });
});

describe('an attempt that failed by its provider’s fault', () => {
  const of = { session: session(9, 'claude-code', undefined), sessions: [], now: NOW, retry };

  it('hands the task over', () => {
    for (const outcome of [failed('quota', NOW + HOUR), failed('quota'), failed('auth')])
      expect(settlement(outcome, { ...of, candidates: both })).toMatchObject({
        kind: 'hand-over',
        reason: expect.stringContaining('claude-code'),
      });
  });

  it('is as it always was with one provider', () => {
    for (const candidates of [[one], []]) {
      expect(settlement(failed('auth'), { ...of, candidates })).toMatchObject({ kind: 'settled' });
      expect(settlement(failed('quota', NOW + HOUR), { ...of, candidates })).toMatchObject({
        kind: 'again',
        at: NOW + HOUR,
      });
    }
  });

  it('fails the task when the last one is used up', () => {
    const sessions = [session(1, 'codex', failed('auth'))];
    expect(settlement(failed('auth'), { ...of, sessions, candidates: both })).toMatchObject({ kind: 'settled' });
  });
});

it('a run’s preference names each provider once; a named model is for the one asked for alone', () => {
  const run = aRun({ provider: 'codex', fallbacks: ['claude-code', 'codex'], model: 'gpt-5.5' });
  expect(preferenceOf(run)).toEqual(['codex', 'claude-code']);
  expect([modelOf(run, 'codex'), modelOf(run, 'claude-code')]).toEqual(['gpt-5.5', undefined]);
});

/** Plays a task to its end: each attempt has the fate the schedule says. */
function play(fates: readonly Outcome[], outages: readonly number[]): { attempts: number; ending: string } {
  const names = ['a', 'b', 'c'];
  const sessions: Session[] = [];
  let now = NOW;
  for (let steps = 0; steps < 500; steps += 1) {
    const candidates = names.map((provider, index) => ({
      provider,
      circuit: open(NOW + (outages[index] ?? 0)),
      lacks: undefined,
    }));
    const choice = chooseProvider(candidates, { sessions, now, retry });
    const free = candidates.filter(({ provider, circuit }) => {
      const isFresh = sessions.every((one) => one.provider !== provider);
      return isFresh && (circuit.openUntil ?? 0) <= now;
    });
    if (choice.kind === 'none') return { attempts: sessions.length, ending: 'none' };
    if (choice.kind === 'wait') {
      // Nobody waits for a provider that is out while another one is there, unless for a moment.
      const isRight = choice.at > now && (free.length === 0 || choice.at - now <= retry.baseMs);
      if (!isRight) return { attempts: sessions.length, ending: 'a needless wait' };
      now = choice.at;
      continue;
    }
    const outcome = fates[sessions.length] ?? { kind: 'no-change' };
    const begun = session(sessions.length + 1, choice.provider, undefined, now);
    const settled = settlement(outcome, { session: begun, sessions, now, retry, candidates });
    sessions.push({ ...begun, outcome });
    if (settled.kind === 'settled') return { attempts: sessions.length, ending: outcome.kind };
    if (settled.kind === 'again') now = Math.max(now, settled.at);
  }
  return { attempts: sessions.length, ending: 'never' };
}

it('a task with three providers comes to an end whatever they do, and never spins', () => {
  const fate = fc.oneof(
    fc.constantFrom<Outcome>(failed('auth'), failed('quota'), failed('overloaded'), failed('network'), failed('infra')),
    fc.integer({ min: 1, max: 10 }).map((hours) => failed('quota', NOW + hours * HOUR)),
  );
  const outages = fc.array(fc.integer({ min: 0, max: 5 * HOUR }), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(fc.array(fate, { maxLength: 40 }), outages, (fates, out) => {
      const { attempts, ending } = play(fates, out);
      expect(['never', 'a needless wait']).not.toContain(ending);
      expect(attempts).toBeLessThan(60);
    }),
    { numRuns: 1_000 },
  );
});
