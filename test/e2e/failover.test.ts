import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { startModelEndpoint, type ModelEndpoint } from '../../local-model/server.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness } from './suite.ts';

/** Real programs of 300 MB have to start. */
const PATIENCE_MS = 200_000;

/** Writes a file named after the task. */
function work(prompt: string): Script {
  const name = /# Task\nWrite TASK-(\w+)/.exec(prompt)?.[1] ?? 'none';
  return [
    { text: 'I will write it.', write: { path: `/lane/repo/${name}.txt`, content: `${name}\n` } },
    { text: `Wrote ${name}.txt.` },
  ];
}

describeWith('agentImage', 'two agents in order of preference', () => {
  let anthropic: ModelEndpoint;
  let openai: ModelEndpoint;
  /** Whether the first one's endpoint has had enough. */
  let isUsedUp = false;
  beforeAll(async () => {
    const limit: Script = [{ error: 429, retry_after: 3600, repeat: true }];
    anthropic = await startModelEndpoint({
      port: 0,
      keys: [KEY_CANARY],
      script: (prompt) => (isUsedUp ? limit : work(prompt)),
    });
    openai = await startModelEndpoint({ port: 0, keys: [KEY_CANARY], script: work });
  });
  afterAll(async () => {
    await anthropic[Symbol.asyncDispose]();
    await openai[Symbol.asyncDispose]();
  });
  const suite = useHarness(() => ({
    runner: 'docker',
    env: {
      ANTHROPIC_BASE_URL: anthropic.url,
      OPENAI_BASE_URL: openai.url,
      OPENAI_API_KEY: KEY_CANARY,
    },
  }));

  it('the second takes the task over that the first has no quota for, and the next ones; a run with the first alone waits', async () => {
    const place = await suite.place();
    isUsedUp = false;
    const wait = place.until(
      'the first commit',
      async () => (await place.runs())[0]?.tip !== (await place.runs())[0]?.base.sha,
      PATIENCE_MS,
    );
    await place.pushPlaybook(
      'both.md',
      '---\nprovider: [claude-code, codex]\n---\n\n- [ ] Write TASK-one\n- [ ] Write TASK-two\n- [ ] Write TASK-three\n',
    );
    await wait;
    isUsedUp = true;
    await place.until(
      'the end of the run',
      async () => (await place.runs()).some(({ endedAt }) => endedAt !== undefined),
      PATIENCE_MS,
    );
    const run = await place.settledRun();
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed', 'committed']);
    const byCodex = run.tasks.filter(({ handover }) => handover?.provider === 'codex');
    expect(byCodex.length).toBeGreaterThan(0);
    expect(run.tasks[0]?.handover).toBeUndefined();
    expect(byCodex[0]?.handover?.reason).toMatch(/^claude-code is out of quota until 20\d\d-/);
    await place.branches();
    expect(
      await place.git(
        'log',
        '--reverse',
        '--format=%(trailers:key=Maestro-Agent,valueonly,separator=)',
        `${run.base.sha}..${run.branch}`,
      ),
    ).toMatch(/^claude-code\n(claude-code\n)?codex\n(codex\n)?$/);
    const [pull] = await place.pulls();
    expect(pull?.body).toContain('### Taken over');
    expect(pull?.body).toMatch(/- Task \d by codex: claude-code is out of quota until/);

    const asked = anthropic.requests.length;
    const alone = await suite.place();
    const second = await alone.issue('One file', 'Write TASK-four');
    await alone.comment(second, '/maestro run provider=claude-code');
    const parked = await alone.until('the run waits', async () =>
      (await alone.runs()).find(({ state }) => state === 'parked'),
    );
    expect((parked.parkedUntil ?? 0) - Date.now()).toBeGreaterThan(3_000_000);
    await alone.until('the time in the status comment', async () =>
      (await alone.answers(second))[0]?.includes('claude-code is out of quota until'),
    );
    expect(anthropic.requests.length).toBe(asked);
    await alone.comment(second, '/maestro stop');
    expect(await alone.settledRun()).toMatchObject({ state: 'stopped' });
  });
});
