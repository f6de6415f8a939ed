import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anthropic } from '../../local-model/anthropic.ts';
import { gemini } from '../../local-model/gemini.ts';
import { openAiChat } from '../../local-model/openai-chat.ts';
import { openAiResponses } from '../../local-model/openai-responses.ts';
import type { Protocol } from '../../local-model/protocol.ts';
import { createMeter } from '../../src/gateway/meter.ts';
import { chargeOf, NO_READING, usageOf, type Reading } from '../../src/gateway/reading.ts';
import type { ModelProtocol } from '../../src/gateway/routes.ts';

const PROTOCOLS: readonly (readonly [ModelProtocol, Protocol])[] = [
  ['anthropic', anthropic],
  ['openai', openAiChat],
  ['openai', openAiResponses],
  ['gemini', gemini],
];

const ANSWER = {
  text: 'Schöne "usage" of usageMetadata 🎻',
  thinking: undefined,
  call: { id: '1', name: 'Write', input: { path: 'ä' } },
  usage: { input: 1200, output: 40, cached: 200 },
};

async function metered(protocol: ModelProtocol, contentType: string, chunks: readonly Buffer[]) {
  let reading: Reading = NO_READING;
  const meter = createMeter({ protocol, contentType, report: (next) => (reading = next), failed: () => undefined });
  const passed = await buffer(Readable.from(chunks).pipe(meter));
  return { reading, passed };
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % bytes.length))].sort((a, b) => a - b);
  return [...ends, bytes.length].map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

describe.each(PROTOCOLS)('metering %s (%o)', (protocol, { answer }) => {
  const { events, json } = answer(ANSWER, 'claude-sonnet-4-5');
  const expected = { model: 'claude-sonnet-4-5', input: 1000, cacheRead: 200, output: 40 };

  test.each(['\n', '\r\n'])('reads a stream however it is cut, and passes it on unchanged (%j)', async (newline) => {
    const lines = events.flatMap(({ event, data }) => [
      ...(event === undefined ? [] : [`event: ${event}`]),
      `data: ${typeof data === 'string' ? data : JSON.stringify(data)}`,
      '',
    ]);
    const bytes = Buffer.from(lines.map((line) => line + newline).join(''));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(), { maxLength: 20 }), async (places) => {
        const { reading, passed } = await metered(protocol, 'text/event-stream; charset=utf-8', cutAt(bytes, places));
        expect(reading).toMatchObject(expected);
        expect(passed.equals(bytes)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('reads a whole answer', async () => {
    const bytes = Buffer.from(JSON.stringify(json));
    const { reading } = await metered(protocol, 'application/json', cutAt(bytes, [7, 100]));
    expect(reading).toMatchObject(expected);
  });

  test('is not put off by what is not an answer', async () => {
    const junk = Buffer.from(
      `data: {"usage": nonsense}\ndata: {"usage":{"input_tokens":-5,"prompt_tokens":"9"}}\ndata: [1]\n`,
    );
    const { reading, passed } = await metered(protocol, 'text/event-stream', [junk]);
    expect(reading.input + reading.output).toBe(0);
    expect(passed.equals(junk)).toBe(true);
  });
});

test('Gemini without server-sent events streams an array, which is read too', async () => {
  const answers = gemini.answer(ANSWER, 'gemini-2.5-pro').events.map(({ data }) => data);
  const { reading } = await metered('gemini', 'application/json', [Buffer.from(JSON.stringify(answers))]);
  expect(reading).toMatchObject({ input: 1000, cacheRead: 200, output: 40 });
});

describe('prices', () => {
  const million = { ...NO_READING, input: 1_000_000, output: 1_000_000 };

  test.each([
    ['claude-sonnet-4-5', 18],
    ['claude-sonnet-4-5-20250929', 18],
    ['claude-opus-4-8[1m]', 30],
    ['claude-haiku-5-5', 3],
  ])('%s costs %d dollars for a million tokens in and out', (model, dollars) => {
    expect(usageOf({ ...million, model }).costUsd).toBeCloseTo(dollars, 10);
  });

  test('a short prompt of a model priced by length costs less per token', () => {
    const reading = { ...NO_READING, model: 'claude-haiku-5-5', input: 100_000 };
    expect(usageOf(reading).costUsd).toBeCloseTo(0.01, 10);
    expect(usageOf({ ...reading, cacheRead: 1 }).costUsd).toBeCloseTo(0.05, 5);
  });

  test('cache writes and reads have prices of their own', () => {
    const reading = { ...NO_READING, model: 'claude-sonnet-4-5', cacheWrite5m: 1e6, cacheWrite1h: 1e6, cacheRead: 1e6 };
    expect(usageOf(reading)).toMatchObject({ inputTokens: 2e6, cachedInputTokens: 1e6 });
    expect(usageOf(reading).costUsd).toBeCloseTo(3.75 + 6 + 0.3, 10);
  });

  test('an unknown model has no cost, but counts as the dearest one against a budget', () => {
    const reading = { ...million, model: 'something-new' };
    expect(usageOf(reading).costUsd).toBeUndefined();
    expect(chargeOf(reading)).toBeCloseTo(90, 10);
  });
});
