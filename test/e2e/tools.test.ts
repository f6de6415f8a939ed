import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness, useModel } from './suite.ts';

/**
 * Claude Code's use of them is shown in `claude-code.test.ts`. Droid has tools of servers looked for before they are called. Codex
 * 0.169.0 hides them behind `tool_search`, which the scripted model does not speak: it has the command alone.
 */
const AGENTS: readonly { readonly provider: string; readonly model: string; readonly before: Script }[] = [
  { provider: 'opencode', model: 'gpt-5.5', before: [] },
  {
    provider: 'factory-droid',
    model: 'gpt-5.5',
    before: [{ tool: { name: 'ToolSearch', input: { query: 'select:maestro___note' } } }],
  },
  { provider: 'gemini', model: 'gemini-2.5-pro', before: [] },
  { provider: 'copilot', model: 'gpt-5.4', before: [] },
];

/** On an idle machine a run takes ten to thirty seconds. */
const PATIENCE_MS = 200_000;

describeWith('agentImage', 'the real agent CLIs in their containers', () => {
  const model = useModel();
  const suite = useHarness(() => ({
    runner: 'docker',
    env: {
      OPENAI_BASE_URL: model().url,
      OPENAI_API_KEY: KEY_CANARY,
      GEMINI_BASE_URL: model().url,
      GEMINI_API_KEY: KEY_CANARY,
    },
  }));

  it.each(AGENTS)('$provider speaks to Maestro with its tools', async ({ provider, model: name, before }) => {
    const place = await suite.place();
    const script: Script = [
      ...before,
      { mcp: { server: 'maestro', tool: 'note', input: { text: 'Mind the gap.' } } },
      { bash: 'echo 1 > one.txt' },
      { text: 'Wrote one.' },
    ];
    const issue = await place.issue('One thing', `<<mock ${JSON.stringify(script)} mock>>`);
    await place.comment(issue, `/maestro run provider=${provider} model=${name}`);
    await place.until(
      'the end of the run',
      async () => (await place.runs()).some(({ endedAt }) => endedAt !== undefined),
      PATIENCE_MS,
    );
    const run = await place.settledRun();
    expect(run.tasks).toMatchObject([{ outcome: { kind: 'committed' }, notes: ['Mind the gap.'] }]);
    const [session] = await suite.harness().store.sessionsOf(run.id);
    expect(
      (await readFile(session?.log ?? '', 'utf8')).split('\n').filter((line) => line.includes('"type":"unknown"')),
    ).toEqual([]);
  });
});
