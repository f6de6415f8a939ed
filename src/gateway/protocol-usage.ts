import { z } from 'zod';
import type { ModelProtocol } from './routes.ts';
import type { Reading } from './reading.ts';

/**
 * What a decoded piece of a response (a whole JSON body, or the data of one server-sent event) adds to the reading so far.
 * Counts in a stream are running totals, so a later one replaces an earlier one. A piece without usage changes nothing.
 */
export function readUsage(protocol: ModelProtocol, piece: unknown, before: Reading): Reading {
  switch (protocol) {
    case 'anthropic':
    case 'bedrock':
    case 'vertex':
      return readAnthropic(piece, before);
    case 'openai':
      return readOpenAi(piece, before);
    case 'gemini':
      return readGemini(piece, before);
  }
}

/** Text that a piece with usage must hold: spares decoding the other thousands. */
export const USAGE_MARK: Readonly<Record<ModelProtocol, string>> = {
  anthropic: '"usage"',
  openai: '"usage"',
  gemini: '"usageMetadata"',
  bedrock: '"usage"',
  vertex: '"usage"',
};

const count = z.number().int().nonnegative().nullish().catch(undefined);

const anthropicUsage = z.object({
  input_tokens: count,
  cache_read_input_tokens: count,
  cache_creation_input_tokens: count,
  cache_creation: z.object({ ephemeral_1h_input_tokens: count }).nullish().catch(undefined),
  output_tokens: count,
});

/** A whole message, `message_start` (which wraps one) or `message_delta` (usage only). */
const anthropic = z.object({
  model: z.string().optional(),
  usage: anthropicUsage.nullish(),
  message: z.object({ model: z.string().optional(), usage: anthropicUsage.nullish() }).optional(),
});

function readAnthropic(piece: unknown, before: Reading): Reading {
  const parsed = anthropic.safeParse(piece);
  const usage = parsed.data?.message?.usage ?? parsed.data?.usage;
  if (!parsed.success || !usage) return before;
  const written = usage.cache_creation_input_tokens ?? before.cacheWrite5m + before.cacheWrite1h;
  const hour = Math.min(written, usage.cache_creation?.ephemeral_1h_input_tokens ?? before.cacheWrite1h);
  return {
    model: parsed.data.message?.model ?? parsed.data.model ?? before.model,
    input: usage.input_tokens ?? before.input,
    cacheRead: usage.cache_read_input_tokens ?? before.cacheRead,
    cacheWrite5m: written - hour,
    cacheWrite1h: hour,
    output: usage.output_tokens ?? before.output,
  };
}

/** `cache_write_tokens`: since GPT-6, which bills them apart. */
const details = z.object({ cached_tokens: count, cache_write_tokens: count }).nullish().catch(undefined);

const openAiUsage = z.object({
  input_tokens: count,
  prompt_tokens: count,
  output_tokens: count,
  completion_tokens: count,
  input_tokens_details: details,
  prompt_tokens_details: details,
});

/** A response or chat completion, a chat chunk, or an event of the responses stream (which wraps a response). */
const openAi = z.object({
  model: z.string().optional(),
  usage: openAiUsage.nullish(),
  response: z.object({ model: z.string().optional(), usage: openAiUsage.nullish() }).optional(),
});

function readOpenAi(piece: unknown, before: Reading): Reading {
  const parsed = openAi.safeParse(piece);
  const usage = parsed.data?.response?.usage ?? parsed.data?.usage;
  if (!parsed.success || !usage) return before;
  const prompt = usage.input_tokens ?? usage.prompt_tokens ?? before.input + before.cacheRead;
  const known = usage.input_tokens_details ?? usage.prompt_tokens_details;
  const cached = Math.min(prompt, known?.cached_tokens ?? 0);
  const written = Math.min(prompt - cached, known?.cache_write_tokens ?? 0);
  return {
    ...before,
    model: parsed.data.response?.model ?? parsed.data.model ?? before.model,
    input: prompt - cached - written,
    cacheRead: cached,
    cacheWrite5m: written,
    output: usage.output_tokens ?? usage.completion_tokens ?? before.output,
  };
}

const gemini = z.object({
  modelVersion: z.string().optional(),
  usageMetadata: z.object({
    promptTokenCount: count,
    cachedContentTokenCount: count,
    candidatesTokenCount: count,
    thoughtsTokenCount: count,
  }),
});

/** A response, one event of a stream, or the array of responses that a stream without `alt=sse` is. */
function readGemini(piece: unknown, before: Reading): Reading {
  if (Array.isArray(piece)) return piece.reduce<Reading>((reading, part) => readGemini(part, reading), before);
  const parsed = gemini.safeParse(piece);
  if (!parsed.success) return before;
  const usage = parsed.data.usageMetadata;
  const prompt = usage.promptTokenCount ?? before.input + before.cacheRead;
  const cached = Math.min(prompt, usage.cachedContentTokenCount ?? 0);
  return {
    ...before,
    model: parsed.data.modelVersion ?? before.model,
    input: prompt - cached,
    cacheRead: cached,
    output: (usage.candidatesTokenCount ?? 0) + (usage.thoughtsTokenCount ?? 0),
  };
}
