import type { Usage } from '../domain/usage.ts';
import { PRICES, type Rates } from './prices.ts';

/**
 * What one model response says it consumed, in tokens. The kinds do not overlap: `input` was neither read from nor written
 * to a cache.
 */
export interface Reading {
  readonly model: string | undefined;
  readonly input: number;
  readonly cacheRead: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly output: number;
}

export const NO_READING: Reading = {
  model: undefined,
  input: 0,
  cacheRead: 0,
  cacheWrite5m: 0,
  cacheWrite1h: 0,
  output: 0,
};

/**
 * A reading as usage: `inputTokens` are those not read from a cache, `cachedInputTokens` those that were. Cost is in US dollars
 * by list price, undefined for a model without one.
 */
export function usageOf(reading: Reading): Usage {
  const rates = ratesFor(reading);
  return {
    inputTokens: reading.input + reading.cacheWrite5m + reading.cacheWrite1h,
    outputTokens: reading.output,
    cachedInputTokens: reading.cacheRead,
    costUsd: rates === undefined ? undefined : cost(reading, rates),
  };
}

/**
 * US dollars a reading counts for against a budget. A model without a list price counts as the dearest one: a budget has to
 * hold also against an agent that picks its model itself.
 */
export function chargeOf(reading: Reading): number {
  return cost(reading, ratesFor(reading) ?? DEAREST);
}

function cost(reading: Reading, rates: Rates): number {
  const millionths =
    reading.input * rates.input +
    reading.output * rates.output +
    reading.cacheRead * rates.cacheRead +
    reading.cacheWrite5m * rates.cacheWrite5m +
    reading.cacheWrite1h * rates.cacheWrite1h;
  return millionths / 1_000_000;
}

function ratesFor(reading: Reading): Rates | undefined {
  const price = PRICES.find((price) => price.model === undated(reading.model));
  if (price?.long === undefined) return price;
  const prompt = reading.input + reading.cacheRead + reading.cacheWrite5m + reading.cacheWrite1h;
  return prompt > price.long.above ? price.long : price;
}

/**
 * A model by its plain name, whatever the endpoint calls it: `us.anthropic.claude-sonnet-4-5-20250929-v1:0` of Bedrock,
 * `claude-sonnet-4-5@20250929` of Vertex, `anthropic/claude-sonnet-4-5` of routers, `claude-sonnet-4-5-20250929`, `claude-sonnet-4-5[1m]`, `claude-opus-4-0`, `claude-sonnet-4-5-latest`, `gpt-6.1-sol-2026-09-29` and
 * `gemini-3.1-pro-preview`.
 */
function undated(model: string | undefined): string | undefined {
  return model
    ?.replace(/^.*\//, '')
    .replace(/^(?:[a-z]{2,6}\.)?anthropic\./, '')
    .replace(/-v\d+(?::\d+)?(?::\d+k)?$/, '')
    .replace(/@(\d{8}|default|latest)$/, '')
    .replace(/\[[^\]]*\]$/, '')
    .replace(/-(\d{8}|\d{4}-\d{2}-\d{2}|latest|preview|0)$/, '');
}

const DEAREST: Rates = PRICES.reduce((dearest, price) => (price.output > dearest.output ? price : dearest));
