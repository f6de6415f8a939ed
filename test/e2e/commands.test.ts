import { readFile } from 'node:fs/promises';
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

  it('pauses a run after the task at hand, adds words to what is to come, and goes on', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Three things',
      [
        '- [ ] First `scripted: say now` `scripted: sleep 2s` `scripted: write first.txt 1`',
        '- [ ] Second `scripted: write second.txt 2`',
        '- [ ] Third `scripted: write third.txt 3`',
      ].join('\n'),
    );
    await place.label(issue);
    await place.until('the first task', async () => await place.agentSaid('"now"'));
    const pause = await place.comment(issue, '/maestro pause');
    const paused = await place.until('a pause', async () => {
      const [run] = await place.runs();
      return run?.state === 'parked' && run;
    });
    const tasks = await suite.harness().store.tasksOf(paused.id);
    expect(tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', undefined, undefined]);
    expect(paused).toMatchObject({ reason: 'Paused by @will. `/maestro resume` goes on.', parkedUntil: undefined });
    const said = await place.until('word of it', async () => {
      const [answer = ''] = await place.answers(issue);
      return answer.includes('is paused by') && answer;
    });
    expect(said).toContain('`/maestro resume`');

    await place.comment(issue, '/maestro steer Use the blue paint.');
    await place.comment(issue, '/maestro skip 2 it is done by hand');
    await place.comment(issue, '/maestro resume');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'skipped', 'committed']);
    expect(await place.reactions(`issues/comments/${pause}`)).toEqual(['+1']);
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(sessions).toHaveLength(2);
    expect(await readFile(sessions.at(-1)?.log ?? '', 'utf8')).toContain('Use the blue paint.');
    expect(await readFile(sessions[0]?.log ?? '', 'utf8')).not.toContain('Use the blue paint.');
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: false });
    expect(pull?.body).toContain('skipped, as will asked: it is done by hand');
  });

  it('goes on with a run that failed: by a task again, with words for it, or without the task', async () => {
    const place = await suite.place();
    const bad = 'Second `scripted: exit 3`';
    const issue = await place.issue(
      'Three things',
      `- [ ] First \`scripted: write first.txt 1\`\n- [ ] ${bad}\n- [ ] Third \`scripted: write third.txt 3\`\n`,
    );
    await place.label(issue);
    const failed = await place.settledRun();
    expect(failed).toMatchObject({ state: 'failed' });
    expect((await place.answers(issue))[0]).toContain('To go on where it ended, comment `/maestro resume`');

    const refused = await place.comment(issue, '/maestro retry 1');
    await suite.harness().quiet();
    expect(await place.reactions(`issues/comments/${refused}`)).toEqual(['confused']);
    await place.comment(issue, '/maestro retry 2\n\nMind the step.');
    const again = await place.until('a second attempt', async () => {
      const run = await place.settledRun();
      return run.tasks[1]?.attempts === 2 && run;
    });
    expect(again).toMatchObject({ id: failed.id, state: 'failed' });
    const sessions = await suite.harness().store.sessionsOf(again.id);
    expect(await readFile(sessions.at(-1)?.log ?? '', 'utf8')).toContain('Mind the step.');

    await place.comment(issue, '/maestro skip 2');
    const run = await place.until('its end', async () => {
      const settled = await place.settledRun();
      return settled.state === 'succeeded' && settled;
    });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'skipped', 'committed']);
    expect(await place.runs()).toHaveLength(1);
    const [pull, ...others] = await place.pulls();
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ draft: false });
    await place.branches();
    expect(await place.git('log', '--reverse', '--format=%s', `${run.base.sha}..${run.branch}`)).toMatch(
      /^First.*\nThird.*\n$/,
    );
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
