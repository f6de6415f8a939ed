import { describe, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import type { Place } from './place.ts';
import { useHarness, useModel } from './suite.ts';

/** On a machine that is busy. */
const PATIENCE_MS = 200_000;

async function ends(place: Place): Promise<void> {
  await place.until(
    'the end of the run',
    async () => (await place.runs()).some(({ endedAt }) => endedAt !== undefined),
    PATIENCE_MS,
  );
}

/** The status comment as people read it: a dollar sign is written so that GitHub reads no formula. */
async function status(place: Place, issue: number): Promise<string> {
  return ((await place.answers(issue))[0] ?? '').replaceAll('&#36;', '$');
}

/** A checklist of tasks that cost so much. */
const tasks = (...costs: readonly string[]): string =>
  costs
    .map((cost, at) => `- [ ] Part ${at} \`scripted: write ${at}.txt x\` \`scripted: usage 1000 100 ${cost}\``)
    .join('\n');

describe('a budget', () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_BUDGET_TASK: '$3' } });

  it('of a run ends it before the next task, says so, and a person adds to it', async () => {
    const place = await suite.place();
    const issue = await place.issue('Three', `---\nbudget: $1\n---\n\n${tasks('0.6', '0.6', '0.6')}\n`);
    await place.label(issue);
    await ends(place);
    const ended = await place.settledRun();
    expect(ended.state).toBe('failed');
    expect(ended.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed', 'failed']);
    expect(ended.tasks[2]?.attempts).toBe(0);
    const told = await status(place, issue);
    expect(told).toContain('$1.20 of $1.00');
    expect(told).toContain('The budget of this run is spent: $1.20 of $1.00.');
    expect(told).toContain('Comment `/maestro resume budget=$5`');
    const [pull] = await place.pulls();
    expect(pull?.body).toContain('| Cost | $1.20 of $1.00 |');

    const refused = await place.comment(issue, '/maestro resume budget="500k tokens"');
    await place.until('a refusal', async () =>
      (await place.reactions(`issues/comments/${refused}`)).includes('confused'),
    );
    await place.comment(issue, '/maestro resume budget=$5');
    await place.until('the run is done', async () => (await place.runs())[0]?.state === 'succeeded', PATIENCE_MS);
    expect(await status(place, issue)).toContain('$1.80 of $6.00');
    expect(await suite.harness().store.spentByRun(ended.id)).toMatchObject({ usd: expect.closeTo(1.8) as number });
  });

  it("of a task lets the others go on, and the operator's holds where it is smaller", async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two',
      `---\nbudget: {task: $9}\non-failure: continue\nverify: test -f never.txt\n---\n\n${tasks('3.5')}\n- [ ] Say \`scripted: say nothing to do\`\n`,
    );
    await place.label(issue);
    await ends(place);
    const run = await place.settledRun();
    expect(run.tasks[0]).toMatchObject({
      attempts: 1,
      outcome: {
        failure: {
          kind: 'budget',
          message: 'The budget of this task is spent: $3.50 of $3.00.',
          limit: { scope: 'task', byOperator: true },
        },
      },
    });
    expect(run.tasks[1]?.outcome?.kind).toBe('no-change');
  });
});

describe('a budget for the day', () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_BUDGET_REPOSITORY_DAY: '$1' } });

  it('lets a run wait until the next, with the time shown, while another repository goes on', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two',
      '- [ ] One `scripted: write 1.txt x` `scripted: usage 10 10 1.5`\n- [ ] Two `scripted: write 2.txt x`\n',
    );
    await place.label(issue);
    const parked = await place.until(
      'the run waits',
      async () => (await place.runs()).find(({ state }) => state === 'parked'),
      PATIENCE_MS,
    );
    expect((parked.parkedUntil ?? 0) % 86_400_000).toBe(0);
    expect(parked.parkedUntil).toBeGreaterThan(Date.now());
    await place.until('why', async () =>
      (await status(place, issue)).includes('The budget of this repository for today is spent: $1.50 of $1.00.'),
    );
    const other = await suite.place();
    const there = await other.issue('One', '`scripted: write 1.txt x`');
    await other.label(there);
    expect((await other.settledRun()).state).toBe('succeeded');
    await place.comment(issue, '/maestro stop');
    expect((await place.settledRun()).state).toBe('stopped');
  });
});

describeWith('agentImage', 'a budget, with Claude Code', () => {
  const model = useModel();
  const suite = useHarness(() => ({ runner: 'docker', env: { ANTHROPIC_BASE_URL: model().url } }));

  it('is held at the gateway: the call that goes beyond it is the last', async () => {
    const place = await suite.place();
    const steps = Array.from({ length: 12 }, (_, at) => ({
      bash: `echo ${at} > ${at}.txt`,
      usage: { input: 5_000, output: 100, cached: 0 },
    }));
    const issue = await place.issue(
      'Many calls',
      `---\nbudget: 20k tokens\nprovider: claude-code\n---\n\n- [ ] Do it <<mock ${JSON.stringify(steps)} mock>>\n`,
    );
    await place.label(issue);
    await ends(place);
    const run = await place.settledRun();
    expect(run.tasks[0]?.outcome).toMatchObject({
      kind: 'failed',
      failure: {
        kind: 'budget',
        message: expect.stringMatching(
          /^The budget of this run is spent: 2\d\.\dk tokens of 20\.0k tokens\.$/,
        ) as string,
      },
    });
    const { tokens } = await suite.harness().store.spentByRun(run.id);
    expect(tokens).toBeGreaterThanOrEqual(20_000);
    expect(tokens).toBeLessThan(20_000 + 5_100);
  });
});
