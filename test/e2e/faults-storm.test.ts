import { createHmac, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { openStage } from './program.ts';

/** As in the fault table (F07): so many deliveries a second, each of 20 kB; there for 30 seconds, here for a few. */
const PER_SECOND = 1_000;
const SECONDS = process.env['MAESTRO_TEST_FULL'] === undefined ? 3 : 30;
const BODY_BYTES = 20_000;

/** GitHub counts a delivery as failed that is not answered by then. */
const GITHUB_GIVES_UP_MS = 10_000;

/** Connections GitHub's storm comes over: more than the front door reads at a time. */
const CONNECTIONS = 100;

/** Stands for the status of a delivery whose connection was cut: GitHub shows it as failed, as it does a refused one. */
const CUT = 0;

const MOST_MEMORY = 300 * 1024 ** 2;

describeWith('postgres', 'a storm of webhooks', () => {
  it('is taken or refused at once: none is lost, the memory is bounded, and another repository is not kept waiting', async () => {
    const stage = await openStage();
    const product = await stage.start({ script: ['src/app/main.ts'] });
    const url = await product.url();
    const issue = await stage.place.issue('One thing', '`scripted: write a.txt a`');
    using storm = createStorm(url, stage.github.app.webhookSecret);

    const sent: Promise<Answer>[] = [];
    for (let tick = 0; tick < SECONDS * 100; tick += 1) {
      const due = performance.now() + 10;
      for (let one = 0; one < PER_SECOND / 100; one += 1) sent.push(storm.deliver(randomUUID()));
      if (tick === 100) await stage.place.label(issue);
      await pause(Math.max(0, due - performance.now()));
    }
    const answers = await Promise.all(sent);

    const statuses = new Set(answers.map(({ status }) => status));
    expect([...statuses].filter((status) => ![202, 503, CUT].includes(status))).toEqual([]);
    expect(Math.max(...answers.map(({ ms }) => ms))).toBeLessThan(GITHUB_GIVES_UP_MS);
    const taken = answers.filter(({ status }) => status === 202).map(({ guid }) => guid);
    expect((await stage.store.knownDeliveries(taken)).size).toBe(taken.length);
    // What was refused is delivered again, as GitHub does when it is asked to.
    let refused = answers.filter(({ status }) => status !== 202);
    for (let round = 0; refused.length > 0 && round < 20; round += 1) {
      const again: Answer[] = [];
      for (const { guid } of refused) again.push(await storm.deliver(guid));
      refused = again.filter(({ status }) => status !== 202);
    }
    const all = answers.map(({ guid }) => guid);
    expect((await stage.store.knownDeliveries(all)).size).toBe(SECONDS * PER_SECOND);
    expect(await peakOf(product.pid)).toBeLessThan(MOST_MEMORY);

    const [run] = await stage.place.until('the run of the other repository', async () => {
      const runs = await stage.place.runs();
      return runs.length > 0 ? runs : undefined;
    });
    // Its label was put on in the middle of the storm, whose deliveries were not all dealt with by then.
    expect(run).toMatchObject({ state: 'queued' });
  });
});

interface Answer {
  readonly guid: string;
  readonly status: number;
  /** From when a connection was free for it, as GitHub counts. */
  readonly ms: number;
}

function createStorm(
  url: string,
  secret: string,
): Disposable & { readonly deliver: (guid: string) => Promise<Answer> } {
  const agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS });
  const body = pushOf(BODY_BYTES);
  const signature = `sha256=${createHmac('sha256', secret).update(body).digest('hex')}`;
  const { hostname, port } = new URL(url);
  const headers = {
    'content-type': 'application/json',
    'content-length': body.length,
    'x-github-event': 'push',
    'x-hub-signature-256': signature,
  };
  return {
    deliver: (guid) =>
      new Promise((resolve) => {
        let began = performance.now();
        const path = '/api/github/webhooks';
        const sending = request({
          agent,
          hostname,
          port,
          path,
          method: 'POST',
          headers: { ...headers, 'x-github-delivery': guid },
        });
        // A connection whose last delivery was refused unread is cut a little later, whatever has begun on it by then.
        sending.once('error', () => resolve({ guid, status: CUT, ms: performance.now() - began }));
        sending.once('socket', () => (began = performance.now()));
        sending.once('response', (response) => {
          response.resume();
          response.once('end', () =>
            resolve({ guid, status: response.statusCode ?? 0, ms: performance.now() - began }),
          );
        });
        sending.end(body);
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** A push to a branch that nobody listens to, of a repository with nothing else going on. */
function pushOf(bytes: number): Buffer {
  const push = {
    ref: 'refs/heads/topic',
    before: '1'.padStart(40, '0'),
    after: '2'.padStart(40, '0'),
    commits: [{ message: 'x'.repeat(bytes) }],
    head_commit: null,
    repository: { id: 7, name: 'storm', full_name: 'acme/storm', owner: { login: 'acme' }, default_branch: 'main' },
    installation: { id: 11 },
    sender: { id: 5, login: 'ada', type: 'User' },
  };
  return Buffer.from(JSON.stringify(push));
}

/** The most memory a process has had in use since it began, in bytes. */
async function peakOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024;
}
