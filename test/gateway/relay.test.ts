import { type ServerResponse } from 'node:http';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { startModelEndpoint, type ModelEndpoint } from '../../local-model/server.ts';
import type { Grant, Wire } from '../../src/gateway/gateway.ts';
import { ask, grant, startGateway, startUpstream, type Answer } from './world.ts';

const KEY = 'real-key-which-nobody-may-see';
const TARGETS = {
  anthropic: '/anthropic/v1/messages',
  openai: '/openai/v1/responses',
  gemini: '/gemini/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
};
type ProtocolName = keyof typeof TARGETS;

async function startModel(script: Script): Promise<ModelEndpoint> {
  const model = await startModelEndpoint({ port: 0, script, keys: [KEY] });
  onTestFinished(() => model[Symbol.asyncDispose]());
  return model;
}

async function openWire(
  upstream: string,
  parts: Partial<Grant> = {},
  protocol: ProtocolName = 'anthropic',
): Promise<Wire> {
  const gateway = await startGateway();
  return gateway.open(grant({ model: { protocol, upstream, key: KEY }, ...parts }));
}

function say(
  wire: Wire,
  options: { headers?: Record<string, string>; target?: string; stream?: boolean } = {},
): Promise<Answer> {
  const { stream = true, target = TARGETS.anthropic } = options;
  const body = JSON.stringify({
    model: 'claude-sonnet-4-5',
    stream,
    messages: [{ role: 'user', content: 'Hello?' }],
    input: 'Hello?',
    contents: [{ role: 'user', parts: [{ text: 'Hello?' }] }],
  });
  const headers = { 'content-type': 'application/json', 'x-api-key': wire.placeholder, ...options.headers };
  return ask(wire, { target, headers, body });
}

const HELLO: Script = [{ text: 'Hello yourself.', usage: { input: 500, output: 7, cached: 100 } }];

describe.each(['anthropic', 'openai', 'gemini'] as const)('a model request of %s', (protocol) => {
  const ways: readonly Record<string, string>[] = [
    { 'x-api-key': 'PLACEHOLDER' },
    { authorization: 'Bearer PLACEHOLDER' },
    { 'x-goog-api-key': 'PLACEHOLDER' },
  ];

  test.each(ways)('with the placeholder as %o gets through with the real key, and is metered', async (way) => {
    const model = await startModel(HELLO);
    const wire = await openWire(model.url, {}, protocol);
    const [[name, value]] = Object.entries(way) as [[string, string]];
    const headers = { 'x-api-key': '', [name]: value.replace('PLACEHOLDER', wire.placeholder) };

    const answer = await say(wire, { target: TARGETS[protocol], headers });

    expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'text/event-stream' } });
    expect(answer.body).toContain('urself.');
    expect(model.requests).toMatchObject([{ key: KEY }]);
    expect(JSON.stringify(model.requests)).not.toContain(wire.placeholder);
    expect(wire.usage()).toMatchObject({ inputTokens: 400, cachedInputTokens: 100, outputTokens: 7 });
  });

  test.each([{}, { 'x-api-key': KEY }, { authorization: 'Bearer ' }, { 'x-api-key': 'maestro-placeholder-guess' }])(
    'with %o in place of the placeholder is answered 401 and goes nowhere',
    async (headers) => {
      const model = await startModel(HELLO);
      const wire = await openWire(model.url, {}, protocol);
      const answer = await ask(wire, { target: TARGETS[protocol], headers });
      expect(answer.status).toBe(401);
      expect(JSON.parse(answer.body)).toHaveProperty('error.message');
      expect(model.requests).toEqual([]);
    },
  );
});

test('another session’s placeholder is worth nothing, nor is one’s own after the session', async () => {
  const model = await startModel(HELLO);
  const gateway = await startGateway();
  const endpoint = { protocol: 'anthropic', upstream: model.url, key: KEY } as const;
  const one = await gateway.open(grant({ session: 'one', model: endpoint }));
  const two = await gateway.open(grant({ session: 'two', model: endpoint }));
  await expect(say(two)).resolves.toMatchObject({ status: 200 });
  await expect(say(two, { headers: { 'x-api-key': one.placeholder } })).resolves.toMatchObject({ status: 401 });
  await two[Symbol.asyncDispose]();
  await expect(say(two)).rejects.toThrow(/ECONNREFUSED/);
});

test('a stream comes through as it is made, not when it is over', async () => {
  const held: ServerResponse[] = [];
  const upstream = await startUpstream((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(
      'data: {"type":"message_start","message":{"model":"claude-sonnet-4-5","usage":{"input_tokens":5}}}\n\n',
    );
    held.push(response);
  });
  const wire = await openWire(upstream);
  const response = await fetch(`${wire.url}${TARGETS.anthropic}`, {
    method: 'POST',
    headers: { 'x-api-key': wire.placeholder },
    body: '{}',
  });
  const reader = response.body!.getReader();
  const first = await reader.read();
  expect(Buffer.from(first.value).toString()).toContain('message_start');
  expect(wire.usage()).toMatchObject({ inputTokens: 5, outputTokens: 0 });
  held[0]!.end('data: {"type":"message_delta","usage":{"output_tokens":9}}\n\n');
  while (!(await reader.read()).done);
  expect(wire.usage()).toMatchObject({ inputTokens: 5, outputTokens: 9 });
});

test('what concerns the client or its connection is not told to the endpoint', async () => {
  const model = await startModel(HELLO);
  const wire = await openWire(model.url);
  await say(wire, {
    headers: {
      'x-api-key': wire.placeholder,
      authorization: 'Bearer stolen',
      cookie: 'a=b',
      'proxy-authorization': 'Basic xyz',
      'x-forwarded-for': '10.0.0.1',
      connection: 'keep-alive, x-hop',
      'x-hop': '1',
      host: 'evil.example',
      'anthropic-beta': 'kept',
    },
  });
  const headers = model.requests[0]!.headers;
  expect(headers).toMatchObject({ 'anthropic-beta': 'kept', 'accept-encoding': 'identity', 'x-api-key': KEY });
  expect(headers['host']).toBe(new URL(model.url).host);
  for (const name of ['authorization', 'cookie', 'proxy-authorization', 'x-forwarded-for', 'x-hop']) {
    expect(headers).not.toHaveProperty(name);
  }
});

describe('the budget', () => {
  test.each([{ tokens: 507 }, { costUsd: 0.001335 }])(
    'of %o allows the request that spends it and no other',
    async (budget) => {
      const model = await startModel(HELLO);
      const wire = await openWire(model.url, { budget });
      await expect(say(wire, { stream: false })).resolves.toMatchObject({ status: 200 });
      expect(wire.exhausted()).toBe(false);
      const refused = await say(wire);
      expect(refused).toMatchObject({ status: 429, headers: { 'x-should-retry': 'false' } });
      expect(JSON.parse(refused.body)).toMatchObject({ error: { type: 'rate_limit_error' } });
      expect(wire.exhausted()).toBe(true);
      expect(model.requests).toHaveLength(1);
    },
  );

  test('not spent refuses nothing', async () => {
    const model = await startModel(HELLO);
    const wire = await openWire(model.url, { budget: { tokens: 508, costUsd: 1 } });
    await say(wire);
    await expect(say(wire)).resolves.toMatchObject({ status: 200 });
    expect(wire.exhausted()).toBe(false);
  });
});

describe('when the endpoint', () => {
  test('is not there, the answer is 502 in the protocol’s shape', async () => {
    const wire = await openWire('http://127.0.0.1:9');
    const answer = await say(wire);
    expect(answer.status).toBe(502);
    expect(JSON.parse(answer.body)).toMatchObject({
      type: 'error',
      error: { message: expect.stringContaining('ECONNREFUSED') },
    });
  });

  test('redirects, nothing is followed', async () => {
    let hits = 0;
    const elsewhere = await startUpstream((_, response) => void ((hits += 1), response.end()));
    const upstream = await startUpstream((_, response) => response.writeHead(307, { location: elsewhere }).end());
    await expect(say(await openWire(upstream))).resolves.toMatchObject({ status: 502 });
    expect(hits).toBe(0);
  });

  test.each([401, 403, 400, 500])('answers %d with the key in it, the client does not see the key', async (status) => {
    const upstream = await startUpstream((_, response) => {
      response.writeHead(status, { 'content-type': 'application/json', 'x-debug': `key ${KEY}` });
      response.end(JSON.stringify({ error: { message: `not with ${KEY}` } }));
    });
    const answer = await say(await openWire(upstream));
    expect(answer.status).toBe(status);
    expect(JSON.stringify(answer)).not.toContain(KEY);
    expect(JSON.parse(answer.body)).toHaveProperty('error.message');
  });

  test('says when to come back, the client hears it', async () => {
    const model = await startModel([{ error: 429, retry_after: 17 }]);
    await expect(say(await openWire(model.url))).resolves.toMatchObject({
      status: 429,
      headers: { 'retry-after': '17' },
    });
  });

  test('breaks off in the middle, so does the answer, and what was seen is metered', async () => {
    const model = await startModel([{ text: 'Hello there.', cut: true }]);
    const wire = await openWire(model.url);
    await expect(say(wire)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
    expect(wire.usage()).toMatchObject({ inputTokens: 1000 });
  });
});

describe('a request that is', () => {
  test.each([
    ['GET', '/'],
    ['POST', '/openai/v1/responses'],
    ['POST', '/anthropic/v1/files'],
    ['OPTIONS', '*'],
  ])('for something else (%s %s) finds nothing', async (method, target) => {
    const model = await startModel(HELLO);
    const wire = await openWire(model.url);
    const answer = await ask(wire, { method, target, headers: { 'x-api-key': wire.placeholder } });
    expect(answer.status).toBe(target === '*' ? 403 : 404);
    expect(model.requests).toEqual([]);
  });

  test('too large by what it says is refused at once', async () => {
    const model = await startModel(HELLO);
    const wire = await openWire(model.url);
    const headers = { 'x-api-key': wire.placeholder, 'content-length': String(64 * 1024 * 1024 + 1) };
    await expect(ask(wire, { target: TARGETS.anthropic, headers })).resolves.toMatchObject({ status: 413 });
    expect(model.requests).toEqual([]);
  });

  test('too large without saying so is cut off at the limit', async () => {
    let received = 0;
    const upstream = await startUpstream((request) =>
      request.on('data', (chunk: Buffer) => (received += chunk.length)),
    );
    const wire = await openWire(upstream);
    const headers = { 'x-api-key': wire.placeholder, 'transfer-encoding': 'chunked' };
    const body = Buffer.alloc(66 * 1024 * 1024);
    const answer = await ask(wire, { target: TARGETS.anthropic, headers, body }).catch((error: unknown) => error);
    expect(answer).toSatisfy((it: Answer | Error) => it instanceof Error || it.status === 413);
    expect(received).toBeLessThanOrEqual(64 * 1024 * 1024);
  });
});

test('closing the wire ends a request that is under way', async () => {
  const model = await startModel([{ text: 'Hello there.', stall: true }]);
  const wire = await openWire(model.url);
  const under = say(wire);
  under.catch(() => {});
  await expect.poll(() => wire.usage().inputTokens).toBe(1000);
  await wire[Symbol.asyncDispose]();
  await expect(under).rejects.toThrow(/aborted|hang up|ECONNRESET/);
});
