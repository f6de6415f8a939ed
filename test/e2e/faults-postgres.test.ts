import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startPostgres, type TestPostgres } from '../setup/postgres.ts';
import { describeWith } from '../setup/require.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';
import { isThorough } from './thorough.ts';

const WORK = '`scripted: write 1.txt 1` `scripted: say now` `scripted: sleep 3s`';

describeWith('postgres', 'when Postgres', () => {
  let postgres: TestPostgres;
  beforeAll(async () => {
    postgres = await startPostgres();
  });
  const suite = useHarness(() => ({ runner: 'local', env: { DATABASE_URL: postgres.url } }));
  afterAll(async () => postgres[Symbol.asyncDispose]());

  it.each(isThorough ? [1_000, 5_000, 20_000] : [2_000])(
    'crashes in the middle of a run and is back after %d ms, webhooks are refused meanwhile and nothing is lost or made twice',
    async (ms) => {
      const working = await suite.place();
      const asked = await suite.place();
      const [workingIssue, askedIssue] = [await working.issue('One', WORK), await asked.issue('One', WORK)];
      await suite.harness().quiet();
      await working.label(workingIssue);
      await working.until('an agent at work', async () => await working.agentSaid('"now"'));

      await postgres.crash();
      const { github } = suite.harness();
      await asked.label(askedIssue);
      await github.control.hooksQuiet();
      const refused = deliveriesOf(asked).filter(({ statusCode }) => statusCode === 503);
      expect(refused.map(({ event, action }) => `${event}.${action}`)).toContain('issues.labeled');
      await pause(ms);
      await postgres.restart();

      // What was not acknowledged GitHub shows as failed, to be delivered again.
      for (const { id } of [...deliveriesOf(working), ...refused].filter(({ statusCode }) => statusCode === 503))
        github.control.redeliver(id);
      for (const place of [working, asked]) {
        const run = await place.settledRun();
        expect(run).toMatchObject({ state: 'succeeded' });
        expect(await place.pulls()).toHaveLength(1);
      }
    },
  );

  function deliveriesOf(place: Place) {
    return suite
      .harness()
      .github.control.deliveries()
      .filter(({ repositoryId }) => repositoryId === place.id);
  }
});
