import { describe, expect, it } from 'vitest';
import { renderCheck } from '../../../src/domain/report/check.ts';
import { renderProblems, renderProblemsCheck } from '../../../src/domain/report/problems.ts';
import { renderPullRequest } from '../../../src/domain/report/pull-request.ts';
import { renderStatusComment } from '../../../src/domain/report/status-comment.ts';
import { duration, money, tokens } from '../../../src/domain/report/quantities.ts';
import { renderRefusal } from '../../../src/domain/report/refusal-comment.ts';
import type { RunState } from '../../../src/domain/run.ts';
import { aDoneTask, aReport, aRun } from './a-run.ts';

function titleOf(tasks: number): string {
  return renderCheck(
    aReport({
      run: aRun({ state: 'succeeded' }),
      tasks: Array.from({ length: tasks }, (_, index) => aDoneTask(index + 1, { kind: 'no-change' })),
    }),
  ).title;
}

describe('the check run', () => {
  it.each<[RunState, string, string | undefined]>([
    ['queued', 'queued', undefined],
    ['running', 'in_progress', undefined],
    ['parked', 'in_progress', undefined],
    ['succeeded', 'completed', 'success'],
    ['failed', 'completed', 'failure'],
    ['stopped', 'completed', 'cancelled'],
  ])('of a run that is %s is %s', (state, status, conclusion) => {
    const check = renderCheck(aReport({ run: aRun({ state }) }));

    expect([check.status, check.conclusion]).toEqual([status, conclusion]);
    expect(check.summary).toContain('**Maestro**');
  });
});

describe('an agent whose output was not understood in part', () => {
  const notUnderstood = [{ agent: 'Codex', madeFor: '@openai/codex@0.169.0', unknown: 3, events: 40 }];

  it('is warned of where people look, once', () => {
    for (const text of [
      renderStatusComment(aReport({ notUnderstood })),
      renderPullRequest(aReport({ notUnderstood })).body,
    ]) {
      expect(
        text.match(/> \[!WARNING\]\n> Maestro \(made for `@openai\/codex@0\.169\.0`\) does not know 3 events of 40/g),
      ).toHaveLength(1);
    }
  });

  it('is not spoken of when all was understood', () => {
    expect(renderStatusComment(aReport({}))).not.toContain('does not know');
  });
});

it('says that all is done', () => {
  expect([titleOf(5), titleOf(1)]).toEqual(['All 5 tasks done', 'The task is done']);
});

describe('problems of a playbook', () => {
  const problem = { line: 4, column: 3, message: 'Unknown key `@bob`.', fix: 'Write `provider`.' };

  it('are told with place and remedy', () => {
    expect(renderProblems('.maestro/playbooks/a.md', [problem])).toBe(
      '**Maestro** did not start: `.maestro/playbooks/a.md` has 1 problem.\n\n' +
        '- line 4, column 3: Unknown key `@bob`. **Instead:** Write `provider`.',
    );
  });

  it('of an issue are told with a link to it', () => {
    expect(renderProblems('issue #12', [problem])).toContain('did not start: issue #12 has 1 problem.');
  });

  it('become annotations of a check that asks for action', () => {
    const check = renderProblemsCheck('a.md', [problem]);

    expect(check).toMatchObject({ status: 'completed', conclusion: 'action_required', title: '1 problem to mend' });
    expect(check.annotations).toEqual([
      { path: 'a.md', line: 4, column: 3, message: 'Unknown key `@bob`. Write `provider`.' },
    ]);
  });
});

it('refuses in one sentence, without acting on what it quotes', () => {
  const text = renderRefusal({ reason: 'bad-command', message: 'I do not know "@bob <b>".' }, { requester: 'mona' });

  expect(text).toContain('did not start anything. I do not know "@&#8203;bob &#60;b&#62;".');
  expect(text).toContain('`/maestro help`');
});

it('links to our own pull request in a refusal, and to nothing else', () => {
  const refusal = { reason: 'already-running', message: 'It is in #3, not #4.', refersTo: [3] } as const;

  expect(renderRefusal(refusal, { requester: 'mona' })).toContain('It is in #3, not #&#8203;4.');
});

it('says quantities as people do', () => {
  expect([0, 59_400, 60_000, 3_599_000, 3_600_000, 11_100_000, 100_800_000].map((ms) => duration(ms))).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '1 h',
    '1 h',
    '3 h 5 min',
    '1 d 4 h',
  ]);
  expect([0, 0.004, 1.5].map((usd) => money(usd))).toEqual(['$0.00', '$0.0040', '$1.50']);
  expect([950, 12_340, 4_600_000].map((count) => tokens(count))).toEqual(['950', '12.3k', '4.6M']);
});
