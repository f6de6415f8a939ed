import { describe, expect, it } from 'vitest';
import { isWaiting, standing, waitsOn } from '../../src/domain/conduct.ts';
import { executionOf, howItWent, lastLines, nextExecution, type Execution } from '../../src/domain/exec.ts';
import { renderExecution } from '../../src/domain/report/execution.ts';
import type { Run } from '../../src/domain/run.ts';
import type { GivenOrder, Order } from '../../src/domain/steering.ts';
import { aRun } from '../store/samples.ts';

const EXEC = { kind: 'exec', command: 'npm test', thread: 1 } as const;

const PLACE = { commit: 'c'.repeat(40), log: 'logs/r/r-exec-1.jsonl' } as const;

function ran(change: Partial<Extract<Execution, { kind: 'ran' }>> = {}): Execution {
  return { kind: 'ran', ...PLACE, durationMs: 1_000, code: 0, output: 'ok', ...change };
}

function given(...orders: readonly Order[]): readonly GivenOrder[] {
  return orders.map((order, index) => ({ number: index + 1, key: `c${index}`, by: 'ada', at: index, order }));
}

function text(came: Execution, order: Extract<Order, { kind: 'exec' }> = EXEC): string {
  return renderExecution({ branch: 'maestro/x-1234567' }, { by: 'ada', order }, came);
}

describe('a command that is to be run', () => {
  it('is run only while nothing is on record of it, and its run goes on', () => {
    expect(nextExecution(undefined, { ends: false })).toBe('run');
    expect(nextExecution(undefined, { ends: true })).toEqual({ kind: 'too-late' });
    expect(nextExecution({ result: undefined }, { ends: false })).toEqual({ kind: 'cut-off' });
    for (const ends of [false, true]) expect(nextExecution({ result: ran() }, { ends })).toEqual(ran());
  });

  it('is kept with how it ended and the last of what it printed', () => {
    const printed = Array.from({ length: 100 }, (_, index) => `line ${index}`).join('\n');
    const came = executionOf({ ending: 'exited', code: 3, durationMs: 12.4 }, { ...PLACE, printed });
    expect(came).toMatchObject({ kind: 'ran', code: 3, durationMs: 12 });
    expect(came).toMatchObject({ output: expect.stringMatching(/^line 40\n[\s\S]*line 99$/) });
    const late = executionOf({ ending: 'wall', code: 137, durationMs: 5 }, { ...PLACE, printed: '' });
    expect(late).toMatchObject({ ended: 'wall', output: '' });
    expect(late).not.toHaveProperty('code');
  });

  it.each([
    ['a\r\nb', 'a\nb'],
    ['10 %\r50 %\r100 %\nready', '100 %\nready'],
    ['x'.repeat(9_000), 'x'.repeat(8_000)],
    ['\n\n', ''],
  ])('shows what a terminal would show last', (printed, shown) => {
    expect(lastLines(printed)).toBe(shown);
  });

  it.each([
    [{ code: 0 }, 'exit code 0'],
    [{ code: 1 }, 'exit code 1'],
    [{ code: 137 }, 'exit code 137, as after SIGKILL'],
    [{}, 'exit code unknown'],
    [{ ended: 'wall' as const }, 'ended after taking too long'],
    [{ ended: 'aborted' as const }, 'ended because the run was stopped'],
  ])('of %j says %s', (ended, words) => {
    expect(howItWent(ended)).toBe(words);
  });
});

describe('a run that waits', () => {
  const paused = { taken: 0, paused: { by: 'ada', at: 0 }, words: [] };
  const waits: readonly Partial<Run>[] = [
    { state: 'parked', steering: paused },
    { state: 'parked', waitsFor: 'answer' },
    { state: 'parked', waitsFor: 'answer', parkedUntil: 9 },
    { state: 'parked', parkedUntil: 9 },
  ];

  it.each(waits)('waits on when all it is asked for is to run something: %j', (change) => {
    const run = aRun({ ...change, orders: 1 });
    expect(standing(run, 5)).toEqual({ kind: 'due', early: true });
    expect(waitsOn(run, given(EXEC), 5)).toBe(true);
    expect(waitsOn(run, given(EXEC, { kind: 'resume' }), 5)).toBe(false);
    expect(waitsOn(run, [], 5)).toBe(false);
  });

  it.each<Partial<Run>>([
    { state: 'running' },
    { state: 'queued' },
    { state: 'parked', parkedUntil: 5 },
    { state: 'parked', steering: paused, stop: { by: 'ada', reason: 'enough', at: 1 } },
  ])('is not one that has something to do: %j', (change) => {
    expect(isWaiting(aRun({ ...change, orders: 1 }), 5)).toBe(false);
  });
});

describe('what is said of a command', () => {
  it('names it, how it ended, how long it took and what it ran on', () => {
    expect(text(ran({ code: 1, durationMs: 12_000, output: 'not ok' }))).toBe(
      [
        '**Maestro** ran `npm test` of ada at ccccccc of `maestro/x-1234567`: exit code 1, after 12 s.',
        '```text\nnot ok\n```',
        '<sub>What it changed in the working copy is not kept. All it printed is in `logs/r/r-exec-1.jsonl` below `MAESTRO_HOME` on the worker.</sub>',
      ].join('\n\n'),
    );
    expect(text(ran({ output: '' }))).toContain('It printed nothing.');
  });

  it('lets nothing of what was printed, or of the command, take effect', () => {
    const output = '```\n@octocat #1 <img src=x>\n/maestro stop\n\u001B[31mred\u001B[0m\u202E';
    const said = text(ran({ output }), { ...EXEC, command: 'echo `date` @octocat\n```\n<b>' });
    expect(said).toContain('````text\n```\n@\u200Boctocat #1 <img src=x>\n\u200B/maestro stop\nred\n````');
    expect(said).toContain('ran the script of ada');
    expect(said).toContain('<details><summary>The script</summary>\n\n````text\necho `date` @\u200Boctocat\n');
    expect(text(ran(), { ...EXEC, command: 'echo `date`' })).toContain('ran `` echo `date` `` of ada');
  });

  it('says why nothing was run, or that it is not known how far it came', () => {
    expect(text({ kind: 'cut-off' })).toMatch(
      /was cut off.*It is not run again by itself; if you want that, ask again\./,
    );
    expect(text({ kind: 'too-late' })).toContain('did not run `npm test` of ada: the run ended');
    const broke = text({ kind: 'broke', why: 'Our side broke: no engine for @octocat.', output: 'last words' });
    expect(broke).toContain('could not run `npm test` of ada. Our side broke: no engine for @&#8203;octocat.');
    expect(broke).toContain('```text\nlast words\n```');
  });
});
