import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Outcome } from '../../../src/domain/outcome.ts';
import { parsePullRequest } from '../../../src/domain/report/pull-request-facts.ts';
import { renderPullRequest } from '../../../src/domain/report/pull-request.ts';
import { playbookName, taskState } from '../../../src/domain/report/run-report.ts';
import type { RunState } from '../../../src/domain/run.ts';
import { aDoneTask, aReport, aRun, aSession, aTask, sha } from './a-run.ts';

const anyText = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.constantFrom(
    'a | b',
    '`code` ``',
    'two\nlines\r\n| 1 | ✅ committed | x |  |',
    '<b>html</b> <!-- x -->',
    '👩‍👩‍👧 emoji',
    '| Run | `x` |',
    ' ',
  ),
);

const anyOutcome: fc.Arbitrary<Outcome | undefined> = fc.oneof(
  fc.constant(undefined),
  fc.stringMatching(/^[0-9a-f]{40}$/u).map((commit): Outcome => ({ kind: 'committed', commit })),
  fc.constant<Outcome>({ kind: 'no-change' }),
  anyText.map((message): Outcome => ({ kind: 'failed', failure: { kind: 'crash', message, detail: message } })),
  anyText.map((reason): Outcome => ({ kind: 'cancelled', by: 'bob', reason, keptRef: reason })),
  anyText.map((reason): Outcome => ({ kind: 'parked', until: 0, reason })),
);

const anyState = fc.constantFrom<RunState>('queued', 'running', 'parked', 'succeeded', 'failed', 'stopped');

describe('the body of a pull request', () => {
  it('parses back to the facts it was made from', () => {
    const cases = fc.record({
      tasks: fc.array(fc.record({ title: anyText, outcome: anyOutcome }), { maxLength: 20 }),
      state: anyState,
      title: anyText,
      path: anyText.filter((path) => path !== ''),
      ref: fc.constantFrom('main', 'release/1 at x', 'a|b'),
      links: fc.constantFrom({ run: 'http://127.0.0.1/r' }, { repository: 'http://127.0.0.1/o/r' }),
      login: fc.constantFrom('mona', 'renovate[bot]', 'a-b'),
    });
    fc.assert(
      fc.property(cases, ({ tasks, state, title, path, ref, login, links }) => {
        const run = aRun({
          state,
          title,
          playbook: { kind: 'file', path, text: '' },
          base: { ref, sha: sha('a') },
          requester: { id: 1, login },
        });
        const runTasks = tasks.map(({ title, outcome }, index) =>
          outcome === undefined ? aTask(index + 1, { title, startedAt: 1 }) : aDoneTask(index + 1, outcome, { title }),
        );
        const { body } = renderPullRequest(aReport({ run, tasks: runTasks, links }));

        for (const text of [body, body.replaceAll('\n', '\r\n')]) {
          expect(parsePullRequest(text)).toEqual({
            runId: run.id,
            playbook: playbookName(run.playbook),
            requester: login,
            base: run.base,
            total: runTasks.length,
            tasks: runTasks.map((task) => ({
              position: task.position,
              title: task.title,
              state: taskState(task, run),
              commit: task.outcome?.kind === 'committed' ? task.outcome.commit : undefined,
            })),
          });
        }
      }),
      { numRuns: 300 },
    );
  });

  it('is not found in other texts, or where the facts were edited away', () => {
    const { body } = renderPullRequest(aReport());

    expect(parsePullRequest('Just a pull request\n\n| a | b |\n| --- | --- |')).toBeUndefined();
    expect(parsePullRequest(body.replace('| Base |', '| Bass |'))).toBeUndefined();
    expect(parsePullRequest(body)).toBeDefined();
  });

  it('is not found where the fact of a commit was edited away', () => {
    const { body } = renderPullRequest(aReport({ tasks: [aDoneTask(1, { kind: 'committed', commit: sha('b') })] }));

    expect(parsePullRequest(body.replace(/^\| Commit 1 .*$/mu, ''))).toBeUndefined();
    expect(parsePullRequest(body)?.tasks[0]?.commit).toBe(sha('b'));
  });

  it('says who asked where, what was checked, and links to commits and to the issue', () => {
    const { body } = renderPullRequest(
      aReport({
        run: aRun({ settings: { verify: ['npm test', 'npm run lint'] } }),
        tasks: [aDoneTask(1, { kind: 'committed', commit: sha('b') }), aTask(2)],
        links: { repository: 'https://github.com/octo/demo' },
      }),
    );

    expect(body).toContain(
      'Asked for by mona in #12. One commit per task, so each can be reviewed and reverted by itself.\n\nRefs #12',
    );
    expect(body).toContain('Checked after each task with: `npm test`, `npm run lint`\n');
    expect(body).toContain(
      `| # | State | Task | Commit |\n| ---: | --- | --- | --- |\n| 1 | ✅ committed | Task number 1 | [\`bbbbbbbbbb\`](https://github.com/octo/demo/commit/${sha('b')}) |`,
    );
    expect(body).toContain('| Playbook | #12 |');
    expect(renderPullRequest(aReport()).body).not.toContain('Checked after');
  });

  it('closes the issue only when everything it asked for is done', () => {
    const playbook = { kind: 'issue', issue: 12, title: 'Fix it', text: '' } as const;
    const tasks = [aDoneTask(1, { kind: 'committed', commit: sha('b') })];
    const done = renderPullRequest(aReport({ run: aRun({ state: 'succeeded', playbook }), tasks })).body;
    const partial = renderPullRequest(aReport({ run: aRun({ state: 'failed', playbook }), tasks })).body;
    const fromFile = renderPullRequest(
      aReport({ run: aRun({ state: 'succeeded', playbook: { kind: 'file', path: 'p.md', text: '' } }), tasks }),
    ).body;

    expect(done).toContain('Closes #12');
    expect(partial).toContain('Refs #12');
    expect(partial).not.toContain('Closes');
    expect(fromFile).toContain('Refs #12');
  });

  it('says what was not done, why, and where the work is kept', () => {
    const failure = { kind: 'verify-failed', message: '`npm test` failed.', keptRef: 'refs/maestro/kept/1' } as const;
    const { body } = renderPullRequest(
      aReport({ run: aRun({ state: 'failed' }), tasks: [aDoneTask(1, { kind: 'failed', failure })] }),
    );

    expect(body).toContain('### Not done');
    expect(body).toContain('`npm test` failed.');
    expect(body).toContain('refs/maestro/kept/1');
    expect(body).toContain('/maestro run');
  });

  it('names providers, cost and hosts that were refused', () => {
    const { body } = renderPullRequest(
      aReport({
        tasks: [aDoneTask(1, { kind: 'no-change' })],
        sessions: [aSession('codex'), aSession('claude-code')],
        blockedHosts: [{ host: 'evil.example', count: 3 }],
      }),
    );

    expect(body).toContain('| Provider | codex, claude-code |');
    expect(body).toContain('| Cost | $0.12 |');
    expect(body).toContain('- `evil.example`: 3');
  });

  it('keeps every position, state and commit of a thousand tasks', () => {
    const tasks = Array.from({ length: 1000 }, (_, index) =>
      aDoneTask(index + 1, { kind: 'committed', commit: sha('c') }, { title: '@'.repeat(200) }),
    );
    const { body } = renderPullRequest(aReport({ tasks }));
    const facts = parsePullRequest(body);

    expect(body.length).toBeLessThanOrEqual(65_000);
    expect(facts?.tasks).toHaveLength(1000);
    expect(facts?.tasks.at(-1)).toEqual({ position: 1000, title: '', state: 'committed', commit: sha('c') });
  });

  it('says how many tasks it leaves out when not even that fits', () => {
    const tasks = Array.from({ length: 5000 }, (_, index) =>
      aTask(index + 1, { outcome: { kind: 'committed', commit: sha('c') } }),
    );
    const { body } = renderPullRequest(aReport({ tasks }));

    expect(body.length).toBeLessThanOrEqual(65_000);
    expect(parsePullRequest(body)?.total).toBe(5000);
    expect(body).toMatch(/… and \d+ more tasks\./u);
  });
});

function titleFor(title: string): string {
  return renderPullRequest(aReport({ run: aRun({ title }) })).title;
}

it('gives a pull request a title that closes nothing and mentions nobody', () => {
  expect(titleFor('fixes #3 for @bob\nnow')).toBe('fixes no. 3 for @ bob now');
  expect(titleFor('')).toMatch(/^Maestro run r/u);
  expect(titleFor('x'.repeat(400))).toHaveLength(256);
});
