import { describe, expect, it } from 'vitest';
import { keptBranch } from './audit.ts';
import { useHarness } from './suite.ts';

const HANGING = 'Work `scripted: write part.txt half` then `scripted: say now` and `scripted: hang`';

describe('a comment', () => {
  const suite = useHarness({ runner: 'local' });

  it('runs a playbook with the provider it names, and gives its further lines to the agent', async () => {
    const place = await suite.place({
      files: { '.maestro/playbooks/one.md': '# One\n\n- [ ] Write `scripted: write one.txt 1`\n' },
    });
    const issue = await place.issue('Somewhere to talk');
    const comment = await place.comment(issue, '/maestro run playbook=one.md provider=scripted\n\nMind the gap.');

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', instructions: 'Mind the gap.', provider: 'scripted' });
    expect(await place.reactions(`issues/comments/${comment}`)).toEqual(['eyes', 'rocket', 'hooray']);
    const [pull] = await place.pulls();
    expect(pull?.body).toContain(`Refs #${issue}`);
    const [status, ...others] = await place.answers(issue);
    expect(others).toEqual([]);
    expect(status).toContain('**Maestro** is done: ready for review in #2');
  });

  it('asks for help, for the status, and for what there is not', async () => {
    const place = await suite.place();
    const issue = await place.issue('Somewhere to talk', '`scripted: write a.txt a`');
    const help = await place.comment(issue, '/maestro help');
    const early = await place.comment(issue, '/maestro status');
    const unknown = await place.comment(issue, '/maestro dance');
    const mention = await place.comment(issue, 'One could say\n\n/maestro run');
    await suite.harness().quiet();

    expect(await place.runs()).toEqual([]);
    expect(await place.reactions(`issues/comments/${help}`)).toEqual(['+1']);
    expect(await place.reactions(`issues/comments/${early}`)).toEqual(['confused']);
    expect(await place.reactions(`issues/comments/${unknown}`)).toEqual(['confused']);
    expect(await place.reactions(`issues/comments/${mention}`)).toEqual([]);
    const answers = await place.answers(issue);
    expect(answers).toHaveLength(3);
    expect(answers.filter((answer) => answer.includes('- `/maestro stop` ends the run'))).toHaveLength(1);
    expect(answers.filter((answer) => answer.includes('There is no command `dance`.'))).toHaveLength(1);
    expect(answers.filter((answer) => answer.includes('There has been no run here yet.'))).toHaveLength(1);

    await place.comment(issue, '/maestro run');
    const run = await place.settledRun();
    const status = await place.comment(issue, '/maestro status');
    await suite.harness().quiet();
    expect(run.state).toBe('succeeded');
    expect(await place.reactions(`issues/comments/${status}`)).toEqual(['+1']);
    expect(await place.answers(issue)).toHaveLength(4);
  });

  it('stops a run within seconds, and what was done so far is kept', async () => {
    const place = await suite.place();
    const issue = await place.issue('Two things', `- [ ] First \`scripted: write first.txt 1\`\n- [ ] ${HANGING}\n`);
    await place.label(issue);
    await place.until('the hanging task', async () => await place.agentSaid('"now"'));
    const asked = Date.now();
    await place.comment(issue, '/maestro stop enough');

    const run = await place.settledRun();
    expect(Date.now() - asked).toBeLessThan(15_000);
    expect(run).toMatchObject({ state: 'stopped', stop: { by: 'will' } });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'cancelled']);
    const branches = await place.branches();
    expect([...branches.keys()].toSorted()).toEqual([keptBranch(run, 2), run.branch, 'main'].toSorted());
    expect(await place.git('show', `${keptBranch(run, 2)}:part.txt`)).toBe('half\n');
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: true, state: 'open' });
    const [status] = await place.answers(issue);
    expect(status).toContain('was stopped by will, 1 of 2 tasks done');
    expect(await place.checks(pull?.head.sha ?? '')).toMatchObject([{ conclusion: 'cancelled' }]);
    expect((await place.getIssue(issue)).body).toContain('- [x] First');
  });

  it.each([
    ['taking the label off', 'label removed by @will'],
    ['closing the issue', 'issue closed by @will'],
  ])('%s stops the run as well', async (how, reason) => {
    const place = await suite.place();
    const issue = await place.issue('One thing', HANGING);
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    const asked = Date.now();
    if (how.startsWith('taking')) await place.unlabel(issue);
    else await place.as('will', `PATCH /issues/${issue}`, { state: 'closed' });

    const run = await place.settledRun();
    expect(Date.now() - asked).toBeLessThan(15_000);
    expect(run).toMatchObject({ state: 'stopped', stop: { by: 'will', reason } });
    expect([...(await place.branches()).keys()].toSorted()).toEqual(['main', keptBranch(run)].toSorted());
    expect(await place.pulls()).toEqual([]);
    const [status] = await place.answers(issue);
    expect(status).toContain('was stopped by will');
    expect(status?.replaceAll('&#8203;', '').toLowerCase()).toContain(`\n${reason}.\n`);
    expect(status).toContain(`unfinished work kept at \`${keptBranch(run)}\``);
  });
});
