import { generateKeyPairSync } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import type { Clock } from '../../src/domain/clock.ts';
import type { Repository } from '../../src/domain/repository.ts';
import { createGithubForge, type GithubForge, type GithubForgeOptions } from '../../src/forge/github/github.ts';

export interface Recorded {
  readonly method: string;
  /** Path and query, without `/api/v3`. */
  readonly path: string;
  readonly authorization: string;
  readonly body: string;
}

/** Answers one request, or returns undefined to leave it to the usual answers. */
export type Answer = (request: Recorded, response: ServerResponse) => unknown;

/** A GitHub that answers as a test says: for replies a well-behaved server never gives. */
export interface ScriptedGithub extends AsyncDisposable {
  readonly baseUrl: string;
  readonly requests: readonly Recorded[];
  /** Requests whose line matches, e.g. `/^POST .*comments/`. */
  matching(line: RegExp): readonly Recorded[];
  forge(options?: Partial<GithubForgeOptions>): GithubForge;
}

export const DEMO: Repository = { id: 1, owner: 'octo', name: 'demo', installationId: 5, defaultBranch: 'main' };

export const BOT = { id: 99, login: 'maestro[bot]' };

const { privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

/** A clock a test moves. */
export function createTestClock(): Clock & { advance(ms: number): void } {
  let offset = 0;
  return {
    now: () => Date.now() + offset,
    monotonic: () => performance.now() + offset,
    advance(ms) {
      offset += ms;
    },
  };
}

/** Starts the server on a free port. It mints tokens `token-1`, `token-2` … and knows the App, its bot and `octo/demo`. */
export async function startScriptedGithub(answer: Answer): Promise<ScriptedGithub> {
  const requests: Recorded[] = [];
  let minted = 0;

  function usual({ method, path }: Recorded): unknown {
    if (path.startsWith('/app/installations/5/access_tokens')) {
      minted += 1;
      return {
        token: `token-${minted}-of-the-installation`,
        expires_at: new Date(Date.now() + 3_600_000).toISOString(),
      };
    }
    if (path === '/app') return { id: 7, slug: 'maestro' };
    if (path.startsWith('/users/')) return BOT;
    if (path === '/repositories/1') return { id: 1, name: 'demo', owner: { login: 'octo' }, default_branch: 'main' };
    if (method === 'GET' && /\/comments\?/u.test(path)) return [];
    return undefined;
  }

  async function handle(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of message) chunks.push(chunk as Buffer);
    const request: Recorded = {
      method: message.method ?? '',
      path: (message.url ?? '').replace('/api/v3', ''),
      authorization: message.headers.authorization ?? '',
      body: Buffer.concat(chunks).toString('utf8'),
    };
    requests.push(request);
    const data = (await answer(request, response)) ?? usual(request);
    if (response.headersSent || response.destroyed) return;
    if (data === HANG) return;
    reply(response, data === undefined ? 404 : 200, data ?? { message: 'Not Found' });
  }

  const server = createServer((message, response) => void handle(message, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v3`;
  return {
    baseUrl,
    requests,
    matching: (line) => requests.filter(({ method, path }) => line.test(`${method} ${path}`)),
    forge: (options) =>
      createGithubForge({
        app: { appId: 7, privateKey },
        baseUrl,
        markerSecret: 'marker secret',
        log: pino({ level: 'silent' }),
        clock: createTestClock(),
        backoffMs: 1,
        writesPerMinute: 1000,
        writesPerHour: 100_000,
        ...options,
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Returned by an answer that never comes. */
export const HANG = Symbol('hang');

/** Sends JSON. */
export function reply(
  response: ServerResponse,
  status: number,
  data: unknown,
  headers: Record<string, string> = {},
): true {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', ...headers });
  response.end(JSON.stringify(data));
  return true;
}
