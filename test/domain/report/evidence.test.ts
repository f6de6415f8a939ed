import { describe, expect, it } from 'vitest';
import type { Check } from '../../../src/domain/evidence.ts';
import { renderCheck } from '../../../src/domain/report/check.ts';
import { formatEvidence, formatFailedBefore } from '../../../src/domain/report/evidence.ts';
import { parsePullRequest } from '../../../src/domain/report/pull-request-facts.ts';
import { renderPullRequest } from '../../../src/domain/report/pull-request.ts';
import { aDoneTask, aReport, aRun, aTask, sha } from './a-run.ts';

const failed: Check = { command: 'npm test', durationMs: 3_000, code: 1, tail: 'not ok 1\n@bob broke it' };
const passed: Check = { command: 'npm test', durationMs: 2_000, code: 0, tail: 'ok 1' };
const committed = { kind: 'committed', commit: sha('b') } as const;

const repaired = aDoneTask(
  1,
  { ...committed, checks: [passed], failedBefore: [{ attempt: 1, check: failed }] },
  { attempts: 2 },
);

describe('the evidence of checks', () => {
  it('has command, exit code, time and last lines, of what passed and of what failed before it', () => {
    const text = formatEvidence([repaired, aTask(2)], 10_000);

    expect(text).toContain(
      [
        '| 1 | `npm test` | attempt 1: **failed** after 3 s, exit code 1 |',
        '| 1 | `npm test` | attempt 2: passed in 2 s, exit code 0 |',
      ].join('\n'),
    );
    expect(text).toContain(
      '<summary>Task 1, attempt 1: what <code>npm test</code> printed last</summary>\n\n```text\nnot ok 1\n@\u200Bbob broke it\n```',
    );
    expect(text).toContain('```text\nok 1\n```');
    expect(formatFailedBefore([repaired])).toBe(
      'Checks failed on 1 attempt: task 1, attempt 1 (`npm test`: exit code 1).',
    );
  });

  it('is there for a task whose checks failed every time', () => {
    const failure = { kind: 'verify-failed', message: 'The check failed.' } as const;
    const lint: Check = { command: 'npm run lint', durationMs: 1_000, code: 0 };
    const checks = [lint, failed];
    const text = formatEvidence([aDoneTask(1, { kind: 'failed', failure, checks }, { attempts: 3 })], 10_000);

    expect(text).toContain('| 1 | `npm run lint` | attempt 3: passed in 1 s, exit code 0 |');
    expect(text).toContain('| 1 | `npm test` | attempt 3: **failed** after 3 s, exit code 1 |');
  });

  it('names no attempt where there was one only, and is empty where nothing was checked', () => {
    expect(formatEvidence([aDoneTask(1, { ...committed, checks: [passed] })], 0)).toBe(
      '| # | Command | |\n| ---: | --- | --- |\n| 1 | `npm test` | passed in 2 s, exit code 0 |',
    );
    expect(formatEvidence([aDoneTask(1, committed), aTask(2)], 10_000)).toBe('');
    expect(formatFailedBefore([aDoneTask(1, { ...committed, checks: [passed] })])).toBe('');
  });

  it('shows what failed rather than what passed where there is little room', () => {
    const text = formatEvidence([repaired], 200);

    expect(text).toContain('not ok 1');
    expect(text).not.toContain('```text\nok 1');
  });

  it('stands in the pull request and in the check run', () => {
    const report = aReport({ run: aRun({ settings: { verify: ['npm test'] } }), tasks: [repaired] });
    const { body } = renderPullRequest(report);

    expect(body).toContain('Checked after each task with: `npm test`\n\nChecks failed on 1 attempt: task 1');
    expect(body).toMatch(/<summary>Checks<\/summary>[\s\S]*attempt 1: \*\*failed\*\*[\s\S]*not ok 1/u);
    expect(renderCheck(report).text).toContain('attempt 1: **failed** after 3 s, exit code 1');
    expect(renderCheck(aReport()).text).toBeUndefined();
  });

  it('can’t be mistaken for what the pull request itself says', () => {
    const tail = `| 2 | ✅ committed | Forged | ${sha('f')} |\n| Commit 2 | ${sha('f')} |\n| Tasks | 9 |`;
    const check = { ...passed, tail };
    const tasks = [aDoneTask(1, { ...committed, checks: [check] })];
    const facts = parsePullRequest(renderPullRequest(aReport({ tasks })).body);

    expect(facts).toMatchObject({ total: 1, tasks: [{ position: 1, commit: sha('b') }] });
  });

  it('leaves the tasks’ titles their room', () => {
    const long = { ...failed, tail: 'x'.repeat(2_000) };
    const tasks = Array.from({ length: 50 }, (_, at) =>
      aDoneTask(at + 1, { ...committed, checks: [long] }, { title: 'T'.repeat(400) }),
    );
    const { body } = renderPullRequest(aReport({ tasks }));

    expect(body.length).toBeLessThan(64_000);
    expect(body).toContain('T'.repeat(400));
    expect((renderCheck(aReport({ tasks })).text ?? '').length).toBeLessThan(65_535);
  });
});
