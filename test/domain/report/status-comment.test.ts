import { describe, expect, it } from 'vitest';
import type { Budget } from '../../../src/domain/budget.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { renderStatusComment, STATUS_COMMENT_LENGTH } from '../../../src/domain/report/status-comment.ts';
import type { Run } from '../../../src/domain/run.ts';
import { NO_USAGE } from '../../../src/domain/usage.ts';
import { aDoneTask, aReport, aRun, aTask, MINUTE, sha, START } from './a-run.ts';

const crash = (detail?: string): Outcome => ({
  kind: 'failed',
  failure: { kind: 'crash', message: 'The agent ended with `exit 1`.', ...(detail === undefined ? {} : { detail }) },
});

function said(change: Partial<Run>): string {
  return renderStatusComment(aReport({ run: aRun({ state: 'failed', ...change }) }));
}

describe('the status comment', () => {
  it('says which provider took a task over, and why', () => {
    const handover = { provider: 'codex', reason: 'claude-code is out of quota until 2026-11-22 14:00 UTC' };
    const tasks = [aDoneTask(1, { kind: 'committed', commit: sha('b') }), aTask(2, { attempts: 2, handover })];
    expect(renderStatusComment(aReport({ tasks }))).toContain(
      '- ⬜ 2. Task number 2 · attempt 2 · by codex: claude-code is out of quota until 2026-11-22 14:00 UTC',
    );
  });

  it('says in its first line how far the run is, for how long, for how much, and where', () => {
    const run = aRun({
      pullRequest: { number: 13, url: 'https://github.com/octo/demo/pull/13', draft: true },
      settings: { budget: { run: { usd: 5 } } },
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
    expect(renderStatusComment(aReport())).toContain(
      'commands now: `/maestro pause` `/maestro steer …` `/maestro add …` `/maestro skip 1` `/maestro exec …` `/maestro stop` `/maestro explain` `/maestro status` `/maestro help`</sub>',
    );
    expect(said({})).toContain('commands now: `/maestro resume` `/maestro skip 1` `/maestro explain`');
    expect(said({})).not.toContain('`/maestro stop`');
    const done = renderStatusComment(aReport({ run: aRun({ state: 'succeeded' }) }));
    expect(done).toContain('new run: comment `/maestro run` in #12</sub>');
    expect(done).not.toContain('/maestro pause');
  });

  const pullRequest = { number: 13, url: 'https://github.com/octo/demo/pull/13', draft: false };
  const trigger = {
    kind: 'push',
    path: 'a b.md',
    blob: sha('d'),
    after: sha('e'),
    at: START,
    sender: { id: 7, login: 'mona' },
  } as const;
  const fromPush = { trigger, playbook: { kind: 'file', path: 'a b.md', text: '' } } as const;
  const allDone = [1, 2].map((position) => aDoneTask(position, { kind: 'committed', commit: sha('b') }));

  it('of a run that is done leads to the pull request, except in the pull request itself', () => {
    const ended = { state: 'succeeded', endedAt: START + MINUTE, pullRequest } as const;
    const inIssue = renderStatusComment(aReport({ run: aRun(ended), tasks: allDone }));
    const inPullRequest = renderStatusComment(aReport({ run: aRun({ ...ended, ...fromPush }), tasks: allDone }));

    expect(inIssue).toContain('**Maestro** is done: all 2 tasks, ready for review in #13 · 1 min · ');
    expect(inPullRequest).toContain('**Maestro** is done: all 2 tasks, ready for review · 1 min · ');
    expect(inPullRequest).not.toContain('#13');
    // All that is left to ask of it is to take something back, or more.
    expect(inPullRequest).toContain('commands now: `/maestro redo N` `/maestro add …` `/maestro explain`');
  });

  it('of one task says its number and time once', () => {
    const run = aRun({ state: 'succeeded', endedAt: START + 3 * MINUTE, pullRequest });
    const text = renderStatusComment(aReport({ run, tasks: allDone.slice(0, 1) }));

    expect(text).toContain('**Maestro** is done: ready for review in #13 · 3 min · $0.12 · ');
    expect(text).toContain('- ✅ Task number 1 · bbbbbbb\n');
    expect(renderStatusComment(aReport({ run: aRun({ state: 'failed' }) }))).toMatch(
      /^\*\*Maestro\*\* could not finish ·/u,
    );
  });

  it('tells no cost of nothing, unless it has a limit', () => {
    const free = { ...NO_USAGE, costUsd: 0 };
    const tasks = [1, 2].map((position) => aDoneTask(position, { kind: 'no-change' }, { usage: free }));

    expect(renderStatusComment(aReport({ tasks }))).not.toContain('$');
    expect(renderStatusComment(aReport({ tasks, run: aRun({ settings: { budget: { run: { usd: 5 } } } }) }))).toContain(
      '$0.00 of $5.00',
    );
  });

  it('says what of a budget is spent, by what is on record and with the limits that hold', () => {
    const spending = { spent: { usd: 1.2, tokens: 50_000, ms: 60_000 }, operator: { run: { usd: 3 } } };
    const told = (budget: Budget): string =>
      renderStatusComment(aReport({ spending, run: aRun({ settings: { budget } }) }));
    expect(told({ run: { usd: 5 } })).toContain('$1.20 of $3.00');
    expect(told({ run: { usd: 2, tokens: 100_000, ms: 120_000 } })).toContain(
      '$1.20 of $2.00, 50.0k tokens of 100.0k tokens, 1 min of 2 min',
    );
    expect(told({ task: { usd: 1 } })).not.toContain('does not act on');
  });

  it('of a run that is not done says how to try again, and what becomes of what there is', () => {
    expect(said({ pullRequest })).toContain(
      'To begin anew, comment `/maestro run` in #12: a new run starts from main; what is committed in #13 stays there.',
    );
    expect(said({})).toContain('in #12: a new run starts from main.');
    expect(said({ pullRequest, ...fromPush })).toContain(
      'To begin anew, comment `/maestro run playbook="a b.md"` in an issue, or push the playbook again: a new run starts from main; what is committed here stays.',
    );
    expect(said({ state: 'succeeded' })).not.toContain('try again');
  });

  it('says what it waits for', () => {
    const run = aRun({ state: 'parked', parkedUntil: Date.UTC(2026, 10, 22, 14, 5), reason: 'the quota is used up' });

    expect(renderStatusComment(aReport({ run }))).toContain('is waiting until 2026-11-22 14:05 UTC');
    expect(renderStatusComment(aReport({ run }))).toContain('**Waiting:** the quota is used up');
    expect(renderStatusComment(aReport({ waiting: 'a free place' }))).toContain('**Waiting:** a free place');
  });

  it('folds the last output of a failed task, with what to do', () => {
    const text = renderStatusComment(aReport({ tasks: [aDoneTask(1, crash('one\n```\n@bob')), aTask(2)] }));

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
