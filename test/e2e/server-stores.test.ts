import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { createDatabase, type TestDatabase } from '../setup/database.ts';
import { describeWith } from '../setup/require.ts';
import { useHarness } from './suite.ts';

describeWith(['postgres', 'redis'], 'on Postgres and Redis', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createDatabase();
  });
  afterAll(async () => database[Symbol.asyncDispose]());
  const suite = useHarness(() => ({
    runner: 'local',
    env: { DATABASE_URL: database.url, REDIS_URL: inject('redisUrl') ?? '' },
  }));

  it('a label becomes a ready pull request', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Two things',
      '- [ ] One `scripted: write 1.txt 1`\n- [ ] Two `scripted: write 2.txt 2`\n',
    );
    await place.label(issue);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.pulls()).toMatchObject([{ draft: false, head: { ref: run.branch } }]);
    expect(await place.answers(issue)).toHaveLength(1);
  });

  it('a run goes on after its worker was away, and several go side by side', async () => {
    const places = [await suite.place(), await suite.place(), await suite.place()];
    for (const place of places) {
      await place.pushPlaybook(
        'work.md',
        '- [ ] One `scripted: write 1.txt 1` `scripted: say now` `scripted: sleep 2s`\n',
      );
    }
    await places[0]?.until('an agent at work', async () => (await places[0]?.agentSaid('"now"')) ?? false);
    await suite.harness().stopWorker();
    await suite.harness().startWorker();
    for (const place of places) {
      expect(await place.settledRun()).toMatchObject({ state: 'succeeded' });
      expect(await place.pulls()).toHaveLength(1);
    }
  });

  it('a stop reaches a run', async () => {
    const place = await suite.place();
    const issue = await place.issue('One thing', '`scripted: write 1.txt 1` `scripted: say now` `scripted: hang`');
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    await place.comment(issue, '/maestro stop');
    expect(await place.settledRun()).toMatchObject({ state: 'stopped' });
  });
});
