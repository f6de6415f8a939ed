import { z } from 'zod';
import type { ModelRefusal } from '../domain/model-refusal.ts';

const errorWords = z.object({ code: z.string().nullish(), type: z.string().nullish() });

/**
 * The last event of a stream that failed: `error` of Anthropic (https://platform.claude.com/docs/en/api/errors) and of OpenAI,
 * `response.failed` of OpenAI's Responses.
 */
const errorEvent = z.object({
  type: z.enum(['error', 'response.failed']),
  code: z.string().nullish(),
  error: errorWords.nullish(),
  response: z.object({ error: errorWords.nullish() }).optional(),
});

/** Whether a text may hold such an event: spares decoding the others. */
export function saysError(text: string): boolean {
  return /"type":\s*"(?:error|response\.failed)"/.test(text);
}

/** The endpoint's own word in an event that ends a failed stream; undefined for any other. */
export function streamError(event: unknown): string | undefined {
  const parsed = errorEvent.safeParse(event).data;
  if (parsed === undefined) return undefined;
  const { code, type } = parsed.response?.error ?? parsed.error ?? { code: parsed.code };
  return code ?? type ?? 'error';
}

/** HTTP statuses that the same errors have when they come before the stream. */
const STATUSES: Readonly<Record<string, number>> = {
  authentication_error: 401,
  permission_error: 403,
  billing_error: 402,
  context_length_exceeded: 400,
  invalid_request_error: 400,
  invalid_prompt: 400,
  rate_limit_error: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  overloaded_error: 529,
  throttlingException: 429,
  validationException: 400,
  serviceUnavailableException: 503,
};

/** A failed stream as the refusal it is. */
export function streamRefusal(code: string, now: number): ModelRefusal {
  return { status: STATUSES[code] ?? 500, code, at: now, resetAt: undefined };
}
