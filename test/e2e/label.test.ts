import { describe, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { pullRequestEvents } from './stage.ts';
import { useHarness } from './suite.ts';

describe('with the local runner', () => {
  labelled('local');
});
describeWith('agentImage', 'with the Docker runner', () => {
  labelled('docker');
});

function labelled(runner: 'local' | 'docker'): void {
  const suite = useHarness({ runner, database: 'embedded' });

  it('makes a ready pull request of a labelled issue, and says so everywhere', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Greet visitors',
      'Say hello: `scripted: write greeting.txt Hello` and then `scripted: sleep 2s`',
    );
    await place.label(issue);
    const draft = await place.until('the pull request as a draft, or ready', async () => (await place.pulls())[0]);
    expect(draft).toMatchObject({ user: { login: 'maestro[bot]' } });

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', requester: { login: 'will' }, provider: 'scripted' });
    expect(run.tasks).toMatchObject([{ title: 'Greet visitors', attempts: 1, outcome: { kind: 'committed' } }]);

    const [pull, ...others] = await place.pulls();
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ draft: false, state: 'open', title: 'Greet visitors', head: { ref: run.branch } });
    expect(pull?.body).toContain(`Closes #${issue}`);
    expect(pull?.body).toContain('| Asked for by | will |');
    await place.branches();
    expect(await place.git('diff', '--name-status', run.base.sha, run.branch)).toBe('A\tgreeting.txt\n');
    expect(await place.git('show', `${run.branch}:greeting.txt`)).toBe('Hello\n');
    expect(await place.git('log', '-1', '--format=%an <%ae>|%s', run.branch)).toMatch(
      /^maestro\[bot\] <\d+\+maestro\[bot\]@users\.noreply\..*>\|Greet visitors\n$/,
    );

    const [status, ...more] = await place.answers(issue);
    expect(more).toEqual([]);
    expect(status).toContain(`**Maestro** is done: ready for review in #${pull?.number}`);
    expect(status).toContain(`/tree/${run.branch}`);
    expect(status).toContain('Asked for by will');
    const told = pullRequestEvents(suite.harness(), place.id)
      .filter(({ action }) => /^(opened|ready_for_review)$/.test(action))
      .map(({ action, draft: isDraft }) => (isDraft ? `${action} as a draft` : action));
    expect(told).toEqual(['opened as a draft', 'ready_for_review']);
    expect(await place.reactions(`issues/${issue}`)).toEqual(['eyes', 'rocket', 'hooray']);
    expect((await place.getIssue(issue)).labels.map((label) => label.name).toSorted()).toEqual([
      'maestro',
      'maestro-done',
    ]);
    expect(await place.checks(pull?.head.sha ?? '')).toMatchObject([
      { name: 'Maestro', status: 'completed', conclusion: 'success', output: { title: 'The task is done' } },
    ]);
  });
}
