import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { type OwnEngine, shareImage, startOwnEngine, whyNoOwnEngine } from '../setup/own-engine.ts';
import { describeWith } from '../setup/require.ts';
import { useHarness } from './suite.ts';

const WORK =
  '- [ ] One `scripted: write 1.txt 1`\n- [ ] Two `scripted: say now` `scripted: sleep 4s` `scripted: write 2.txt 2`\n';

/** Room for the image, and some. */
const DISK_BYTES = 1024 ** 3;

const skipped = whyNoOwnEngine === undefined ? '' : ` (skipped, because ${whyNoOwnEngine})`;

describeWith(['docker', 'agentImage'], 'when the Docker engine', () => {
  describe.skipIf(whyNoOwnEngine !== undefined)(`is the worker's own${skipped}:`, () => {
    let engine: OwnEngine;
    let image = '';
    beforeAll(async () => {
      engine = await startOwnEngine(DISK_BYTES);
      image = await shareImage(inject('dockerHost') ?? '', engine.host);
    });
    // Before the product's own, which look at the engine: what is declared first is done last.
    afterAll(async () => {
      await engine[Symbol.asyncDispose]();
    });
    const suite = useHarness(() => ({
      runner: 'docker',
      env: { MAESTRO_IMAGE: image },
      dockerHost: engine.host,
      patience: { callMs: 5_000, deathMs: 8_000 },
    }));

    it.each([
      ['is restarted', 'SIGTERM'],
      ['is killed', 'SIGKILL'],
    ] as const)('%s while an agent works, the task is tried again, and nobody blames the agent', async (_, signal) => {
      const place = await suite.place();
      const issue = await place.issue('Two things', WORK);
      await place.label(issue);
      await place.until('the agent at work', async () => await place.agentSaid('"now"'));
      await engine.end(signal);
      await engine.start();

      const run = await place.settledRun();
      expect(run.tasks.map(({ outcome }) => outcome)).toMatchObject([{ kind: 'committed' }, { kind: 'committed' }]);
      const sessions = await suite.harness().store.sessionsOf(run.id, run.tasks[1]?.key);
      expect(sessions[0]).toMatchObject({ outcome: { kind: 'failed', failure: { kind: 'infra' } } });
      expect(sessions.at(-1)).toMatchObject({ outcome: { kind: 'committed' } });
      expect(await place.pulls()).toHaveLength(1);
      expect(await place.answers(issue)).toHaveLength(1);
    });

    it('has no disk left, runs wait and say so, no attempt is held against the task, and they go on when there is room', async () => {
      await engine.fill();
      const place = await suite.place();
      const issue = await place.issue('One thing', '`scripted: write a.txt a`');
      await place.label(issue);
      const told = await place.until('the comment', async () =>
        (await place.answers(issue)).find((answer) => /no space left on device/i.test(answer)),
      );
      expect(told).toContain('is waiting');
      // It waits 1, 2, 4 seconds in this harness: a fourth wait is more than the three tries that a task has.
      await place.until('four waits', async () => ((await place.runs())[0]?.setbacks?.waits ?? 0) >= 4);
      await engine.empty();

      const run = await place.settledRun();
      expect(run).toMatchObject({ state: 'succeeded' });
      expect(await place.pulls()).toHaveLength(1);
    });
  });
});
