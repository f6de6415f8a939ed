import { describe, expect, it } from 'vitest';
import { isFinal } from '../../src/domain/run.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';

/** How long runs one after the other may take on a busy machine. Milliseconds. */
const PATIENCE_MS = 400_000;

const PLAYBOOK = '.maestro/playbooks/tune-the-violins.md';

/** Waits for so many runs to be settled, longer than for one alone. */
async function settled(place: Place, count: number): Promise<void> {
  const isSettled = async (): Promise<boolean> => {
    const runs = await place.runs();
    return runs.length >= count && runs.every(({ state }) => isFinal(state));
  };
  await place.until(`${count} settled runs`, isSettled, PATIENCE_MS);
}

describe('a plan', { timeout: 2 * PATIENCE_MS }, () => {
  const suite = useHarness({ runner: 'local' });

  it('is shown first, and started as it was shown when somebody approves it', async () => {
    const place = await suite.place();
    const list = '- [ ] First `scripted: write first.txt 1`\n- [ ] Second `scripted: write second.txt 2`\n';
    const issue = await place.issue('Two things', list);
    await place.comment(issue, '/maestro plan');
    const shown = await place.until('the plan', async () => (await place.answers(issue))[0]);
    const [, hash = ''] = /\/maestro approve ([a-z2-7]{10})/.exec(shown) ?? [];
    expect(shown).toContain('2 tasks, by `scripted`. Nothing has been started.');
    expect(await place.runs()).toEqual([]);

    await place.as('rory', `PATCH /issues/${issue}`, { body: `${list}- [ ] Third \`scripted: write third.txt 3\`\n` });
    const early = await place.comment(issue, `/maestro approve ${hash}`);
    await suite.harness().quiet();
    expect(await place.reactions(`issues/comments/${early}`)).toContain('confused');
    expect(await place.runs()).toEqual([]);

    await place.as('rory', `PATCH /issues/${issue}`, { body: list });
    await place.comment(issue, `/maestro approve ${hash}`);
    await settled(place, 1);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', requester: { login: 'will' } });
    expect(run.tasks.map(({ title }) => title.split(' ')[0])).toEqual(['First', 'Second']);

    await place.comment(await place.issue('One more', '- [ ] Again'), '/maestro plan');
    const guess = await place.until(
      'an estimate',
      async () => (await place.answers(issue + 2))[0]?.match(/going by the middle one of the last 2 tasks/u)?.[0],
    );
    expect(guess).toBeDefined();
  });

  it('is written by an agent where an issue says it in words: a playbook that can be run, which begins when it is merged', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Tune the violins',
      [
        'They are a quarter tone low.',
        // In a code block, where a path names no playbook that is to be run.
        '```',
        `scripted: write ${PLAYBOOK} # Tune\\n\\nNothing to tick.\\n`,
        `scripted: repair write ${PLAYBOOK} # Tune\\n\\n- [ ] One \`scripted: write one.txt 1\`\\n`,
        '```',
      ].join('\n'),
    );
    await place.comment(issue, '/maestro plan');
    await settled(place, 1);
    const planned = await place.settledRun();
    expect(planned).toMatchObject({ state: 'succeeded', plan: { path: PLAYBOOK } });
    const sessions = await suite.harness().store.sessionsOf(planned.id);
    expect(sessions.map(({ outcome }) => outcome?.kind)).toEqual(['failed', 'committed']);
    expect(sessions[0]?.outcome).toMatchObject({
      failure: { kind: 'verify-failed', detail: expect.stringContaining(`${PLAYBOOK}:`) },
    });
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: false, title: expect.stringContaining('Plan: Tune the violins') });
    expect(pull?.body).toContain(`Refs #${issue}`);
    expect(pull?.body).toContain('merging it starts the run of that playbook');
    await place.branches();
    expect(await place.git('diff', '--name-only', planned.base.sha, planned.branch)).toBe(`${PLAYBOOK}\n`);

    await place.as('will', `PUT /pulls/${pull?.number}/merge`, {});
    await settled(place, 2);
    const [, run] = await place.settledRuns(2);
    expect(run).toMatchObject({ state: 'succeeded', title: 'Tune', playbook: { kind: 'file', path: PLAYBOOK } });
    expect((await place.getIssue(issue)).state).toBe('open');
  });
});
