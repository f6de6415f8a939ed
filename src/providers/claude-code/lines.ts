import { z } from 'zod';

/**
 * The lines of Claude Code's `stream-json` output that mean something to us, as printed by 2.1.330, with only the fields we use.
 * Their `type` tells them apart.
 */

const tokens = z.number().nonnegative().catch(0);

const usage = z.object({
  input_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_read_input_tokens: tokens,
  output_tokens: tokens,
});

export const initLine = z.object({
  type: z.literal('system'),
  subtype: z.literal('init'),
  session_id: z.string(),
  model: z.string().optional(),
});

export const retryLine = z.object({
  type: z.literal('system'),
  subtype: z.literal('api_retry'),
  attempt: z.number(),
  max_retries: z.number(),
  retry_delay_ms: z.number(),
  error_status: z.number().nullish(),
});

const block = z.union([
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thinking'), thinking: z.string() }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown() }),
  z.object({ type: z.string() }),
]);

export type Block = z.infer<typeof block>;

export const assistantLine = z.object({
  type: z.literal('assistant'),
  message: z.object({ content: z.array(block) }),
  /** Set on the message Claude Code writes itself when a model request failed for good. */
  is_api_error_message: z.boolean().optional(),
  error: z.string().optional(),
});

const resultBlock = z.object({
  type: z.literal('tool_result'),
  tool_use_id: z.string(),
  is_error: z.boolean().nullish(),
  content: z.union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))]).optional(),
});

export type ToolResultBlock = z.infer<typeof resultBlock>;

export const userLine = z.object({
  type: z.literal('user'),
  message: z.object({
    content: z.union([z.string(), z.array(z.union([resultBlock, z.object({ type: z.string() })]))]),
  }),
});

export const rateLimitLine = z.object({
  type: z.literal('rate_limit_event'),
  rate_limit_info: z.object({
    status: z.string(),
    /** Epoch seconds. */
    resetsAt: z.number().nullish(),
  }),
});

export const resultLine = z.object({
  type: z.literal('result'),
  is_error: z.boolean(),
  subtype: z.string().optional(),
  result: z.string().optional(),
  errors: z.array(z.string()).optional(),
  terminal_reason: z.string().optional(),
  api_error_status: z.number().nullish(),
  api_error: z.string().nullish(),
  usage: usage.optional(),
  total_cost_usd: z.number().optional(),
});

export type ResultLine = z.infer<typeof resultLine>;

export const systemLine = z.object({ subtype: z.string() });
