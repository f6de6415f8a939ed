import { readFile } from 'node:fs/promises';
import Docker from 'dockerode';
import { engineAt } from '../../src/runners/docker/engine-address.ts';
import { expect, inject, it } from 'vitest';
import { namespaceOf } from '../../src/compose/runner.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness, useModel } from './suite.ts';

/** Prices of the real API, so that a cost comes out. */
const MODEL = 'claude-sonnet-4-5';

describeWith('agentImage', 'Claude Code in a container', () => {
  const model = useModel();
  const suite = useHarness(() => ({ runner: 'docker', env: { ANTHROPIC_BASE_URL: model().url } }));

  it('does two tasks with its own tools, never seeing the key, and what it cost is shown', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two files',
      [
        `- [ ] One\n\n  ${script([{ write: { path: 'one.txt', content: '1\n' } }, { bash: 'env; sleep 2; echo done' }, { text: 'Wrote one.' }])}`,
        `- [ ] Two\n\n  ${script([{ write: { path: 'two.txt', content: '2\n' } }, { text: 'Wrote two.' }])}`,
      ].join('\n'),
    );
    await place.comment(issue, `/maestro run provider=claude-code model=${MODEL}`);
    const environments = await place.until('the agent container', async () => {
      const found = await environmentsOfContainers();
      return found.some((env) => env.includes('-agent')) && (await place.agentSaid('ANTHROPIC_API_KEY='))
        ? found
        : undefined;
    });
    expect(environments.join('\n')).not.toContain(KEY_CANARY);

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', provider: 'claude-code' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed']);
    await place.branches();
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe('one.txt\ntwo.txt\n');
    expect(await place.git('show', `${run.branch}:two.txt`)).toBe('2\n');
    expect(await place.agentSaid('ANTHROPIC_API_KEY')).toBe(true);
    expect(await place.agentSaid(KEY_CANARY)).toBe(false);
    expect(model().requests.some(({ key }) => key === KEY_CANARY)).toBe(true);
    expect(model().requests.every(({ key }) => key === KEY_CANARY || key === undefined)).toBe(true);
    const [pull] = await place.pulls();
    expect(pull?.body).toMatch(/\| Provider \| claude-code, claude-sonnet-4-5 \|/);
    expect(pull?.body).toMatch(/\| Tokens \| [1-9][\d.]*k? in, [1-9][\d.]*k? out \|/);
    expect(pull?.body).toMatch(/\| Cost \| \$\d+\.\d+ \|/);
    expect(pull?.body).not.toContain('| Cost | $0.00 |');
  });

  it('speaks to Maestro with its tools, and with the command in its shell', async () => {
    const place = await suite.place();
    const steps = [
      { write: { path: 'one.txt', content: '1\n' } },
      { tool: { name: 'mcp__maestro__note', input: { text: 'Mind the gap.' } } },
      { bash: 'maestro done "Wrote one, and said so." 2>&1; bash -lc "command -v maestro"' },
      { text: 'Wrote one.' },
    ];
    const issue = await place.issue(
      'Two files',
      `- [ ] One\n\n  ${script(steps)}\n- [ ] Two\n\n  ${script([{ text: 'No.' }])}`,
    );
    await place.comment(issue, `/maestro run provider=claude-code model=${MODEL}`);

    const run = await place.settledRun();
    expect(run.tasks.map(({ notes }) => notes)).toEqual([['Mind the gap.'], undefined]);
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'no-change']);
    expect(await place.agentSaid('.maestro/bin/maestro')).toBe(true);
    await place.branches();
    expect(await place.git('log', '-1', '--format=%b', run.branch)).toContain('> Wrote one, and said so.\n');
    const [, second] = await suite.harness().store.sessionsOf(run.id);
    expect(await readFile(second?.log ?? '', 'utf8')).toContain('- Task 1: Mind the gap.');
  });

  it('asks a person, and goes on in the same conversation with the answer', async () => {
    const place = await suite.place();
    const asks = 'echo 1 > one.txt; maestro ask "Which database?" --option Postgres --option SQLite';
    const goesOn = 'echo 2 >> one.txt; maestro done "Took the one that was named."';
    const issue = await place.issue(
      'One file',
      script([{ bash: `if [ -f one.txt ]; then ${goesOn}; else ${asks}; fi 2>&1` }, { text: 'So far.' }]),
    );
    await place.comment(issue, `/maestro run provider=claude-code model=${MODEL}`);
    const asked = await place.until('a question', async () => {
      const [run] = await place.runs();
      const question = (await place.answers(issue)).find((answer) => answer.includes('(q1)'));
      return run?.state === 'parked' && run.waitsFor === 'answer' && question;
    });
    expect(asked).toContain('> Which database?\n\n1. Postgres\n2. SQLite');
    await place.until('no container', async () => (await environmentsOfContainers()).length === 0);
    await place.comment(issue, '2');

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', tasks: [{ attempts: 2, outcome: { kind: 'committed' } }] });
    const [first, second] = await suite.harness().store.sessionsOf(run.id);
    expect(second?.conversation).toBe(first?.conversation);
    const told = await readFile(second?.log ?? '', 'utf8');
    expect(told).toContain('"type":"stage","name":"resume"');
    expect(told).toContain('> SQLite');
    await place.branches();
    expect(await place.git('show', `${run.branch}:one.txt`)).toBe('1\n2\n');
    expect(await place.git('log', '-1', '--format=%b', run.branch)).toContain('> Took the one that was named.\n');
  });

  it('is shown why a check failed, and repairs what it made', async () => {
    const place = await suite.place();
    const steps = [{ bash: 'test -e one.txt && echo 2 > two.txt || echo 1 > one.txt' }, { text: 'Wrote a file.' }];
    await place.pushPlaybook(
      'checked.md',
      `---\nprovider: claude-code\nmodel: ${MODEL}\nverify: "test -e two.txt || { echo two.txt is missing; exit 1; }"\n---\n- [ ] Two files\n\n  ${script(steps)}\n`,
    );
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', provider: 'claude-code' });
    expect(run.tasks).toMatchObject([
      { attempts: 2, outcome: { kind: 'committed', failedBefore: [{ attempt: 1, check: { code: 1 } }] } },
    ]);
    await place.branches();
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe(
      '.maestro/playbooks/checked.md\none.txt\ntwo.txt\n',
    );
    expect(await place.git('rev-list', '--count', `${run.base.sha}..${run.branch}`)).toBe('1\n');
    expect(model().requests.some(({ prompt }) => prompt.includes('two.txt is missing'))).toBe(true);
  });

  async function environmentsOfContainers(): Promise<readonly string[]> {
    const docker = new Docker(engineAt(inject('dockerHost')));
    const label = [`maestro.namespace=${namespaceOf(suite.harness().config)}`];
    const containers = await docker.listContainers({ filters: { label } });
    return await Promise.all(
      containers.map(async ({ Id }) =>
        JSON.stringify(
          (await docker
            .getContainer(Id)
            .inspect()
            .catch(() => undefined)) ?? '',
        ),
      ),
    );
  }
});

/** A script the model endpoint follows, carried in the task's text: titles of finished tasks are told to later ones. */
function script(steps: readonly unknown[]): string {
  return `<<mock ${JSON.stringify(steps)} mock>>`;
}
