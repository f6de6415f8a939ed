import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { useHarness } from './suite.ts';

describe('a task that somebody adds', () => {
  const suite = useHarness({ runner: 'local' });

  it('to a run at work is done last, with all that was said of it, and the issue stays as it is', async () => {
    const place = await suite.place();
    const text = '- [ ] First `scripted: say now` `scripted: sleep 2s` `scripted: write first.txt 1`\n';
    const issue = await place.issue('One thing', text);
    await place.label(issue);
    await place.until('the first task', async () => await place.agentSaid('"now"'));
    const asked = await place.comment(issue, '/maestro add Second `scripted: write second.txt 2`\nAll of it in blue.');
    const run = await place.settledRun();

    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks).toMatchObject([
      { outcome: { kind: 'committed' } },
      { position: 2, outcome: { kind: 'committed' }, added: { by: 'will' } },
    ]);
    expect(await place.reactions(`issues/comments/${asked}`)).toEqual(['+1']);
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(await readFile(sessions.at(-1)?.log ?? '', 'utf8')).toContain('All of it in blue.');
    const [answer] = await place.answers(issue);
    expect(answer).toContain('added by will');
    expect((await place.pulls())[0]).toMatchObject({ draft: false });
    expect((await place.getIssue(issue)).body).toBe(text.replace('[ ]', '[x]'));
  });

  it('to a run that is done opens it again, in the same pull request, until that is merged', async () => {
    const place = await suite.place();
    const issue = await place.issue('One thing', '`scripted: write first.txt 1`');
    await place.label(issue);
    const done = await place.settledRun();
    expect(done).toMatchObject({ state: 'succeeded' });
    await place.comment(issue, '/maestro add `scripted: write second.txt 2`');
    const run = await place.until('a second commit', async () => {
      const settled = await place.settledRun();
      return settled.tasks[1]?.outcome?.kind === 'committed' && settled;
    });

    expect(run).toMatchObject({ id: done.id, state: 'succeeded' });
    const [pull, ...others] = await place.pulls();
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ draft: false });
    await place.branches();
    expect(await place.git('ls-tree', '--name-only', run.branch)).toBe('README.md\nfirst.txt\nsecond.txt\n');

    await place.as('will', `PUT /pulls/${pull?.number}/merge`, {});
    const late = await place.comment(issue, '/maestro add Third');
    await suite.harness().quiet();
    expect(await place.reactions(`issues/comments/${late}`)).toEqual(['confused']);
    expect((await place.answers(issue)).join('\n')).toContain('was merged: nothing is added to it.');
  });
});
