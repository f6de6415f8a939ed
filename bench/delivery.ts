import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { openStore } from '../src/store/open.ts';
import { createLog } from '../src/telemetry/log.ts';
import type { Bench, BenchContext, Figure } from './figure.ts';
import { startProcess, type ServerProcess } from './server-process.ts';
import { median, quantile } from './statistics.ts';
import { createWebhookClient, pushPayload } from './webhook-client.ts';

const SECRET = 'bench-secret';
const BURST = 1_000;
/** Connections a burst comes over; GitHub itself uses fewer. */
const BURST_CONNECTIONS = 50;

/** GitHub counts a delivery as failed that is not answered in ten seconds (docs, "Best practices for using webhooks"). */
const GITHUB_GIVES_UP_MS = 10_000;

interface Contender {
  readonly name: string;
  readonly server: ServerProcess;
  readonly url: string;
  /** How to open its store once it has stopped; none for the baseline. */
  readonly store: { readonly databaseUrl?: string; readonly directory: string } | undefined;
}

/** Delivery → 202: our app on both stores beside a bare Probot handler that adds one BullMQ job. */
export const delivery: Bench = async (context) => {
  await using stack = new AsyncDisposableStack();
  const home = await mkdtemp(join(tmpdir(), 'maestro-bench-'));
  stack.defer(() => rm(home, { recursive: true, force: true }));
  const contenders = await startContenders(context, home, stack);
  const body = pushPayload();
  const rounds = context.quick ? 3 : 7;
  const perRound = context.quick ? 150 : 400;
  const times = contenders.map((): number[][] => []);
  const clients = contenders.map(({ url }) => createWebhookClient({ url, secret: SECRET, body, connections: 1 }));
  for (let round = 0; round <= rounds; round += 1) {
    const took = contenders.map((): number[] => []);
    for (let turn = 0; turn < perRound; turn += 1) {
      for (const [at, client] of clients.entries()) {
        const { status, ms } = await client.deliver();
        if (status >= 300) throw new Error(`${contenders[at]?.name} answered ${status}`);
        took[at]?.push(ms);
      }
    }
    // The first round warms up.
    if (round > 0) for (const [at, list] of took.entries()) times[at]?.push(list);
  }
  for (const client of clients) client[Symbol.dispose]();
  const perStore = times.map((list) => ({
    median: median(list.map(median)),
    p99: median(list.map((one) => quantile(one, 0.99))),
  }));

  const [bare, ...ours] = contenders;
  const [bareTimes, ...ourTimes] = perStore;
  const note = `one after another, 20 kB, ${rounds} rounds of ${perRound}; baseline: a bare Probot handler adding one BullMQ job on Redis`;
  const figures: Figure[] = ours.flatMap(({ name }, at) => [
    figure(`delivery → 202, saved: median, ${name}`, ourTimes[at]?.median, bareTimes?.median, note),
    figure(`delivery → 202, saved: p99, ${name}`, ourTimes[at]?.p99, bareTimes?.p99, note),
  ]);
  const bareBurst = bare === undefined ? undefined : await burst(bare, body, 0);
  for (const contender of ours) {
    context.say(`a burst of ${BURST} on ${contender.name}`);
    const heard = contender.server.said('delivery handled').length;
    const { p99 } = await burst(contender, body, heard);
    const lost = await unsettled(contender, (rounds + 1) * perRound + BURST);
    figures.push(
      {
        name: `burst of ${BURST}: p99, ${contender.name}`,
        ours: p99,
        baseline: undefined,
        unit: 'ms',
        target: { most: GITHUB_GIVES_UP_MS },
        note: `over ${BURST_CONNECTIONS} connections, the bare handler ${Math.round(bareBurst?.p99 ?? 0)} ms; GitHub waits 10 s`,
      },
      {
        name: `burst of ${BURST}: lost, ${contender.name}`,
        ours: lost,
        baseline: undefined,
        unit: 'deliveries',
        target: { most: 0 },
        note: 'not settled in the record after the app was stopped, of all that were sent',
      },
    );
  }
  return figures;
};

function figure(name: string, ours = Number.NaN, baseline = Number.NaN, note = ''): Figure {
  return { name, ours, baseline, unit: 'ms', target: { most: 2 }, note };
}

async function startContenders(
  context: BenchContext,
  home: string,
  stack: AsyncDisposableStack,
): Promise<readonly Contender[]> {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const app = { APP_ID: '1', PRIVATE_KEY: privateKey, WEBHOOK_SECRET: SECRET };
  const redis = await context.components.redisUrl();
  const databaseUrl = await context.components.databaseUrl();
  const ourApp = join(import.meta.dirname, '../src/app/main.ts');
  const starts = [
    { name: 'bare Probot', script: join(import.meta.dirname, 'bare-probot.ts'), env: { REDIS_URL: redis } },
    { name: 'PGlite', script: ourApp, env: {}, store: {} },
    {
      name: 'Postgres + Redis',
      script: ourApp,
      env: { DATABASE_URL: databaseUrl, REDIS_URL: redis },
      store: { databaseUrl },
    },
  ];
  return await Promise.all(
    starts.map(async ({ name, script, env, store }, at) => {
      const MAESTRO_HOME = join(home, String(at));
      const server = stack.use(startProcess(script, { ...app, PORT: '0', MAESTRO_HOME, ...definedOf(env) }));
      const { url } = await server.says('listening for webhooks');
      const directory = join(MAESTRO_HOME, 'database');
      return { name, server, url: String(url), store: store === undefined ? undefined : { ...store, directory } };
    }),
  );
}

function definedOf(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter((pair): pair is [string, string] => pair[1] !== undefined));
}

/** Sends a burst, and waits until as many more deliveries are handled as were taken. */
async function burst(to: Contender, body: Buffer, heardBefore: number): Promise<{ readonly p99: number }> {
  using client = createWebhookClient({ url: to.url, secret: SECRET, body, connections: BURST_CONNECTIONS });
  const answers = await Promise.all(Array.from({ length: BURST }, async () => await client.deliver()));
  const refused = answers.filter(({ status }) => status >= 300).length;
  if (refused > 0) throw new Error(`${to.name} refused ${refused} of ${BURST} deliveries`);
  for (const until = Date.now() + 60_000; to.store !== undefined && Date.now() < until; await pause(50)) {
    if (to.server.said('delivery handled').length >= heardBefore + BURST) break;
  }
  return {
    p99: quantile(
      answers.map(({ ms }) => ms),
      0.99,
    ),
  };
}

/** Stops an app and counts, of `sent` deliveries, those its record does not hold as settled. */
async function unsettled(of: Contender, sent: number): Promise<number> {
  if (of.store === undefined) return 0;
  await of.server[Symbol.asyncDispose]();
  const { store, database } = await openStore({ ...of.store, log: createLog({ level: 'silent' }) });
  try {
    const { rows } = await database.query<{ settled: number }>(
      "SELECT count(*)::int AS settled FROM maestro.deliveries WHERE state = 'settled'",
    );
    return sent - (rows[0]?.settled ?? 0);
  } finally {
    await store.close();
  }
}
