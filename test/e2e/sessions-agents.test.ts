import { expect, it } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness, useModel } from './suite.ts';

const PROVIDERS = ['claude-code', 'codex', 'opencode', 'factory-droid', 'gemini', 'copilot'] as const;

/** On an idle machine two runs of all six take a minute. */
const PATIENCE_MS = 280_000;

describeWith('agentImage', 'an earlier conversation of a real CLI', () => {
  const model = useModel({ keepTexts: true });
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

  it('is before the model again when a run goes on with it in another container, for every one of them', async () => {
    const places = await Promise.all(
      PROVIDERS.map(async (provider) => {
        const place = await suite.place();
        const word = `canary-of-${provider}`;
        const issue = await place.issue('One', inPrompt(`Mind the ${word}.`, [{ text: 'I will.' }]));
        await place.comment(issue, `/maestro run provider=${provider}`);
        return { place, provider, word };
      }),
    );
    for (const { place } of places) await settling(place, 1);
    const asked = model().requests.length;
    const again = await Promise.all(
      places.map(async (one) => {
        const [run] = await one.place.runs();
        const [session] = await suite.harness().store.sessionsOf(run!.id);
        const issue = await one.place.issue('Two', inPrompt('Go on.', [{ text: 'I went on.' }]));
        await one.place.comment(issue, `/maestro run resume=${session?.conversation}`);
        return { ...one, session };
      }),
    );
    for (const { place, provider, word, session } of again) {
      expect([provider, session]).toMatchObject([provider, { kept: expect.any(Number) }]);
      await settling(place, 2);
      const run = (await place.runs()).at(-1)!;
      expect([provider, run]).toMatchObject([provider, { provider, state: 'succeeded' }]);
      // The title of the conversation's second prompt is its own: what is found beside it came from the first.
      const remembering = model()
        .requests.slice(asked)
        .filter(({ text }) => text.includes(word) && /Go on\./.test(text));
      expect([provider, remembering.length > 0]).toEqual([provider, true]);
    }
  });

  async function settling(place: Awaited<ReturnType<typeof suite.place>>, count: number): Promise<void> {
    await place.until(
      `${count} settled runs`,
      async () => (await place.runs()).filter(({ endedAt }) => endedAt !== undefined).length === count,
      PATIENCE_MS,
    );
  }
});

/** Words, and a script the model endpoint follows, carried in the task's text. */
function inPrompt(words: string, script: Script): string {
  return `${words}\n\n<<mock ${JSON.stringify(script)} mock>>`;
}
