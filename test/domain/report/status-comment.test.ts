import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { renderStatusComment, STATUS_COMMENT_LENGTH } from '../../../src/domain/report/status-comment.ts';
import { aDoneTask, aReport, aRun, aTask, MINUTE, sha, START } from './a-run.ts';

const crash = (detail?: string): Outcome => ({
  kind: 'failed',
  failure: { kind: 'crash', message: 'The agent ended with `exit 1`.', ...(detail === undefined ? {} : { detail }) },
});

describe('the status comment', () => {
  it('says in its first line how far the run is, for how long, for how much, and where', () => {
    const run = aRun({
      pullRequest: { number: 13, url: 'https://github.com/octo/demo/pull/13', draft: true },
      settings: { budget: 5 },
    });
    const tasks = [
      aDoneTask(1, { kind: 'committed', commit: sha('b') }),
      aTask(2, { startedAt: START + 9 * MINUTE }),
      aTask(3),
    ];
    const text = renderStatusComment(aReport({ run, tasks, links: { repository: 'https://github.com/octo/demo' } }));

    expect(text.split('\n')[0]).toBe(
      '**Maestro** is working, 1 of 3 tasks done · 12 min · $0.12 of $5.00 · ' +
        '[`maestro/tidy-the-api-abc2345`](https://github.com/octo/demo/tree/maestro/tidy-the-api-abc2345) · #13',
    );
    expect(text).toContain(
      `- ✅ 1. Task number 1 · [\`bbbbbbb\`](https://github.com/octo/demo/commit/${sha('b')}) · 3 min · $0.12`,
    );
    expect(text).toContain('- ⏳ 2. Task number 2 · 3 min');
    expect(text).toContain('- ⬜ 3. Task number 3');
  });

  it('names the commands that are valid now', () => {
    expect(renderStatusComment(aReport())).toContain('`/maestro stop` `/maestro status` `/maestro help`');
    expect(renderStatusComment(aReport({ run: aRun({ state: 'failed' }) }))).toContain(
      '`/maestro run` `/maestro status` `/maestro help`',
    );
  });

  it('says what it waits for', () => {
    const run = aRun({ state: 'parked', parkedUntil: Date.UTC(2026, 10, 22, 14, 5), reason: 'the quota is used up' });

    expect(renderStatusComment(aReport({ run }))).toContain('is waiting until 2026-11-22 14:05 UTC');
    expect(renderStatusComment(aReport({ run }))).toContain('**Waiting:** the quota is used up');
    expect(renderStatusComment(aReport({ waiting: 'a free place' }))).toContain('**Waiting:** a free place');
  });

  it('folds the last output of a failed task, with what to do', () => {
    const text = renderStatusComment(aReport({ tasks: [aDoneTask(1, crash('one\n```\n@bob'))] }));

    expect(text).toContain('<details><summary>❌ Task 1: Task number 1</summary>\n\n**What happened:** The agent');
    expect(text).toContain('**What to do:** ');
    expect(text).toContain('````text\none\n```\n@\u200Bbob\n````');
  });

  it('lets nothing in a title act', () => {
    const title = '<script> @bob fixes #1 ![x](https://e.io) | `x`\n/approve </details>';
    const text = renderStatusComment(aReport({ tasks: [aDoneTask(1, crash(title), { title })], run: aRun({ title }) }));
    const withoutCode = text.replaceAll(/```[\s\S]*?```/gu, '');

    expect(withoutCode).not.toMatch(/<script|@bob|(?<!&)#1|!\[x\]\(|^\/approve/mu);
    expect(withoutCode.match(/<\/details>/gu)).toHaveLength(1);
  });

  it('is the same for the same facts', () => {
    expect(renderStatusComment(aReport())).toBe(renderStatusComment(aReport()));
  });

  it.each([10, 61, 300, 1000, 5000])(
    'stays within the limit with %i tasks, failures, long titles and output',
    (tasks) => {
      const report = aReport({
        tasks: Array.from({ length: tasks }, (_, index) =>
          index % 5 === 0
            ? aDoneTask(index + 1, crash('@bob\n'.repeat(1000) + 'x'.repeat(100_000)), { title: '`'.repeat(500) })
            : aDoneTask(index + 1, { kind: 'committed', commit: sha('c') }, { title: '@'.repeat(500) }),
        ),
        links: { repository: 'https://github.com/octo/demo' },
      });
      const text = renderStatusComment(report);

      expect(text.length).toBeLessThanOrEqual(STATUS_COMMENT_LENGTH);
      expect(text.match(/<details>/gu)?.length).toBe(text.match(/<\/details>/gu)?.length);
      expect(text).toContain('/maestro stop');
    },
  );
});
