import { createHmac, randomUUID } from 'node:crypto';
import { Agent, request } from 'node:http';

/** Sends signed deliveries as GitHub does, over kept-alive connections. */
export interface WebhookClient extends Disposable {
  /** Sends one; gives the status and how long the answer took. Milliseconds. */
  deliver(): Promise<{ readonly status: number; readonly ms: number }>;
}

/** A client for the webhooks at `url`, with as many connections as needed up to `connections`. */
export function createWebhookClient(to: {
  readonly url: string;
  readonly secret: string;
  readonly body: Buffer;
  readonly connections: number;
}): WebhookClient {
  const agent = new Agent({ keepAlive: true, maxSockets: to.connections });
  const signature = `sha256=${createHmac('sha256', to.secret).update(to.body).digest('hex')}`;
  const { hostname, port } = new URL(to.url);
  return {
    deliver: () =>
      new Promise((resolve, reject) => {
        // From when a connection is free for it: GitHub's clock starts no earlier.
        let began = performance.now();
        const sending = request({
          agent,
          hostname,
          port,
          path: '/api/github/webhooks',
          method: 'POST',
          headers: {
            'content-type': 'application/json',
            'content-length': to.body.length,
            'user-agent': 'GitHub-Hookshot/bench',
            'x-github-delivery': randomUUID(),
            'x-github-event': 'push',
            'x-hub-signature-256': signature,
          },
        });
        sending.once('error', reject);
        sending.once('socket', () => {
          began = performance.now();
        });
        sending.once('response', (response) => {
          response.resume();
          response.once('end', () => resolve({ status: response.statusCode ?? 0, ms: performance.now() - began }));
        });
        sending.end(to.body);
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** A push payload of about 20 kB, to a branch nobody listens to: what costs is hearing it. */
export function pushPayload(): Buffer {
  const commits = Array.from({ length: 36 }, (_, at) => ({
    id: sha(at + 1),
    message: `Change number ${at}: ${'so that the next reader understands why, '.repeat(8)}`,
    timestamp: '2026-01-01T00:00:00Z',
    author: { name: 'Ada', email: 'ada@example.com', username: 'ada' },
    added: [`src/part-${at}/index.ts`],
    modified: [`docs/part-${at}.md`],
    removed: [],
  }));
  return Buffer.from(
    JSON.stringify({
      ref: 'refs/heads/topic',
      before: sha(1),
      after: sha(36),
      commits,
      head_commit: commits.at(-1),
      repository: {
        id: 7,
        name: 'demo',
        full_name: 'acme/demo',
        owner: { id: 3, login: 'acme' },
        default_branch: 'main',
        pushed_at: 1_767_225_600,
      },
      installation: { id: 11 },
      sender: { id: 5, login: 'ada', type: 'User' },
    }),
  );
}

function sha(seed: number): string {
  return seed.toString(16).padStart(40, '0');
}
