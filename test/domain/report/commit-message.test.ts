import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTrailers, renderCommitMessage, type CommitFacts } from '../../../src/domain/report/commit-message.ts';
import { aRun, aSession, aTask } from './a-run.ts';

function facts(title: string, text = title): CommitFacts {
  return { run: aRun(), task: aTask(3, { title, text }), session: aSession('codex'), total: 7 };
}

/** What git itself takes for trailers. */
function gitTrailers(message: string): string[] {
  const out = execFileSync('git', ['interpret-trailers', '--parse', '--no-divider'], {
    input: message,
    encoding: 'utf8',
  });
  return out.split('\n').filter((line) => line !== '');
}

const OURS = ['Maestro-Run', 'Maestro-Task', 'Maestro-Session', 'Maestro-Agent', 'Co-authored-by'];

describe('a commit message', () => {
  it('reads well', () => {
    expect(renderCommitMessage(facts('Add a cache', 'Add a cache\n\nfor #12 and @bob'))).toBe(
      [
        'Add a cache',
        '',
        'Task 3 of 7 of issue 12:',
        '',
        '> Add a cache',
        '>',
        '> for no. 12 and @ bob',
        '',
        `Maestro-Run: ${aRun().id}`,
        'Maestro-Task: 3/7 k3-1',
        `Maestro-Session: ${aRun().id}-1-1`,
        'Maestro-Agent: codex',
        'Co-authored-by: mona <7+mona@users.noreply.github.com>',
        '',
      ].join('\n'),
    );
  });

  it('leaves out the quote of a task that says no more than the subject, and ends with what the agent said', () => {
    const summary = 'Added it.\r\n\r\nFixes #3, cc @bob. ' + 'word '.repeat(30);
    const [subject, , place, , said, , ...rest] = renderCommitMessage({ ...facts('Add a cache'), summary }).split('\n');

    expect([subject, place, said]).toEqual(['Add a cache', 'Task 3 of 7 of issue 12.', 'What the agent said:']);
    expect(rest.slice(0, 6)).toEqual([
      '> Added it.',
      '>',
      `> Fixes no. 3, cc @ bob. ${'word '.repeat(15)}`.trimEnd(),
      `> ${'word '.repeat(15)}`.trimEnd(),
      '',
      `Maestro-Run: ${aRun().id}`,
    ]);
    expect(renderCommitMessage({ ...facts('Add a cache'), summary: ' \n ' })).not.toContain('What the agent said');
    expect(renderCommitMessage({ ...facts('Add a cache'), summary: 'x '.repeat(9_000) }).length).toBeLessThan(2_500);
  });

  it('says what was checked, with exit code and time, and what failed before', () => {
    const check = { command: 'npm test\nnpm run lint', durationMs: 2_000, code: 0, tail: 'ok' };
    const before = { ...check, command: 'npm test', code: 1, tail: 'not ok' };
    const evidence = { checks: [check], failedBefore: [{ attempt: 1, check: before }] };
    const message = renderCommitMessage({ ...facts('Add a cache'), evidence });

    expect(message).toContain(
      [
        '',
        'Checked by Maestro with:',
        '',
        '> npm test (exit code 0, 2 s)',
        '',
        'What failed before, and was done again:',
        '',
        '> attempt 1: npm test (exit code 1, 2 s)',
        '',
        'Maestro-Run:',
      ].join('\n'),
    );
    expect(message).not.toContain('not ok');
  });

  it('parses back', () => {
    expect(parseTrailers(renderCommitMessage(facts('Add a cache')))).toEqual({
      run: aRun().id,
      position: 3,
      total: 7,
      task: 'k3-1',
      session: `${aRun().id}-1-1`,
      agent: 'codex',
    });
  });

  it('holds no trailer but ours, whatever the task says, as git reads it', () => {
    const forged = 'Maestro-Run: rforged\n\nMaestro-Task: 1/1 x\nSigned-off-by: Eve <e@e.io>\n---\ndiff --git a/x b/x';
    for (const text of [forged, `${forged}\r\n\r\nMaestro-Run: y`, '\n\n\n', 'x\u2028Maestro-Run: z']) {
      for (const message of [facts(text), { ...facts('x'), summary: text }].map(renderCommitMessage)) {
        expect(gitTrailers(message).map((line) => line.split(':')[0])).toEqual(OURS);
      }
    }
    // The control: the same lines at the end of a message are trailers to git.
    expect(gitTrailers('Subject\n\nMaestro-Run: rforged\nSigned-off-by: Eve <e@e.io>\n')).toHaveLength(2);
  });

  it('has a subject of at most 72 characters and parses back, for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (title, text) => {
        const message = renderCommitMessage({ ...facts(title, text), summary: text });

        expect(message.split('\n')[0]?.length).toBeGreaterThan(0);
        expect(message.split('\n')[0]?.length).toBeLessThanOrEqual(72);
        expect(message.split('\n')[1]).toBe('');
        expect(parseTrailers(message)?.task).toBe('k3-1');
      }),
    );
  });

  it('is not taken for ours when a trailer is missing, doubled or malformed', () => {
    const message = renderCommitMessage(facts('Add a cache'));

    expect(parseTrailers(message.replace('Maestro-Run:', 'Maestro-Ran:'))).toBeUndefined();
    expect(parseTrailers(message.replace('Maestro-Agent:', 'Maestro-Run: x\nMaestro-Agent:'))).toBeUndefined();
    expect(parseTrailers(message.replace('3/7', '3 of 7'))).toBeUndefined();
    expect(parseTrailers(`${message}\nand then some words\n`)).toBeUndefined();
    expect(parseTrailers('')).toBeUndefined();
  });
});
