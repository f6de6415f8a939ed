import { setTimeout as pause } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startRedis, type TestRedis } from '../setup/redis.ts';
import { describeWith } from '../setup/require.ts';
import { openWire, type Wire } from '../setup/wire.ts';
import type { Place } from './place.ts';
import { isThorough } from './thorough.ts';
import { useHarness } from './suite.ts';

/** How long each fault lasts: seconds in every run of the tests, up to a minute in a thorough one. */
const AWAY_MS = isThorough ? [1_000, 10_000, 25_000, 60_000] : [3_000];

const WORK = '`scripted: write 1.txt 1` `scripted: say now` `scripted: sleep 2s`';

describeWith(['postgres', 'redis'], 'when Redis', () => {
  let redis: TestRedis;
  let wire: Wire;
  let client: Redis;
  beforeAll(async () => {
    redis = await startRedis();
    wire = await openWire(Number(new URL(redis.url).port));
    client = new Redis(redis.url);
    client.on('error', () => undefined);
  });
  const suite = useHarness(() => ({ runner: 'local', env: { REDIS_URL: `redis://127.0.0.1:${wire.port}` } }));
  afterAll(async () => {
    client.disconnect();
    await wire[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
  });

  const faults: readonly (readonly [string, () => Promise<void>, () => Promise<void>])[] = [
    [
      'stands still',
      async () => void process.kill(redis.pid, 'SIGSTOP'),
      async () => void process.kill(redis.pid, 'SIGCONT'),
    ],
    ['is killed and started again', async () => redis.kill(), async () => redis.restart()],
    ['is cut off', async () => wire.cut(), async () => wire.mend()],
    ['is out of reach, without a word', async () => wire.stall(), async () => wire.mend()],
    [
      'has no memory left',
      async () => void (await client.config('SET', 'maxmemory', '1')),
      async () => void (await client.config('SET', 'maxmemory', '0')),
    ],
    [
      'has become a read-only replica',
      async () => void (await client.replicaof('127.0.0.1', '1')),
      async () => void (await client.replicaof('NO', 'ONE')),
    ],
  ];

  // A stall is a stop, and a replica a full memory, to those who ask: the short run is content with one of each.
  it.each(
    (isThorough ? faults : faults.filter(([what]) => !/without a word|replica/.test(what))).flatMap(
      ([what, begin, end]) => AWAY_MS.map((ms) => [what, ms, begin, end] as const),
    ),
  )('%s for %d ms, webhooks are taken and runs go on after it, each once', async (_what, ms, begin, end) => {
    const working = await suite.place();
    const asked = await suite.place();
    const [workingIssue, askedIssue] = [await working.issue('One thing', WORK), await asked.issue('One thing', WORK)];
    await working.label(workingIssue);
    await working.until('an agent at work', async () => await working.agentSaid('"now"'));

    await begin();
    try {
      await asked.label(askedIssue);
      await suite.harness().github.control.hooksQuiet();
      expect(takenIn(asked)).toStrictEqual(expect.arrayContaining([202]));
      expect(takenIn(asked).filter((status) => status !== 202)).toStrictEqual([]);
      await pause(ms);
    } finally {
      await end();
    }

    for (const [place, issue] of [
      [working, workingIssue],
      [asked, askedIssue],
    ] as const) {
      const run = await place.settledRun();
      expect(run).toMatchObject({ state: 'succeeded' });
      expect(run.tasks.map(({ outcome }) => outcome?.kind)).toStrictEqual(['committed']);
      expect(await place.pulls()).toHaveLength(1);
      expect(await place.answers(issue)).toHaveLength(1);
    }
  });

  it('loses everything while runs are at every point, the queue is filled again from the store', async () => {
    const rounds = isThorough ? 20 : 1;
    for (let round = 0; round < rounds; round += 1) {
      const places = await Promise.all(Array.from({ length: 5 }, async () => await suite.place()));
      // Three runs are worked on at a time: the others wait in line.
      for (const place of places) await place.label(await place.issue('One thing', WORK));
      // What is put in line after the flush would not be missing from it.
      for (const place of places) await place.until('the run is there', async () => (await place.runs()).length === 1);
      await pause(1_000 + ((round * 7_919) % 4_000));
      const before = suite.harness().log.length;
      await client.flushall();
      await places[0]?.until(
        'the queue filled again',
        async () =>
          suite
            .harness()
            .log.slice(before)
            .some((line) => line.includes('were missing from the queue')),
        60_000,
      );

      for (const place of places) {
        const run = await place.settledRun();
        expect(run).toMatchObject({ state: 'succeeded' });
        expect(run.tasks.map(({ outcome }) => outcome?.kind)).toStrictEqual(['committed']);
        expect(await place.pulls()).toHaveLength(1);
      }
    }
  });

  /** What GitHub was answered to its deliveries about a repository. */
  function takenIn(place: Place): readonly number[] {
    return suite
      .harness()
      .github.control.deliveries()
      .filter(({ repositoryId }) => repositoryId === place.id)
      .map(({ statusCode }) => statusCode);
  }
});
