import { describe, expect, it } from 'vitest';
import { leftToKnow, sessionToGoOnWith, taskBefore } from '../../src/domain/context.ts';
import type { SessionId } from '../../src/domain/ids.ts';
import type { Outcome } from '../../src/domain/outcome.ts';
import type { RunTask } from '../../src/domain/run.ts';
import { LIMITS } from '../../src/domain/talk.ts';
import { NO_USAGE } from '../../src/domain/usage.ts';

const COMMITTED: Outcome = { kind: 'committed', commit: 'c' };
const FAILED: Outcome = { kind: 'failed', failure: { kind: 'crash', message: 'x' } };

function task(position: number, outcome: Outcome | undefined, endedAt: number | undefined, attempts = 1): RunTask {
  return {
    runId: 'r' as RunTask['runId'],
    key: `k${position}` as RunTask['key'],
    position,
    title: '',
    text: '',
    attempts,
    outcome,
    usage: NO_USAGE,
    startedAt: undefined,
    endedAt,
  };
}

/** A session of a task; `kept` are the bytes of its conversation. */
const session = (id: string, outcome: Outcome, kept?: number, provider = 'a') => ({
  id: id as SessionId,
  outcome,
  provider,
  ...(kept === undefined ? {} : { kept }),
});

describe('a run that is one conversation', () => {
  const run = { settings: { context: 'document' } } as const;

  it('goes on with that of the task done last, in whatever order people had them done', () => {
    const tasks = [
      task(1, COMMITTED, 30),
      task(2, { kind: 'no-change' }, 20),
      task(3, FAILED, 40),
      task(4, undefined, undefined),
    ];
    expect(taskBefore(run, tasks)?.position).toBe(1);
    expect(taskBefore(run, tasks.slice(1))?.position).toBe(2);
    expect(taskBefore(run, tasks.slice(2))).toBeUndefined();
    for (const context of ['fresh', 'handoff'] as const)
      expect(taskBefore({ settings: { context } }, tasks)).toBeUndefined();
    expect(taskBefore({ settings: {} }, tasks)).toBeUndefined();
  });

  it('leaves out what was done by nobody: ticked before, or skipped', () => {
    const skipped: Outcome = { kind: 'skipped', by: 'will', reason: '' };
    expect(taskBefore(run, [task(1, COMMITTED, 10), task(2, skipped, 20, 0)])?.position).toBe(1);
  });

  it('takes the session that did the task, of the same provider, if it is kept', () => {
    expect(sessionToGoOnWith([session('1', FAILED, 9), session('2', COMMITTED, 9)], 'a')).toBe('2');
    expect(sessionToGoOnWith([session('1', COMMITTED, 9), session('2', FAILED, 9)], 'a')).toBe('1');
    expect(sessionToGoOnWith([session('1', COMMITTED, 9)], 'b')).toBeUndefined();
    expect(sessionToGoOnWith([session('1', COMMITTED)], 'a')).toBeUndefined();
    expect(sessionToGoOnWith([session('1', FAILED, 9)], 'a')).toBeUndefined();
  });
});

describe('what a session leaves to know', () => {
  const said = { words: [], lastMessage: ' Moved it. ' };

  it.each(['handoff', 'document'] as const)('is its last message where it left no note (%s)', (context) => {
    const run = { settings: { context } };
    expect(leftToKnow({ notes: ['before'] }, said, run)).toEqual(['before', 'Moved it.']);
    expect(leftToKnow({}, { ...said, words: [{ kind: 'note', text: 'Mind it.' }] }, run)).toEqual(['Mind it.']);
    expect(leftToKnow({}, { ...said, lastMessage: undefined }, run)).toEqual([]);
    const [long = ''] = leftToKnow({}, { ...said, lastMessage: 'x'.repeat(9_000) }, run);
    expect(long).toHaveLength(LIMITS.note);
  });

  it('is nothing but its notes where every task begins anew', () => {
    expect(leftToKnow({}, said, { settings: {} })).toEqual([]);
    expect(leftToKnow({}, said, { settings: { context: 'fresh' } })).toEqual([]);
  });
});
