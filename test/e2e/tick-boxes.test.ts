import { describe, expect, it } from 'vitest';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';

/** Ticks a box of the status comment in a thread, as somebody does with the mouse: the text as they see it, with one mark in it. */
async function tick(place: Place, thread: number, name: string, login = 'will'): Promise<void> {
  const box = `- [ ] <!-- maestro:${name} -->`;
  const comment = await place.until(`a box to ${name}`, async () =>
    (await place.comments(thread)).find(({ body }) => body.includes(box)),
  );
  const body = comment.body.replace(box, box.replace('[ ]', '[x]'));
  await place.as(login, `PATCH /issues/comments/${comment.id}`, { body });
}

describe('ticking a box in the status comment', () => {
  const suite = useHarness({ runner: 'local' });

  it('pauses, goes on and does again what failed, as the commands do', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Three things',
      [
        '- [ ] First `scripted: say now` `scripted: sleep 2s` `scripted: write first.txt 1`',
        '- [ ] Second `scripted: exit 3`',
        '- [ ] Third `scripted: write third.txt 3`',
      ].join('\n'),
    );
    await place.label(issue);
    await place.until('the first task', async () => await place.agentSaid('"now"'));
    await tick(place, issue, 'pause');
    const paused = await place.until('a pause', async () => {
      const [run] = await place.runs();
      return run?.state === 'parked' && run;
    });
    expect(paused.reason).toContain('Paused by @will.');
    expect((await place.answers(issue))[0]).not.toContain('- [x]');

    await tick(place, issue, 'resume', 'mira');
    const failed = await place.settledRun();
    expect(failed.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'failed', undefined]);
    await tick(place, issue, 'skip 2');
    const run = await place.until('its end', async () => {
      const settled = await place.settledRun();
      return settled.state === 'succeeded' && settled;
    });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'skipped', 'committed']);
    const audit = await suite.harness().store.auditOf(run.id);
    expect(
      audit.filter(({ action }) => action.endsWith('asked for')).map(({ action, actor }) => [action, actor]),
    ).toEqual([
      ['pause asked for', 'will'],
      ['resume asked for', 'mira'],
      ['skip asked for', 'will'],
    ]);
    const answers = await place.answers(issue);
    expect(answers).toHaveLength(1);
    expect(answers[0]).not.toContain('- [x]');
  });

  it('goes on with what an agent proposes, and takes the last task back, as the commands do', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two things',
      [
        '- [ ] One `scripted: write one.txt 1`',
        '- [ ] Two `scripted: replan The API is gone | Another with scripted: write anew.txt 1`',
      ].join('\n'),
    );
    await place.label(issue);
    const approval = await place.until('a box to approve', async () => {
      const texts = (await place.comments(issue)).map(({ body }) => /<!-- maestro:(approve \w+) -->/.exec(body)?.[1]);
      return texts.find((text) => text !== undefined);
    });
    await tick(place, issue, approval);
    const run = await place.settledRun();
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'skipped', 'committed']);
    const { tip } = run;

    await tick(place, issue, 'redo 3');
    const again = await place.until('the task done again', async () => {
      const [one] = await place.runs();
      return one?.state === 'succeeded' && one.tip !== tip && (await place.settledRun());
    });
    expect(again.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'skipped', 'committed']);
    expect(await place.answers(issue)).toHaveLength(2);
  });

  it('stops a run; what else people write into the comment does not stay, nor makes it a second one', async () => {
    const place = await suite.place();
    const issue = await place.issue('One thing', 'Work `scripted: say now` and `scripted: hang`');
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    const status = await place.until('a status comment', async () => (await place.comments(issue))[0]);
    await place.as('will', `PATCH /issues/comments/${status.id}`, { body: 'Nothing to see here.' });
    await place.until('the comment as it was', async () =>
      (await place.comments(issue))[0]?.body.includes('**Maestro** is working'),
    );
    await tick(place, issue, 'stop');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'stopped', stop: { by: 'will', reason: 'stopped by @will' } });
    const answers = await place.answers(issue);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toContain('was stopped by will');
    expect(answers[0]).not.toContain('- [x]');
  });
});
