import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY as retry } from '../../src/domain/retry.ts';
import type { Setbacks } from '../../src/domain/run.ts';
import {
  afterInterruption,
  gotFurther,
  handedBack,
  MOST_DEATHS,
  MOST_LIVES,
  PATIENCE_MS,
  seating,
  sessionBegins,
  takingUp,
  type Interruption,
} from '../../src/domain/setback.ts';

const NONE: Setbacks = { tries: 0, waits: 0, lives: 0, deaths: 0 };
/** Of a run that got further: the worker that has it may yet die. */
const FURTHER: Setbacks = { ...NONE, deaths: 1 };
const NOW = 1_800_000_000_000;
const AWAY: Interruption = { kind: 'away', limited: false, retryAt: undefined };
const OURS: Interruption = { kind: 'unforeseen', message: 'EACCES: no way\n    at somewhere' };

/** Takes a run up and interrupts it, again and again. Gives how long it waited each time, and why it ended if it did. */
function interrupted(times: number, by: Interruption): { readonly waits: readonly number[]; readonly end?: string } {
  let setbacks: Setbacks | undefined;
  const waits: number[] = [];
  for (let round = 0; round < times; round += 1) {
    const taken = takingUp({ setbacks });
    if (taken.kind === 'end') return { waits, end: taken.reason };
    const means = afterInterruption(taken, by, { now: NOW, retry });
    if (means.kind === 'end') return { waits, end: means.reason };
    if (means.kind !== 'wait') throw new Error(`did not expect ${means.kind}`);
    ({ setbacks } = means);
    waits.push((means.at - NOW) / 1000);
  }
  return { waits };
}

describe('what nobody foresaw', () => {
  it('is tried again after doubling pauses, and then ends the run with its first line', () => {
    expect(interrupted(100, OURS)).toEqual({
      waits: [30, 60, 120, 240, 480],
      end: 'Maestro tried 6 times without getting any further, because something unexpected happened: EACCES: no way. The work so far is kept.',
    });
  });

  it('is counted from the last time the run got further', () => {
    expect(gotFurther({ setbacks: { tries: 5, waits: 3, lives: 1 } })).toEqual(FURTHER);
    expect(gotFurther({ setbacks: { tries: 0, waits: 0, lives: 0, deaths: 3 } })).toEqual(FURTHER);
    expect(gotFurther({ setbacks: FURTHER })).toBeUndefined();
  });
});

describe('GitHub being away', () => {
  it('never ends a run, however long it lasts, and is looked for at least every five minutes (fault F25)', () => {
    const { waits, end } = interrupted(200, AWAY);
    expect(end).toBeUndefined();
    expect(waits.slice(0, 6)).toEqual([30, 60, 120, 240, 300, 300]);
    expect(Math.max(...waits)).toBe(300);
  });

  it('lasts as long as GitHub says', () => {
    const limited: Interruption = { kind: 'away', limited: true, retryAt: NOW + 777 };
    expect(afterInterruption({ setbacks: undefined }, limited, { now: NOW, retry })).toMatchObject({
      kind: 'wait',
      at: NOW + 777,
      reason: 'GitHub asked us to wait.',
    });
  });

  it('does not count among the tries', () => {
    const means = afterInterruption({ setbacks: { tries: 5, waits: 0, lives: 1 } }, AWAY, { now: NOW, retry });
    expect(means).toMatchObject({ setbacks: { tries: 5, waits: 1, lives: 0 } });
  });
});

describe('a worker', () => {
  it('that dies again and again without a word ends the run for the next one', () => {
    let setbacks: Setbacks | undefined;
    for (let round = 0; round < MOST_LIVES; round += 1) {
      const taken = takingUp({ setbacks });
      if (taken.kind === 'end') throw new Error('too early');
      ({ setbacks } = taken);
    }
    expect(takingUp({ setbacks })).toMatchObject({
      kind: 'end',
      reason: expect.stringContaining('the worker crashed'),
      silent: false,
    });
  });

  it('that dies even of saying so lets the run end without a word', () => {
    expect(takingUp({ setbacks: { tries: 0, waits: 0, lives: 2 * MOST_LIVES } })).toMatchObject({ silent: true });
  });

  it('that begins a session has got somewhere', () => {
    expect(sessionBegins({ setbacks: { tries: 2, waits: 1, lives: 3, deaths: 3 } })).toEqual({
      tries: 2,
      waits: 1,
      lives: 0,
      deaths: 3,
    });
    expect(sessionBegins({ setbacks: undefined })).toBeUndefined();
  });

  it('that hands a run back leaves it as it was', () => {
    const run = { setbacks: { tries: 3, waits: 1, lives: 1, deaths: 2 } };
    const of = { now: NOW, retry };
    expect(handedBack(run)).toEqual({ tries: 3, waits: 1, lives: 0, deaths: 1 });
    expect(afterInterruption(run, { kind: 'shutdown' }, of)).toEqual({ kind: 'hand-back', setbacks: handedBack(run) });
    expect(afterInterruption(run, { kind: 'stop' }, of)).toMatchObject({ kind: 'hand-back' });
    expect(afterInterruption(run, { kind: 'lost' }, of)).toEqual({ kind: 'leave' });
  });

  it('that GitHub refuses ends the run', () => {
    const refused: Interruption = { kind: 'refused', reason: 'GitHub said no: gone' };
    expect(afterInterruption({ setbacks: undefined }, refused, { now: NOW, retry })).toEqual({
      kind: 'end',
      reason: 'GitHub said no: gone',
    });
  });
});

/** A run that was at hand when so many workers died. */
function dead(deaths: number): { readonly setbacks: Setbacks; readonly stop: undefined } {
  return { setbacks: { ...NONE, deaths }, stop: undefined };
}

describe('a run that was at hand when workers died', () => {
  it('goes on beside others after the first, and by itself after the second', () => {
    expect(seating(dead(0), { others: 2, besideSuspect: false, now: NOW })).toEqual({ kind: 'beside' });
    expect(seating(dead(1), { others: 2, besideSuspect: false, now: NOW })).toEqual({ kind: 'beside' });
    expect(seating(dead(2), { others: 2, besideSuspect: false, now: NOW })).toMatchObject({
      kind: 'wait',
      isOver: false,
      say: { reason: expect.stringContaining('died 2 times in a row') },
    });
    expect(seating(dead(2), { others: 0, besideSuspect: false, now: NOW })).toEqual({ kind: 'alone' });
  });

  it('says once what it waits for, and not for ever', () => {
    const first = seating(dead(2), { others: 1, besideSuspect: false, now: NOW });
    if (first.kind !== 'wait') throw new Error('it has to wait');
    const said = { ...dead(2), setbacks: first.say?.setbacks };
    const later = (ms: number): unknown => seating(said, { others: 1, besideSuspect: false, now: NOW + ms });
    expect(later(PATIENCE_MS - 1)).toEqual({ kind: 'wait', say: undefined, isOver: false });
    expect(later(PATIENCE_MS)).toEqual({ kind: 'wait', say: undefined, isOver: true });
    expect(takingUp(said).setbacks).not.toHaveProperty('aloneSince');
  });

  it('tells nobody while another is there by itself: telling may be what kills', () => {
    const silent = seating(dead(2), { others: 1, besideSuspect: true, now: NOW });
    expect(silent).toMatchObject({ say: { setbacks: { aloneSince: NOW, aloneTold: false } } });
    if (silent.kind !== 'wait') throw new Error('it has to wait');
    const recorded = { ...dead(2), setbacks: silent.say?.setbacks };
    expect(seating(recorded, { others: 1, besideSuspect: true, now: NOW + 1 })).toMatchObject({ say: undefined });
    expect(seating(recorded, { others: 1, besideSuspect: false, now: NOW + 2 })).toMatchObject({
      say: { setbacks: { aloneSince: NOW, aloneTold: true } },
    });
  });

  it('does not keep a person who stops it waiting', () => {
    const stop = { by: 'ada', reason: 'no', at: NOW };
    expect(seating({ ...dead(2), stop }, { others: 1, besideSuspect: false, now: NOW })).toEqual({ kind: 'beside' });
  });

  it('is suspected no more once it got further, and still after waiting for GitHub', () => {
    expect(
      seating({ ...dead(2), setbacks: gotFurther(dead(2)) }, { others: 1, besideSuspect: false, now: NOW }),
    ).toEqual({ kind: 'beside' });
    const taken = takingUp(dead(2));
    const means = afterInterruption(taken, AWAY, { now: NOW, retry });
    expect(means).toMatchObject({ kind: 'wait', setbacks: { deaths: 2 } });
  });

  it('is given up after so many lives even if a session of it began in each', () => {
    let setbacks: Setbacks | undefined;
    for (let round = 0; round < MOST_DEATHS; round += 1) {
      const taken = takingUp({ setbacks });
      if (taken.kind === 'end') throw new Error('too early');
      setbacks = sessionBegins(taken);
    }
    expect(takingUp({ setbacks })).toMatchObject({ kind: 'end', silent: false });
  });
});
