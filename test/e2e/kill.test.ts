import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { neverPassed, passagesOf } from '../kill/plan.ts';
import { runTrial } from '../kill/run-trial.ts';
import { trialNamed } from '../kill/trial.ts';
import { openWorld, type Components, type World } from '../kill/world.ts';
import { describeWith } from '../setup/require.ts';

/** One for each family of effects; `npm run test:kill` has them all. */
const SAMPLE = [
  'kill:server:local:app:inbox.after-effect:1',
  'kill:server:local:app:plan.after-effect:1',
  'kill:server:local:worker:claim.after-effect:1',
  'kill:server:local:worker:session.after-effect:2',
  'kill:server:local:worker:capture.after-effect:1',
  'kill:server:local:worker:push.after-effect:2',
  'kill:server:local:worker:open.after-effect:1',
  'kill:server:local:worker:rewind.after-effect:1',
  'kill:server:local:worker:exec.after-effect:1',
  'kill:server:local:worker:settle.after-intent:1',
  'kill:server:local:worker:end.before-intent:1',
  'zombie:server:local:worker:push.after-intent:1',
];

const components = (): Components => ({
  postgresUrl: inject('postgresUrl') ?? '',
  redisUrl: inject('redisUrl') ?? '',
  dockerHost: inject('dockerHost'),
  agentImage: inject('agentImage'),
});

describeWith(['postgres', 'redis'], 'cut off at a failpoint, app and worker', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(components(), { topology: 'server', runner: 'local' });
  });
  afterAll(async () => await world[Symbol.asyncDispose]());

  it('pass every failpoint there is when nothing cuts them off', async () => {
    const passages = await passagesOf(components(), { topology: 'server', runner: 'local' });
    expect(neverPassed(passages)).toEqual([]);
  });

  it.each(SAMPLE)('come to the same end as undisturbed: %s', async (name) => {
    const { problems, hit, log } = await runTrial(world, trialNamed(name));
    expect({ again: `npm run replay -- ${name}`, hit, problems, log: problems.length > 0 ? log : [] }).toEqual({
      again: expect.any(String),
      hit: true,
      problems: [],
      log: [],
    });
  });
});

describe('cut off at a failpoint, both in one process on the embedded database', () => {
  it('come to the same end as undisturbed', async () => {
    const trial = trialNamed('kill:up:local:up:push.after-effect:1');
    await using world = await openWorld(components(), trial);
    expect(await runTrial(world, trial)).toMatchObject({ problems: [], hit: true });
  });
});
