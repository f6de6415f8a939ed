import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { keptBranch } from './audit.ts';
import { useHarness } from './suite.ts';

describe('an agent on this machine', () => {
  speaks('local');
});

describeWith('agentImage', 'an agent in a container', () => {
  speaks('docker');
});

function speaks(runner: 'local' | 'docker'): void {
  const suite = useHarness({ runner, env: { MAESTRO_PARTING_SECONDS: '1' } });

  it('says what it did in the message of the commit', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'One thing',
      '`scripted: write a.txt a` `scripted: done Wrote the letter.` `scripted: say and more`',
    );
    await place.label(issue);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.agentSaid('Recorded. It goes into the message of the commit.')).toBe(true);
    await place.branches();
    expect(await place.git('log', '-1', '--format=%b', run.branch)).toContain(
      'What the agent said:\n\n> Wrote the letter.\n',
    );
  });

  it('leaves notes that the sessions of later tasks are told', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two things',
      '- [ ] One `scripted: write a.txt a` `scripted: note Mind the gap.`\n- [ ] Two `scripted: write b.txt b`\n',
    );
    await place.label(issue);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ notes }) => notes)).toEqual([['Mind the gap.'], undefined]);
    const [first, second] = await suite.harness().store.sessionsOf(run.id);
    const told = '# What earlier sessions leave you to know\\n- Task 1: Mind the gap.\\n';
    expect(await readFile(second?.log ?? '', 'utf8')).toContain(told);
    expect(await readFile(first?.log ?? '', 'utf8')).not.toContain(told);
    expect(await readFile(first?.log ?? '', 'utf8')).toContain(
      '"type":"word","word":{"kind":"note","text":"Mind the gap."}',
    );
  });

  it('hands over by its last message where it left no note, if the playbook says so', async () => {
    const place = await suite.place();
    await place.pushPlaybook(
      'two.md',
      '---\ncontext: handoff\n---\n- [ ] One `scripted: write a.txt a`\n- [ ] Two `scripted: recall`\n',
    );
    const run = await place.settledRun();
    expect(run.tasks.map(({ notes }) => notes)).toEqual([['Followed 1 directive.'], ['Followed 1 directive.']]);
    const [first, second] = await suite.harness().store.sessionsOf(run.id);
    expect(await readFile(first?.log ?? '', 'utf8')).toContain('hand over to the session of the next task');
    expect(await readFile(second?.log ?? '', 'utf8')).toContain('- Task 1: Followed 1 directive.');
    expect(await place.agentSaid('I remember: ')).toBe(true);
    expect(await place.agentSaid('I remember: One')).toBe(false);
  });

  it('goes on with the conversation of the task before, if the playbook says so', async () => {
    const place = await suite.place();
    await place.pushPlaybook(
      'three.md',
      '---\ncontext: document\n---\n- [ ] One `scripted: write a.txt a`\n- [ ] Two `scripted: write b.txt b`\n- [ ] Three `scripted: recall`\n',
    );
    const run = await place.settledRun();
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed', 'no-change']);
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(new Set(sessions.map(({ conversation }) => conversation)).size).toBe(1);
    expect(await place.agentSaid('I remember: One scripted: write a.txt a; Two scripted: write b.txt b')).toBe(true);
    expect(await readFile(sessions[1]?.log ?? '', 'utf8')).toContain('"type":"stage","name":"resume"');
  });

  it('says that it can’t do the task, and is ended when it goes on', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'One thing',
      '`scripted: write a.txt a` `scripted: stubborn` `scripted: blocked The schema is missing.` `scripted: done All of it` `scripted: hang`',
    );
    await place.label(issue);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.tasks).toMatchObject([
      {
        attempts: 1,
        outcome: {
          kind: 'failed',
          failure: {
            kind: 'blocked',
            message: "The agent says that it can't be done: The schema is missing.",
            keptRef: keptBranch(run),
          },
        },
      },
    ]);
    expect(await place.agentSaid('End your turn now')).toBe(true);
    expect([...(await place.branches()).keys()].toSorted()).toEqual(['main', keptBranch(run)].toSorted());
    expect(await place.git('show', `${keptBranch(run)}:a.txt`)).toBe('a\n');
    const [status] = await place.answers(issue);
    expect(status).toContain('The schema is missing.');
  });
}
