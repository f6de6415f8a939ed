import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { startModelEndpoint } from '../../local-model/server.ts';
import type { Wire } from '../../src/gateway/gateway.ts';
import { PRICES } from '../../src/gateway/prices.ts';
import { NO_READING, usageOf } from '../../src/gateway/reading.ts';
import { readRefusal } from '../../src/gateway/refusal.ts';
import { createRefusals } from '../../src/gateway/refusals.ts';
import { ask, grant, startGateway } from './world.ts';

const NOW = Date.UTC(2026, 10, 22, 12);
const HOUR = 3_600_000;

function refusal(headers: Record<string, string>, body: unknown = {}) {
  return readRefusal({ status: 429, headers, body: JSON.stringify(body), now: NOW });
}

describe('a refusal', () => {
  test.each([
    ['seconds', { 'retry-after': '3600' }, {}],
    ['a date', { 'retry-after': 'Sun, 22 Nov 2026 13:00:00 GMT' }, {}],
    ['milliseconds', { 'retry-after-ms': '3600000' }, {}],
    ["a subscription's reset", { 'anthropic-ratelimit-unified-reset': String((NOW + HOUR) / 1000) }, {}],
    ['a moment in the body', {}, { error: { type: 'usage_limit_reached', resets_at: (NOW + HOUR) / 1000 } }],
    ['a wait in the body', {}, { error: { type: 'usage_limit_reached', resets_in_seconds: 3600 } }],
    [
      'RetryInfo',
      {},
      { error: { status: 'RESOURCE_EXHAUSTED', details: [{ '@type': 'a' }, { retryDelay: '3600s' }] } },
    ],
  ])('says when to come back: %s', (_, headers, body) => {
    expect(refusal(headers, body).resetAt).toBe(NOW + HOUR);
  });

  test.each([[{ 'retry-after': 'soon' }], [{ 'retry-after': '-5' }], [{ 'retry-after-ms': '' }]])(
    'with %o says no time',
    (headers) => {
      expect(refusal(headers).resetAt).toBeUndefined();
    },
  );

  test.each([
    [{ error: { code: 'insufficient_quota', type: 'x' } }, 'insufficient_quota'],
    [{ type: 'error', error: { type: 'rate_limit_error' } }, 'rate_limit_error'],
    [{ error: { code: 429, status: 'RESOURCE_EXHAUSTED' } }, 'RESOURCE_EXHAUSTED'],
    ['no JSON object', undefined],
  ])('holds the endpoint’s own word: %j', (body, code) => {
    expect(refusal({}, body).code).toBe(code);
  });
});

/** Whether a session that saw these is hopeless once its agent had the time to end by itself. */
function afterGrace(...noted: Parameters<ReturnType<typeof createRefusals>['note']>[0][]): boolean {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const refusals = createRefusals();
  for (const one of noted) refusals.note(one);
  vi.advanceTimersByTime(4_900);
  expect(refusals.hopeless.aborted).toBe(false);
  vi.advanceTimersByTime(200);
  refusals.close();
  return refusals.hopeless.aborted;
}

describe('a session’s refusals', () => {
  const at = { at: NOW, code: undefined, resetAt: undefined };

  test.each([
    ['a refused key', { ...at, status: 401 }],
    ['a quota that is back in an hour', { ...at, status: 429, resetAt: NOW + HOUR }],
  ])('are hopeless after %s', (_, noted) => {
    expect(afterGrace(noted)).toBe(true);
  });

  test.each([
    ['a moment’s crowding', [{ ...at, status: 429, resetAt: NOW + 2_000 }]],
    ['a limit without a time', [{ ...at, status: 429 }]],
    ['an overload', [{ ...at, status: 529 }]],
    ['an unreachable endpoint', [{ ...at, status: undefined }]],
    ['a refusal that was followed by an answer', [{ ...at, status: 401 }, undefined]],
  ])('are not hopeless after %s', (_, noted) => {
    expect(afterGrace(...noted)).toBe(false);
  });
});

async function say(wire: Wire): Promise<unknown> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${wire.placeholder}` };
  const body = JSON.stringify({ model: 'gpt-5.5', stream: true, input: 'Hello?' });
  return await ask(wire, { target: '/openai/v1/responses', headers, body }).catch((error: unknown) => error);
}

describe('the wire', () => {
  const KEY = 'real-key';

  async function open(script: Script, upstream?: string): Promise<Wire> {
    const model = await startModelEndpoint({ port: 0, script, keys: [KEY] });
    onTestFinished(() => model[Symbol.asyncDispose]());
    const gateway = await startGateway();
    return gateway.open(grant({ model: { protocol: 'openai', upstream: upstream ?? model.url, key: KEY } }));
  }

  test('remembers why the endpoint did not answer, until it does', async () => {
    const wire = await open([{ error: 'quota', times: 1, retry_after: 3600, text: 'Fine.' }]);
    expect(wire.refusal()).toBeUndefined();
    await say(wire);
    expect(wire.refusal()).toMatchObject({ status: 429, code: 'insufficient_quota' });
    expect((wire.refusal()?.resetAt ?? 0) - (wire.refusal()?.at ?? 0)).toBe(HOUR);
    await say(wire);
    expect(wire.refusal()).toBeUndefined();
  });

  test('knows an endpoint that is not there, and one that breaks off', async () => {
    const nobody = await open([], 'http://127.0.0.1:9');
    await say(nobody);
    expect(nobody.refusal()).toMatchObject({ status: undefined });
    const breaking = await open([{ text: 'This breaks off.', cut: true }]);
    expect(await say(breaking)).toBeInstanceOf(Error);
    await vi.waitFor(() => expect(breaking.refusal()).toMatchObject({ status: undefined }));
  });

  test.each([
    [
      { type: 'response.failed', response: { error: { code: 'context_length_exceeded' } } },
      400,
      'context_length_exceeded',
    ],
    [{ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 529, 'overloaded_error'],
    [{ type: 'error', code: 'rate_limit_exceeded', message: 'Slow down.' }, 429, 'rate_limit_exceeded'],
    [{ type: 'response.output_text.delta', delta: '{"type":"error"}' }, undefined, undefined],
  ])('takes a stream that ends with %j for what it says', async (event, status, code) => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(`data: {"type":"response.created"}\n\ndata: ${JSON.stringify(event)}\n\n`);
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const wire = await open([], `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    await say(wire);
    expect([wire.refusal()?.status, wire.refusal()?.code]).toEqual([status, code]);
  });

  test('finds an endpoint whose base URL ends with the version', async () => {
    const model = await startModelEndpoint({ port: 0, script: [{ text: 'Hi.' }] });
    onTestFinished(() => model[Symbol.asyncDispose]());
    for (const base of ['', '/', '/v1', '/v1/', '/api/v1', '/api']) await say(await open([], model.url + base));
    expect(model.requests.map(({ path }) => path)).toEqual([
      '/v1/responses',
      '/v1/responses',
      '/v1/responses',
      '/v1/responses',
      '/api/v1/responses',
      '/api/v1/responses',
    ]);
  });
});

describe('prices', () => {
  const million = { ...NO_READING, input: 100_000, cacheRead: 100_000, output: 100_000 };

  test.each([
    ['gpt-6.1-sol-2026-09-29', 0.2 + 0.01 + 1],
    ['gpt-5.5', 0.5 + 0.05 + 3],
    ['gemini-2.5-pro', 0.125 + 0.0125 + 1],
    ['gemini-3.1-pro-preview', 0.2 + 0.02 + 1.2],
    ['claude-sonnet-4-5-20250929', 0.3 + 0.03 + 1.5],
  ])('of %s are known', (model, cost) => {
    expect(usageOf({ ...million, model }).costUsd).toBeCloseTo(cost, 6);
  });

  test('of a long prompt are the long ones', () => {
    const long = usageOf({ ...NO_READING, model: 'gemini-2.5-pro', input: 200_001 }).costUsd;
    expect(long).toBeCloseTo(0.5, 4);
  });

  test('of a model nobody knows are not made up', () => {
    expect(usageOf({ ...million, model: 'somebodys-own' }).costUsd).toBeUndefined();
  });

  test('are there once per model', () => {
    const models = PRICES.map(({ model }) => model);
    expect(new Set(models).size).toBe(models.length);
  });
});
