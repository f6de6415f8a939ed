import { describe, expect, it } from 'vitest';
import { approach, nextInRun, placeInLine, settlement, standing, likeliestFirst } from '../../src/domain/conduct.ts';
import type { FailureKind, Outcome } from '../../src/domain/outcome.ts';
import { DEFAULT_RETRY as retry } from '../../src/domain/retry.ts';
import type { Session } from '../../src/domain/run.ts';
import { aRun, aSession, aTask } from '../store/samples.ts';

const NOW = 1_800_000_000_000;
const stop = { by: 'octocat', reason: 'label taken off by @octocat', at: 1 };
const committed: Outcome = { kind: 'committed', commit: 'c'.repeat(40) };
const noChange: Outcome = { kind: 'no-change' };

function failed(kind: FailureKind, resetAt?: number): Outcome {
  return { kind: 'failed', failure: { kind, message: 'It broke.', ...(resetAt === undefined ? {} : { resetAt }) } };
}

describe('what a run nobody works on waits for', () => {
  it.each([
    ['a queued one is due', aRun(), { kind: 'due', early: false }, { delayMs: 0 }],
    [
      'a parked one waits',
      aRun({ state: 'parked', parkedUntil: NOW + 5 }),
      { kind: 'waits', at: NOW + 5 },
      { delayMs: 5 },
    ],
    [
      'a parked one is due in time',
      aRun({ state: 'parked', parkedUntil: NOW }),
      { kind: 'due', early: false },
      { delayMs: 0 },
    ],
    [
      'a parked one that a person stopped is brought forward',
      aRun({ state: 'parked', parkedUntil: NOW + 5, stop }),
      { kind: 'due', early: true },
      { delayMs: undefined },
    ],
    ['a stopped one is settled', aRun({ state: 'stopped' }), { kind: 'settled' }, undefined],
  ])('%s', (_, run, stands, place) => {
    expect(standing(run, NOW)).toEqual(stands);
    expect(placeInLine(run, NOW)).toEqual(place);
  });
});

describe('what comes next in a run', () => {
  const run = aRun();
  const tasks = (...outcomes: (Outcome | undefined)[]) =>
    outcomes.map((outcome, index) => aTask(run.id, index + 1, { outcome }));

  it.each([
    ['the first task nobody has settled', [committed, undefined, undefined], 2],
    ['the first of all', [undefined, undefined], 1],
  ])('is %s', (_, outcomes, position) => {
    expect(nextInRun(run, tasks(...outcomes))).toMatchObject({ kind: 'task', task: { position } });
  });

  it('is the end when all is done, and says when there was nothing to do', () => {
    expect(nextInRun(run, tasks(committed, noChange))).toMatchObject({
      kind: 'end',
      state: 'succeeded',
      reason: undefined,
    });
    expect(nextInRun(run, tasks(noChange))).toMatchObject({ state: 'succeeded', reason: /nothing to change/ as never });
  });

  it('is the end after a task failed, also for a worker that did not see it fail', () => {
    expect(nextInRun(run, tasks(failed('crash'), undefined))).toMatchObject({ kind: 'end', state: 'failed' });
  });

  it('is the next task where the playbook goes on after failures', () => {
    const goesOn = { ...run, settings: { onFailure: 'continue' } as const };
    expect(nextInRun(goesOn, tasks(failed('crash'), undefined))).toMatchObject({ kind: 'task' });
    expect(nextInRun(goesOn, tasks(failed('crash'), committed))).toMatchObject({ kind: 'end', state: 'failed' });
  });

  it('is the end when a person stopped it, who is named', () => {
    const reason = 'Label taken off by @octocat.';
    expect(nextInRun({ ...run, stop }, tasks(committed, undefined))).toEqual({ kind: 'end', state: 'stopped', reason });
    expect(nextInRun({ ...run, stop }, tasks(committed))).toMatchObject({ state: 'succeeded' });
  });
});

describe('how to go at a task', () => {
  const { id } = aRun();
  const task = aTask(id, 1, { attempts: 2 });
  const cutOff = (attempt: number): Session => aSession(id, attempt);

  it('is another attempt', () => {
    expect(
      approach(task, { sessions: [cutOff(1), cutOff(2)], pushBegun: undefined, deaths: 9, retry, stop: undefined }),
    ).toEqual({
      kind: 'attempt',
      number: 3,
    });
  });

  it('is to give up what a worker died of three times, so that others go on', () => {
    const sessions = [cutOff(1), cutOff(2), cutOff(3)];
    expect(approach(task, { sessions, pushBegun: undefined, deaths: 9, retry, stop: undefined })).toMatchObject({
      kind: 'give-up',
      outcome: { kind: 'failed', failure: { kind: 'infra' } },
    });
    const ended = sessions.map((session) => ({ ...session, outcome: failed('overloaded') }));
    expect(approach(task, { sessions: ended, pushBegun: undefined, deaths: 9, retry, stop: undefined })).toMatchObject({
      kind: 'attempt',
    });
  });

  it('is to see a push through that was begun, however often a worker died: its commit may be on the branch', () => {
    const sessions = [cutOff(1), cutOff(2), cutOff(3)];
    const pushBegun = { commit: 'c'.repeat(40), session: sessions[2]?.id ?? '' };
    expect(approach(task, { sessions, pushBegun, deaths: 9, retry, stop: undefined })).toEqual({
      kind: 'resume',
      session: sessions[2],
      commit: pushBegun.commit,
    });
  });

  it('is to see through the push that may have reached the branch, where two machines began one each', () => {
    const [first, second, third] = ['1', '2', '3'].map((one) => ({ commit: one.repeat(40), session: one }));
    if (first === undefined || second === undefined || third === undefined) throw new Error('There are three.');
    const begun = [third, second, first].map((push) => ({ push, isDone: false }));
    expect(likeliestFirst(begun, undefined)).toEqual([third, second, first]);
    expect(likeliestFirst(begun, second.commit)).toEqual([second, third, first]);
    const done = begun.map((one) => ({ ...one, isDone: one.push === first }));
    expect(likeliestFirst(done, second.commit)).toEqual([first, second, third]);
  });

  it('is to begin nothing once a person has stopped the run, and still to see a push through', () => {
    const sessions = [cutOff(1)];
    const stop = { by: 'ada', reason: 'Enough.', at: NOW };
    const pushBegun = { commit: 'c'.repeat(40), session: sessions[0]?.id ?? '' };
    expect(approach(task, { sessions, pushBegun: undefined, deaths: 0, retry, stop })).toMatchObject({
      kind: 'give-up',
      outcome: { kind: 'cancelled', by: 'ada' },
    });
    expect(approach(task, { sessions, pushBegun, deaths: 0, retry, stop })).toMatchObject({ kind: 'resume' });
  });
});

describe('an attempt', () => {
  const { id } = aRun();
  const of = { session: aSession(id, 9), sessions: [], now: NOW, retry };

  it.each<[string, Outcome]>([
    ['committed', committed],
    ['without a change', noChange],
    ['whose agent crashed', failed('crash')],
    ['whose quota has no known end', failed('quota')],
  ])('%s settles its task', (_, outcome) => {
    expect(settlement(outcome, of)).toEqual({ kind: 'settled', outcome });
  });

  it.each<[string, Outcome, number]>([
    ['met an overloaded provider', failed('overloaded'), NOW + 30_000],
    ['used up a quota', failed('quota', NOW + 7_000), NOW + 7_000],
    ['was parked', { kind: 'parked', until: NOW + 9, reason: 'It asked.' }, NOW + 9],
  ])('that %s does not', (_, outcome, at) => {
    expect(settlement(outcome, of)).toMatchObject({ kind: 'again', at });
  });

  it('waits twice as long each time for the same reason, and then settles it', () => {
    const outcome = failed('infra');
    const sessions = [1, 2].map((attempt) => aSession(id, attempt, { outcome }));
    expect(settlement(outcome, { ...of, sessions: sessions.slice(1) })).toMatchObject({ at: NOW + 60_000 });
    expect(settlement(outcome, { ...of, sessions })).toEqual({ kind: 'settled', outcome });
    const other = [1, 2].map((attempt) => aSession(id, attempt, { outcome: failed('overloaded') }));
    expect(settlement(outcome, { ...of, sessions: other })).toMatchObject({ at: NOW + 30_000 });
  });
});
