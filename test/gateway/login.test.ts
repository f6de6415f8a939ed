import { fork } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startModelEndpoint } from '../../local-model/server.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { loginAccess } from '../../src/gateway/login-access.ts';
import { CLAUDE_LOGIN, CODEX_LOGIN } from '../../src/gateway/login-file.ts';
import { ask, grant, startGateway } from './world.ts';

const HOUR = 3_600_000;

/** A token endpoint whose refresh tokens are good once: whoever shows an old one is logged out, as with the real ones. */
async function startTokens(options: { readonly delayMs?: number } = {}) {
  let generation = 1;
  let asked = 0;
  let isAway = false;
  const server = createServer((request, response) => {
    void json(request).then(async (body) => {
      asked += 1;
      await pause(options.delayMs ?? 50);
      const isRight = (body as { refresh_token?: string }).refresh_token === `refresh-${generation}`;
      if (isAway) return response.writeHead(503).end();
      if (!isRight) return response.writeHead(400).end(JSON.stringify({ error: 'invalid_grant' }));
      generation += 1;
      const answer = { access_token: `access-${generation}`, refresh_token: `refresh-${generation}`, expires_in: 3600 };
      return response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const tokenUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`;
  return { tokenUrl, asked: () => asked, goAway: () => (isAway = true) };
}

async function claudeFile(expiresAt: number): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'login-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const path = join(directory, '.credentials.json');
  const oauth = {
    accessToken: 'access-1',
    refreshToken: 'refresh-1',
    expiresAt,
    scopes: ['a'],
    subscriptionType: 'max',
  };
  await writeFile(path, JSON.stringify({ claudeAiOauth: oauth, other: 1 }), { mode: 0o600 });
  return path;
}

const request = { method: 'POST', url: new URL('http://x/'), headers: {}, body: undefined };

describe('a subscription’s login that many use', () => {
  test('is renewed once when twenty sessions at once need it, and reaches the endpoint in place of the placeholder', async () => {
    const tokens = await startTokens();
    const path = await claudeFile(Date.now() - 1);
    const model = await startModelEndpoint({ port: 0, keys: ['access-2'], script: [{ text: 'Hello.' }] });
    onTestFinished(() => model[Symbol.asyncDispose]());
    const key = loginAccess({ kind: CLAUDE_LOGIN, path, clock: systemClock, tokenUrl: tokens.tokenUrl });
    const gateway = await startGateway();
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const wire = await gateway.open(
          grant({ session: `s${index}`, model: { protocol: 'anthropic', upstream: model.url, key } }),
        );
        const headers = { 'x-api-key': wire.placeholder, 'anthropic-beta': 'claude-code-20250219' };
        return await ask(wire, { target: '/anthropic/v1/messages', headers, body: '{"model":"m","messages":[]}' });
      }),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(tokens.asked()).toBe(1);
    expect(model.requests[0]?.headers).toMatchObject({
      authorization: 'Bearer access-2',
      'anthropic-beta': 'claude-code-20250219,oauth-2025-04-20',
    });
    expect(model.requests[0]?.headers).not.toHaveProperty('x-api-key');
    expect(JSON.parse(await readFile(path, 'utf8'))).toMatchObject({
      claudeAiOauth: { accessToken: 'access-2', refreshToken: 'refresh-2', subscriptionType: 'max' },
      other: 1,
    });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('is renewed once by several processes', async () => {
    const tokens = await startTokens({ delayMs: 300 });
    const path = await claudeFile(Date.now() - 1);
    const said = await Promise.all(
      [1, 2, 3].map(
        async () =>
          await new Promise((resolve, reject) => {
            const child = fork(join(import.meta.dirname, '../fixtures/login-user.ts'), [path, tokens.tokenUrl]);
            child.once('message', resolve);
            child.once('error', reject);
            child.once('exit', (code) => reject(new Error(`ended with ${code}`)));
          }),
      ),
    );
    expect(said).toEqual(['Bearer access-2', 'Bearer access-2', 'Bearer access-2']);
    expect(tokens.asked()).toBe(1);
  });

  test('is renewed before its time when the endpoint does not accept it', async () => {
    const tokens = await startTokens();
    const path = await claudeFile(Date.now() + HOUR);
    const access = loginAccess({ kind: CLAUDE_LOGIN, path, clock: systemClock, tokenUrl: tokens.tokenUrl });
    expect((await access.authorize(request)).headers['authorization']).toBe('Bearer access-1');
    access.refused?.();
    expect((await access.authorize(request)).headers['authorization']).toBe('Bearer access-2');
    expect(tokens.asked()).toBe(1);
  });

  test('is used to its end while the place that renews it is away; after that it says what to do', async () => {
    const tokens = await startTokens();
    tokens.goAway();
    const soon = await claudeFile(Date.now() + 60_000);
    const early = loginAccess({ kind: CLAUDE_LOGIN, path: soon, clock: systemClock, tokenUrl: tokens.tokenUrl });
    expect((await early.authorize(request)).headers['authorization']).toBe('Bearer access-1');
    const over = await claudeFile(Date.now() - 1);
    const late = loginAccess({ kind: CLAUDE_LOGIN, path: over, clock: systemClock, tokenUrl: tokens.tokenUrl });
    await expect(late.authorize(request)).rejects.toThrow(/answered 503/);
  });

  test('that somebody else has used up asks for a new one, without a token in its words', async () => {
    const tokens = await startTokens();
    const path = await claudeFile(Date.now() - 1);
    await writeFile(path, (await readFile(path, 'utf8')).replace('refresh-1', 'refresh-0'));
    const access = loginAccess({ kind: CLAUDE_LOGIN, path, clock: systemClock, tokenUrl: tokens.tokenUrl });
    const failure = await access.authorize(request).then(
      () => '',
      (error: unknown) => String(error),
    );
    expect(failure).toMatch(/invalid_grant.*Log in again with `claude auth login`/);
    expect(failure).not.toMatch(/refresh-0|access-1/);
  });

  test('of Codex is known by its token’s own end, and says whose account it is', async () => {
    const claims = Buffer.from(JSON.stringify({ exp: Math.floor((Date.now() + HOUR) / 1000) })).toString('base64url');
    const path = await claudeFile(0);
    const tokens = { access_token: `x.${claims}.y`, refresh_token: 'r', account_id: 'acc-1' };
    await writeFile(path, JSON.stringify({ OPENAI_API_KEY: null, tokens }));
    const access = loginAccess({ kind: CODEX_LOGIN, path, clock: systemClock, tokenUrl: 'http://127.0.0.1:9/' });
    expect((await access.authorize(request)).headers).toEqual({
      authorization: `Bearer x.${claims}.y`,
      'chatgpt-account-id': 'acc-1',
    });
  });
});
