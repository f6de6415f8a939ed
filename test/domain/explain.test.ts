import { describe, expect, it } from 'vitest';
import { CLOSED } from '../../src/domain/circuit.ts';
import { explain, type Facts, type Gate } from '../../src/domain/explain.ts';
import { renderExplanation } from '../../src/domain/report/explanation.ts';
import { aDoneTask, aRun, aTask, MINUTE, START } from './report/a-run.ts';

const NOW = START + 10 * MINUTE;

function facts(change: Partial<Facts> = {}): Facts {
  return {
    now: NOW,
    thread: { number: 12, open: true, asksForRun: true },
    run: aRun({ state: 'queued' }),
    tasks: [aTask(1)],
    requester: { mayWrite: true, role: 'write' },
    lease: undefined,
    line: { before: 0, atWork: 1 },
    circuits: new Map(),
    writeRoom: 1,
    disk: { left: 2 ** 30, needed: 2 ** 28 },
    ...change,
  };
}

const shut = (of: Facts): readonly Gate['name'][] =>
  explain(of)
    .gates.filter(({ passed }) => !passed)
    .map(({ name }) => name);

const open = { ...CLOSED, openUntil: NOW + MINUTE, reason: 'is overloaded' };
const paused = { taken: 1, paused: { by: 'mona', at: START }, words: [] };
const lease = { owner: 'worker-1', until: NOW + 20_000 };
const budgetSpent = { kind: 'failed', failure: { kind: 'budget', message: 'It spent $5.02 of $5.00.' } } as const;

describe('why a run is not worked on', () => {
  it('is nothing while a worker has it', () => {
    const of = facts({ run: aRun({ state: 'running' }), lease });
    expect(shut(of)).toEqual([]);
    expect(explain(of).verdict).toMatch(/^Run `r\w+` is being worked on\.$/);
    expect(explain(of).gates.find(({ name }) => name === 'worker')?.says).toContain('`worker-1`');
  });

  const waits = aRun({ state: 'parked', parkedUntil: NOW + 2 * MINUTE, reason: 'the quota is used up' });
  it.each<[string, Partial<Facts>, readonly Gate['name'][], RegExp]>([
    ['its turn', { line: { before: 2, atWork: 4 } }, ['worker'], /2 runs came before it, and 4 are being worked on/],
    ['no worker at all', { line: { before: 0, atWork: 0 } }, ['worker'], /none is at work at all/],
    ['a time', { run: waits }, ['waiting'], /until 2026-11-22 09:12 UTC, 2 min from now: the quota is used up/],
    ['a pause', { run: aRun({ state: 'parked', steering: paused }) }, ['people'], /Paused by @mona/],
    [
      'a question',
      { run: aRun({ state: 'parked', waitsFor: 'answer', parkedUntil: NOW + 1 }) },
      ['people', 'waiting'],
      /answer to a question/,
    ],
    [
      'the requester’s role',
      { lease, requester: { mayWrite: false, role: 'read' } },
      ['permission'],
      /may not write here any more/,
    ],
    ['a closed issue', { lease, thread: { number: 12, open: false, asksForRun: true } }, ['issue'], /#12 is closed/],
    ['another run', { lease, rival: aRun() }, ['other run'], /is at the same work/],
    [
      'its provider',
      { lease, circuits: new Map([['claude-code/x', open]]) },
      ['provider'],
      /is overloaded, and nothing is asked of it until/,
    ],
    ['its budget', { lease, tasks: [aDoneTask(1, budgetSpent)] }, ['budget'], /Task 1: It spent \$5\.02/],
    ["GitHub's limit", { lease, writeRoom: 0 }, ['github'], /limit on what an App may write/],
    ['the disk', { lease, disk: { left: 2 ** 20, needed: 2 ** 28 } }, ['disk'], /1 MB are left/],
  ])('may be %s', (_, change, gates, says) => {
    const of = facts(change);
    expect(shut(of)).toEqual(gates);
    expect(explain(of).verdict).toMatch(says);
    expect(explain(of).verdict).toContain('is not being worked on');
  });

  it('is not its provider when another takes over', () => {
    const run = aRun({ state: 'running', fallbacks: ['codex'] });
    const of = facts({
      run,
      lease,
      circuits: new Map([
        ['claude-code/x', open],
        ['codexes/x', open],
      ]),
    });
    expect(shut(of)).toEqual([]);
    expect(explain(of).gates.find(({ name }) => name === 'provider')?.says).toContain('`codex` takes over');
  });

  it('says how a run that ended is gone on with', () => {
    const of = facts({ run: aRun({ state: 'failed', reason: 'It crashed.' }) });
    expect(explain(of).verdict).toMatch(/could not finish: It crashed\. `\/maestro resume` goes on/);
  });

  it('says why there is no run', () => {
    const asked = explain(facts({ run: undefined }));
    expect(asked.verdict).toBe('There has been no run here yet.');
    expect(asked.gates.find(({ name }) => name === 'request')).toMatchObject({
      passed: false,
      says: expect.stringContaining('no run came of it'),
    });
    const unasked = explain(facts({ run: undefined, thread: { number: 1, open: true, asksForRun: false } }));
    expect(unasked.gates.find(({ name }) => name === 'request')?.says).toContain('Nobody asked for a run');
  });

  it('is told in one comment in which nothing others wrote acts', () => {
    const run = aRun({ state: 'failed', reason: '@bob <script> #1' });
    const text = renderExplanation(explain(facts({ run, lease })), 'mona');
    expect(text).toMatch(/^\*\*Maestro\*\* Run `r/);
    expect(text).toContain('- ✅ other run: No other run is at the same work.');
    expect(text).not.toMatch(/@bob|<script|(?<!&)#1/);
  });
});
