import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import type { Place } from './place.ts';
import { useHarness, useModel } from './suite.ts';

/** Every agent CLI, with the ways to its model: one that has a price, so that a cost comes out, and others it must find too. */
const AGENTS = [
  { provider: 'claude-code', model: 'claude-sonnet-4-5', path: '/v1/messages?beta=true' },
  { provider: 'codex', model: 'gpt-5.5', path: '/v1/responses' },
  { provider: 'opencode', model: 'gpt-5.5', path: '/v1/responses' },
  { provider: 'factory-droid', model: 'gpt-5.5', path: '/v1/responses' },
  { provider: 'gemini', model: 'gemini-2.5-pro', path: '/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse' },
  { provider: 'copilot', model: 'gpt-5.4', path: '/v1/responses' },
] as const;

/**
 * What each model does before it calls a tool of ours. Claude Code's use of them is shown in `claude-code.test.ts`. Droid and Codex
 * have tools of servers looked for before they are called.
 */
const BEFORE_TOOLS: ReadonlyMap<string, Script> = new Map<string, Script>([
  ['codex', [{ tool: { name: 'tool_search', input: { query: 'maestro note for later tasks' } } }]],
  ['opencode', []],
  ['factory-droid', [{ tool: { name: 'ToolSearch', input: { query: 'select:maestro___note' } } }]],
  ['gemini', []],
  ['copilot', []],
]);

/** On an idle machine a run takes ten to thirty seconds. */
const PATIENCE_MS = 200_000;

describeWith('agentImage', 'the real agent CLIs in their containers', () => {
  const model = useModel();
  const suite = useHarness(() => ({
    runner: 'docker',
    env: {
      ANTHROPIC_BASE_URL: model().url,
      OPENAI_BASE_URL: model().url,
      OPENAI_API_KEY: KEY_CANARY,
      GEMINI_BASE_URL: model().url,
      GEMINI_API_KEY: KEY_CANARY,
    },
  }));

  it.each(AGENTS)('$provider works off a playbook of three tasks into one pull request', async (agent) => {
    const place = await suite.place();
    const asked = model().requests.length;
    await place.pushPlaybook('three.md', playbook(agent));
    await settling(place);
    const run = await place.settledRun();
    expect(run.tasks.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'committed' },
      { kind: 'committed' },
      { kind: 'committed' },
    ]);
    expect(run).toMatchObject({ state: 'succeeded', provider: agent.provider });
    await place.branches();
    expect(await place.git('log', '--reverse', '--format=%s', `${run.base.sha}..${run.branch}`)).toBe(
      'One file\nTwo files\nThree in all\n',
    );
    const files = ['one.txt', 'three/3.txt', 'two.txt'];
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe(
      `.maestro/playbooks/three.md\n${files.join('\n')}\n`,
    );
    for (const [file, text] of [
      ['one.txt', 'one\n'],
      ['two.txt', 'two\n'],
      ['three/3.txt', "It's 3\n"],
    ] as const) {
      expect(await place.git('show', `${run.branch}:${file}`)).toBe(text);
    }

    const requests = model().requests.slice(asked);
    expect(requests.filter(({ path }) => path === agent.path).length).toBeGreaterThanOrEqual(8);
    expect(new Set(requests.map(({ key }) => key ?? KEY_CANARY))).toEqual(new Set([KEY_CANARY]));
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: false });
    expect(pull?.body).toContain(`| Provider | ${agent.provider}, ${agent.model} |`);
    expect(pull?.body).toMatch(/\| Tokens \| [1-9][\d.]*k? in, [1-9][\d.]*k? out \|/);
    expect(pull?.body).toMatch(/\| Cost \| \$0\.0\d*[1-9]\d* \|/);
    expect(pull?.body).not.toContain('Hosts the agent asked for');
    expect(pull?.body).not.toContain('does not know');
    expect(await place.agentSaid('"type":"unknown"')).toBe(false);
    expect(await place.agentSaid(KEY_CANARY)).toBe(false);
  });

  it.each(AGENTS.filter(({ provider }) => BEFORE_TOOLS.has(provider)))(
    '$provider speaks to Maestro with its tools',
    async (agent) => {
      const { place } = await begin(agent, [
        ...(BEFORE_TOOLS.get(agent.provider) ?? []),
        { mcp: { server: 'maestro', tool: 'note', input: { text: 'Mind the gap.' } } },
        { bash: 'echo 1 > one.txt' },
        { text: 'Wrote one.' },
      ]);
      await settling(place);
      const run = await place.settledRun();
      expect(run.tasks).toMatchObject([{ outcome: { kind: 'committed' }, notes: ['Mind the gap.'] }]);
      const [session] = await suite.harness().store.sessionsOf(run.id);
      expect(
        (await readFile(session?.log ?? '', 'utf8')).split('\n').filter((line) => line.includes('"type":"unknown"')),
      ).toEqual([]);
    },
  );

  it('a refused key fails the task of every one of them, and says so', async () => {
    const runs = await Promise.all(AGENTS.map(async (agent) => await begin(agent, [{ error: 401, repeat: true }])));
    for (const { place, issue, agent } of runs) {
      await settling(place);
      const run = await place.settledRun();
      expect([agent.provider, run.tasks[0]?.outcome]).toMatchObject([
        agent.provider,
        { kind: 'failed', failure: { kind: 'auth', message: expect.stringContaining('refused the key (HTTP 401)') } },
      ]);
      const [status] = await place.answers(issue);
      expect(status).toContain('refused the key (HTTP 401)');
      expect(status).toContain('renew the key of this provider');
    }
  });

  it('a limit that is lifted in an hour parks the run of every one of them, with the time', async () => {
    const limit: Script = [{ error: 429, retry_after: 3600, repeat: true }];
    const from = Date.now();
    const runs = await Promise.all(AGENTS.map(async (agent) => await begin(agent, limit)));
    for (const { place, issue, agent } of runs) {
      const run = await place.until(
        `the parked run of ${agent.provider}`,
        async () => (await place.runs()).find(({ state }) => state === 'parked'),
        PATIENCE_MS,
      );
      expect((run.parkedUntil ?? 0) - from).toBeGreaterThan(3_600_000);
      expect((run.parkedUntil ?? 0) - from).toBeLessThan(3_600_000 + 240_000);
      await place.until('the time in the status comment', async () =>
        (await place.answers(issue))[0]?.includes('is waiting until'),
      );
      await place.comment(issue, '/maestro stop');
      expect(await place.settledRun()).toMatchObject({ state: 'stopped' });
    }
  });

  type Agent = (typeof AGENTS)[number];

  async function begin(agent: Agent, script: Script): Promise<{ place: Place; issue: number; agent: Agent }> {
    const place = await suite.place();
    const issue = await place.issue('One thing', inPrompt(script));
    await place.comment(issue, `/maestro run provider=${agent.provider} model=${agent.model}`);
    return { place, issue, agent };
  }
});

/** Waits longer than tests with the scripted agent have to: these start real programs of 100 to 300 MB. */
async function settling(place: Place): Promise<void> {
  await place.until(
    'the end of the run',
    async () => (await place.runs()).some(({ endedAt }) => endedAt !== undefined),
    PATIENCE_MS,
  );
}

function playbook({ provider, model }: { readonly provider: string; readonly model: string }): string {
  return [
    `---\nprovider: ${provider}\nmodel: ${model}\neffort: low\n---`,
    '# Three',
    task('One file', [
      { thinking: 'One file.', text: 'I will write it.', write: { path: file('one.txt'), content: 'one\n' } },
      { text: 'Wrote one.txt.' },
    ]),
    task('Two files', [
      { text: 'First a look.', bash: 'ls -la; env | cut -c1-200' },
      { bash: 'printf "two\\n" > two.txt' },
      { text: 'Wrote two.txt.' },
    ]),
    task('Three in all', [
      { write: { path: file('three/3.txt'), content: "It's 3\n" } },
      { bash: 'cat three/3.txt; exit 3' },
      { text: 'Wrote the third, and the command failed as it should.' },
    ]),
    '',
  ].join('\n');
}

function file(name: string): string {
  return `/lane/repo/${name}`;
}

function task(title: string, script: Script): string {
  return `- [ ] ${title}\n\n  ${inPrompt(script)}`;
}

/** A script the model endpoint follows, carried in the task's text: titles of finished tasks are told to later ones. */
function inPrompt(script: Script): string {
  return `<<mock ${JSON.stringify(script)} mock>>`;
}
