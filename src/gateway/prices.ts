/**
 * List prices of Claude models, US dollars per million tokens.
 * Source: https://platform.claude.com/docs/en/about-claude/pricing, tables "Model pricing" and "Prompt caching", as of
 * 2026-11-22. Batch, fast-mode and data-residency surcharges are not in it.
 */
const CLAUDE: readonly ModelPrice[] = [
  { model: 'claude-fable-5-1', input: 10, output: 50, cacheWrite5m: 12.5, cacheWrite1h: 20, cacheRead: 0.25 },
  { model: 'claude-mythos-5-1', input: 10, output: 50, cacheWrite5m: 12.5, cacheWrite1h: 20, cacheRead: 0.25 },
  { model: 'claude-fable-5', input: 10, output: 50, cacheWrite5m: 12.5, cacheWrite1h: 20, cacheRead: 1 },
  { model: 'claude-mythos-5', input: 10, output: 50, cacheWrite5m: 12.5, cacheWrite1h: 20, cacheRead: 1 },
  { model: 'claude-opus-5-5', input: 4, output: 20, cacheWrite5m: 5, cacheWrite1h: 8, cacheRead: 0.2 },
  { model: 'claude-opus-5', input: 5, output: 25, cacheWrite5m: 6.25, cacheWrite1h: 10, cacheRead: 0.5 },
  { model: 'claude-opus-4-8', input: 5, output: 25, cacheWrite5m: 6.25, cacheWrite1h: 10, cacheRead: 0.5 },
  { model: 'claude-opus-4-7', input: 5, output: 25, cacheWrite5m: 6.25, cacheWrite1h: 10, cacheRead: 0.5 },
  { model: 'claude-opus-4-6', input: 5, output: 25, cacheWrite5m: 6.25, cacheWrite1h: 10, cacheRead: 0.5 },
  { model: 'claude-opus-4-5', input: 5, output: 25, cacheWrite5m: 6.25, cacheWrite1h: 10, cacheRead: 0.5 },
  { model: 'claude-opus-4-1', input: 15, output: 75, cacheWrite5m: 18.75, cacheWrite1h: 30, cacheRead: 1.5 },
  { model: 'claude-opus-4', input: 15, output: 75, cacheWrite5m: 18.75, cacheWrite1h: 30, cacheRead: 1.5 },
  { model: 'claude-sonnet-5-5', input: 2, output: 10, cacheWrite5m: 2.5, cacheWrite1h: 4, cacheRead: 0.1 },
  { model: 'claude-sonnet-5', input: 2, output: 10, cacheWrite5m: 2.5, cacheWrite1h: 4, cacheRead: 0.2 },
  { model: 'claude-sonnet-4-6', input: 3, output: 15, cacheWrite5m: 3.75, cacheWrite1h: 6, cacheRead: 0.3 },
  { model: 'claude-sonnet-4-5', input: 3, output: 15, cacheWrite5m: 3.75, cacheWrite1h: 6, cacheRead: 0.3 },
  { model: 'claude-sonnet-4', input: 3, output: 15, cacheWrite5m: 3.75, cacheWrite1h: 6, cacheRead: 0.3 },
  {
    model: 'claude-haiku-5-5',
    input: 0.1,
    output: 0.5,
    cacheWrite5m: 0.125,
    cacheWrite1h: 0.2,
    cacheRead: 0.01,
    long: { above: 100_000, input: 0.5, output: 2.5, cacheWrite5m: 0.625, cacheWrite1h: 1, cacheRead: 0.05 },
  },
  { model: 'claude-haiku-4-5', input: 1, output: 5, cacheWrite5m: 1.25, cacheWrite1h: 2, cacheRead: 0.1 },
];

/** Prompts longer than this cost more, by the same sources. */
const LONG_GPT = 272_000;

/**
 * List prices of OpenAI's models, standard tier. Not read from https://developers.openai.com/api/docs/pricing itself but from what
 * others copied from it: the notes of LiteLLM on gpt-6.1-sol, gpt-6-sol and gpt-6-luna (2026-09-22, 2026-09-29), of Codexometer
 * 0.18.4 (cache writes, 2026-09-22) and AI Token Meter 0.2.22 (gpt-6-astra, 2026-09-05), a reseller's list without mark-up
 * (https://docs.apiyi.com/models/index.md, the 5.4 to 5.6 families), and GitHub's table for Copilot (gpt-5.3-codex); looked up
 * 2026-11-22. Long-prompt rates of the models before GPT-6 are not known: their plain rates are used.
 */
const GPT: readonly ModelPrice[] = [
  { model: 'gpt-6-astra', ...gpt({ input: 10, output: 50, cached: 1, written: 12.5 }) },
  { model: 'gpt-6.1-sol', ...gpt({ input: 2, output: 10, cached: 0.1, written: 2.5 }), long: longGpt(4, 15, 0.2) },
  { model: 'gpt-6-sol', ...gpt({ input: 2, output: 10, cached: 0.2, written: 2.5 }), long: longGpt(4, 15, 0.4) },
  {
    model: 'gpt-6-luna',
    ...gpt({ input: 0.1, output: 0.5, cached: 0.01, written: 0.125 }),
    long: longGpt(0.2, 0.75, 0.02),
  },
  { model: 'gpt-5.6-sol', ...gpt({ input: 4, output: 20, cached: 0.4 }) },
  { model: 'gpt-5.6-terra', ...gpt({ input: 2, output: 12, cached: 0.2 }) },
  { model: 'gpt-5.6-luna', ...gpt({ input: 0.2, output: 1.2, cached: 0.02 }) },
  { model: 'gpt-5.5', ...gpt({ input: 5, output: 30, cached: 0.5 }) },
  { model: 'gpt-5.4', ...gpt({ input: 2.5, output: 15, cached: 0.25 }) },
  { model: 'gpt-5.4-mini', ...gpt({ input: 0.75, output: 4.5, cached: 0.075 }) },
  { model: 'gpt-5.3-codex', ...gpt({ input: 1.75, output: 14, cached: 0.175 }) },
];

/** Prompts longer than this cost more. */
const LONG_GEMINI = 200_000;

/**
 * List prices of Gemini models, paid tier, text. Copied by others from https://ai.google.dev/gemini-api/docs/pricing: morphllm.com's
 * list (2026), a transcript of 2026-10-07 (gemini-3.8-flash: until 2026-12-31), a reseller's list (its cached rate); looked up
 * 2026-11-22. Cached input is a tenth of the input. Storage of cached content, billed by the hour, is not in it.
 */
const GEMINI: readonly ModelPrice[] = [
  { model: 'gemini-3.1-pro', ...tenth(2, 12), long: { above: LONG_GEMINI, ...tenth(4, 18) } },
  { model: 'gemini-3.8-flash', ...tenth(0.75, 3.75) },
  { model: 'gemini-3.5-flash', ...tenth(1.5, 9) },
  { model: 'gemini-3-flash', ...tenth(0.5, 3) },
  { model: 'gemini-3.1-flash-lite', ...tenth(0.25, 1.5) },
  { model: 'gemini-2.5-pro', ...tenth(1.25, 10), long: { above: LONG_GEMINI, ...tenth(2.5, 15) } },
  { model: 'gemini-2.5-flash', ...tenth(0.3, 2.5) },
  { model: 'gemini-2.5-flash-lite', ...tenth(0.1, 0.4) },
];

/** Every model with a price that is known. */
export const PRICES: readonly ModelPrice[] = [...CLAUDE, ...GPT, ...GEMINI];

/** OpenAI bills what is written to the cache like other input unless it says otherwise, and keeps it for one time only. */
function gpt(price: {
  readonly input: number;
  readonly output: number;
  readonly cached: number;
  readonly written?: number;
}): Rates {
  const written = price.written ?? price.input;
  const { input, output, cached } = price;
  return { input, output, cacheRead: cached, cacheWrite5m: written, cacheWrite1h: written };
}

function longGpt(input: number, output: number, cached: number): Rates & { readonly above: number } {
  return { above: LONG_GPT, ...gpt({ input, output, cached, written: input * 1.25 }) };
}

function tenth(input: number, output: number): Rates {
  return { input, output, cacheRead: input / 10, cacheWrite5m: input, cacheWrite1h: input };
}

/** US dollars per million tokens of each kind. */
export interface Rates {
  readonly input: number;
  readonly output: number;
  readonly cacheWrite5m: number;
  readonly cacheWrite1h: number;
  readonly cacheRead: number;
}

export interface ModelPrice extends Rates {
  /** Model id without its date, as in `claude-sonnet-4-5` of `claude-sonnet-4-5-20250929`. */
  readonly model: string;
  /** Rates of a request whose whole prompt, cached or not, is longer than `above` tokens. */
  readonly long?: Rates & { readonly above: number };
}
