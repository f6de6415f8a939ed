import { setTimeout as pause } from 'node:timers/promises';
import pg from 'pg';
import { expect, it } from 'vitest';
import { createWebhookClient, pushPayload } from '../../bench/webhook-client.ts';
import { quantile } from '../../bench/statistics.ts';
import { describeWith } from '../setup/require.ts';
import { openStage } from './program.ts';
import { isThorough } from './thorough.ts';

/** Fault F07: a thousand deliveries a second for half a minute; every day less of it. */
const STORM = isThorough ? { perSecond: 1_000, seconds: 30 } : { perSecond: 200, seconds: 5 };

/** Repositories it comes from: more than are dealt with at the same time. */
const NOISY = 12;

/** Connections of each. */
const CONNECTIONS = 16;

/** How often a few more are sent. Milliseconds. */
const BEAT_MS = 20;

/** Longest the p99 of the answers may be, on a machine that has nothing else to do. Milliseconds. */
const P99_MS = 500;

interface Counts {
  readonly pending: number;
  readonly settled: number;
}

describeWith('postgres', 'a storm of webhooks', () => {
  it('is acknowledged and kept, none of it is lost, and nobody has to wait until it is over', async () => {
    const stage = await openStage();
    const product = await stage.start();
    const url = `${await product.url()}/api/github/webhooks`;
    const issue = await stage.place.issue('One thing', '`scripted: write a.txt a`');
    const database = new pg.Client({ connectionString: stage.env['DATABASE_URL'] });
    await database.connect();
    /** The storm's own deliveries, of those that came up to a time. */
    const counts = async (upTo = Number.MAX_SAFE_INTEGER): Promise<Counts> => {
      const { rows } = await database.query<Counts>(
        `SELECT count(*) FILTER (WHERE state = 'pending')::int AS pending, count(*) FILTER (WHERE state = 'settled')::int AS settled
         FROM maestro.deliveries WHERE lane = ANY($1) AND received_at <= $2`,
        [Array.from({ length: NOISY }, (_, at) => String(7_000_000 + at)), upTo],
      );
      return rows[0] ?? { pending: 0, settled: 0 };
    };
    try {
      const storm = sendStorm(url, stage.github.app.webhookSecret);
      await pause(STORM.seconds * 800);
      await stage.place.label(issue);
      await stage.github.control.hooksQuiet();
      const asked = Date.now();
      const before = await counts(asked);
      await stage.place.until('the run', async () => (await stage.place.runs())[0]);
      const after = await counts(asked);
      const answers = await storm;

      const statuses = new Set(answers.map(({ status }) => status));
      expect([...statuses]).toEqual([202]);
      const times = answers.map(({ ms }) => ms);
      expect(isThorough ? quantile(times, 0.99) : 0).toBeLessThan(P99_MS);
      // What came before it does not go before it.
      expect(after.pending).toBeGreaterThan(before.pending > 400 ? before.pending / 4 : -1);
      await stage.place.until('the end of it', async () => (await counts()).pending === 0, 600_000);
      expect((await counts()).settled).toBe(answers.length);
      expect(await stage.place.settledRun()).toMatchObject({ state: 'succeeded' });
    } finally {
      await database.end();
    }
  }, 900_000);
});

/** Sends so many a second, however long the answers take. Gives the answers. */
async function sendStorm(
  url: string,
  secret: string,
): Promise<readonly { readonly status: number; readonly ms: number }[]> {
  const payload = pushPayload().toString();
  const clients = Array.from({ length: NOISY }, (_, at) => {
    const body = Buffer.from(payload.replace('"repository":{"id":7,', `"repository":{"id":${7_000_000 + at},`));
    return createWebhookClient({ url, secret, body, connections: CONNECTIONS });
  });
  const sent: Promise<{ readonly status: number; readonly ms: number }>[] = [];
  const began = performance.now();
  const all = STORM.perSecond * STORM.seconds;
  while (sent.length < all) {
    const due = Math.min(all, ((performance.now() - began) / 1_000) * STORM.perSecond);
    while (sent.length < due) {
      const client = clients[sent.length % NOISY];
      if (client !== undefined) sent.push(client.deliver());
    }
    await pause(BEAT_MS);
  }
  const answers = await Promise.all(sent);
  for (const client of clients) client[Symbol.dispose]();
  return answers;
}
