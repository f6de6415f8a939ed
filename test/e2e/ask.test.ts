import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import { describeWith } from '../setup/require.ts';
import { keptBranch } from './audit.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';

describe('an agent on this machine that asks', () => {
  asks('local');
});

describeWith('agentImage', 'an agent in a container that asks', () => {
  asks('docker');
});

/** The run here once it waits for an answer, and what it asks in the thread. */
async function waiting(place: Place, issue: number, id = 'q1'): Promise<{ readonly run: Run; readonly asked: string }> {
  return await place.until('a question', async () => {
    const [run] = await place.runs();
    const asked = (await place.answers(issue)).findLast((answer) => answer.includes(`(${id})`));
    return run?.state === 'parked' && run.waitsFor === 'answer' && asked !== undefined && { run, asked };
  });
}

function asks(runner: 'local' | 'docker'): void {
  const suite = useHarness({ runner, database: 'embedded', env: { MAESTRO_PARTING_SECONDS: '1' } });

  it('goes on from what it did once somebody replies, in one commit, and holds nothing meanwhile', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two things',
      [
        '- [ ] One `scripted: write first.txt 1` `scripted: ask Which database? | Postgres | SQLite` `scripted: append first.txt 2`',
        '- [ ] Two `scripted: write second.txt 2`',
      ].join('\n'),
    );
    await place.label(issue);
    const { run, asked } = await waiting(place, issue);
    expect(asked).toContain('@will the agent has a question (q1) about task 1');
    expect(asked).toContain('> Which database?\n\n1. Postgres\n2. SQLite');
    expect(asked).toContain('reply here');
    expect(run.parkedUntil).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect((await place.answers(issue))[0]).toContain('is waiting for an answer, 0 of 2 tasks done');
    const [task] = await suite.harness().store.tasksOf(run.id);
    expect(task).toMatchObject({ outcome: undefined, questions: [{ id: 'q1', work: { ref: keptBranch(run) } }] });
    await place.branches();
    expect(await place.git('show', `${keptBranch(run)}:first.txt`)).toBe('1\n');

    // What nobody here was asked, or what is said to somebody else, is no answer.
    const aside = await place.comment(issue, '@mira what do you think?');
    await place.as('rory', `POST /issues/${issue}/comments`, { body: 'Oracle!' });
    const reply = await place.comment(issue, '> Which database?\n\n2');
    const settled = await place.settledRun();
    expect(settled).toMatchObject({ state: 'succeeded' });
    expect(settled.tasks[0]?.questions).toMatchObject([{ answer: { by: 'will', text: 'SQLite' } }]);
    expect(settled.tasks.map(({ attempts }) => attempts)).toEqual([2, 1]);
    expect(await place.reactions(`issues/comments/${reply}`)).toEqual(['+1']);
    expect(await place.reactions(`issues/comments/${aside}`)).toEqual([]);

    await place.branches();
    const log = await place.git('log', '--reverse', '--format=%s', `${settled.base.sha}..${settled.branch}`);
    expect(log.trim().split('\n')).toHaveLength(2);
    expect(await place.git('show', `${settled.branch}:first.txt`)).toBe('1\n2\n');
    const [, second] = await suite.harness().store.sessionsOf(run.id);
    const told = await readFile(second?.log ?? '', 'utf8');
    expect(told).toContain('# What was asked and answered\\nYou asked:\\n\\n> Which database?');
    expect(told).toContain('> SQLite');
    expect(told).toContain('The working copy holds its work, as the last commit');
    expect((await place.answers(issue)).find((answer) => answer.includes('(q1)'))).toContain('**Answered by will:**');
  });

  it('does as its proposal says once that is approved', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Three things',
      [
        '- [ ] One `scripted: write first.txt 1`',
        '- [ ] Two `scripted: replan The API is gone | Write it anew with scripted: write anew.txt 1 | Then the rest`',
        '- [ ] Three `scripted: write third.txt 3`',
      ].join('\n'),
    );
    await place.label(issue);
    const { asked } = await waiting(place, issue);
    expect(asked).toContain('the agent proposes other tasks (q1)');
    expect(asked).toMatch(/^- Two/m);
    expect(asked).toMatch(/^\+ Then the rest/m);
    const [, hash = ''] = /\/maestro approve (\w+)/.exec(asked) ?? [];
    const wrong = await place.comment(issue, `/maestro approve ${hash.split('').toReversed().join('')}`);
    await place.until('a refusal', async () =>
      (await place.reactions(`issues/comments/${wrong}`)).includes('confused'),
    );
    await place.comment(issue, `/maestro approve ${hash}`);
    const run = await place.settledRun();
    expect(run.tasks.map(({ position, outcome, added }) => [position, outcome?.kind, added?.by])).toEqual([
      [1, 'committed', undefined],
      [2, 'skipped', undefined],
      [3, 'skipped', undefined],
      [4, 'committed', 'will'],
      [5, 'committed', 'will'],
    ]);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect((await place.pulls())[0]?.body).toContain('replaced by a new plan');
  });

  it('asks what is to become of a task that failed, and tries again with what is said', async () => {
    const place = await suite.place();
    const bad = '- [ ] Bad `scripted: repair write good.txt 1` `scripted: repair no-result` `scripted: exit 3`';
    const issue = await place.issue(
      'Two things',
      `---\non-failure: ask\n---\n\n${bad}\n- [ ] Good \`scripted: write other.txt 1\`\n`,
    );
    await place.label(issue);
    const { run, asked } = await waiting(place, issue);
    expect(asked).toContain('@will the task 1, ');
    expect(asked).toContain('failed (q1). What is to become of it?');
    expect(asked).toContain('`/maestro retry 1`');
    await place.comment(issue, 'Mind the step.');
    const again = await waiting(place, issue, 'q2');
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(await readFile(sessions.at(-1)?.log ?? '', 'utf8')).toContain('Mind the step.');
    expect(again.run.id).toBe(run.id);
    await place.comment(issue, '/maestro skip 1');
    const settled = await place.settledRun();
    expect(settled).toMatchObject({ state: 'succeeded' });
    expect(settled.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['skipped', 'committed']);
  });
}

describe('a question that nobody answers', () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_REMIND_HOURS: '0.0005' } });

  it('is asked again, and in the end the agent does without an answer, where the playbook says so', async () => {
    const place = await suite.place();
    const settings = '---\non-no-answer: continue\nanswer-within: 1m\n---\n\n';
    const issue = await place.issue(
      'One thing',
      `${settings}- [ ] One \`scripted: ask Which?\` \`scripted: write one.txt 1\`\n- [ ] Two \`scripted: write two.txt 2\`\n`,
    );
    await place.label(issue);
    await waiting(place, issue);
    await place.until('a reminder', async () =>
      (await place.answers(issue)).some((answer) => answer.includes('question q1 above still waits for an answer')),
    );
    await place.comment(issue, '/maestro resume');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks[0]?.questions).toMatchObject([{ answer: { by: 'will', text: '' } }]);
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(await readFile(sessions[1]?.log ?? '', 'utf8')).toContain('You are to go on without an answer.');
  });
});
