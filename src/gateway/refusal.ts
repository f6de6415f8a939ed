import type { IncomingHttpHeaders } from 'node:http';
import { z } from 'zod';
import type { ModelRefusal } from '../domain/model-refusal.ts';
import { decodeJson } from './decode-json.ts';

/** An error in the shapes of the three protocols: OpenAI has `code`, Anthropic `type`, Gemini `status`. */
const errorBody = z.object({
  error: z.object({
    code: z.unknown().optional(),
    type: z.string().nullish(),
    status: z.string().nullish(),
    resets_at: z.number().nullish().catch(undefined),
    resets_in_seconds: z.number().nullish().catch(undefined),
    details: z
      .array(z.object({ retryDelay: z.string().optional() }))
      .optional()
      .catch(undefined),
  }),
});

/** What an error answer of the endpoint says: its status, its own word for it, and when to come back. `now` is epoch milliseconds. */
export function readRefusal(of: {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly now: number;
}): ModelRefusal {
  const { status, headers, body, now } = of;
  const error = errorBody.safeParse(decodeJson(body)).data?.error;
  const code = typeof error?.code === 'string' ? error.code : (error?.type ?? error?.status ?? awsWord(headers));
  return { status, code, at: now, resetAt: resetOf(headers, now) ?? (error && resetInBody(error, now)) };
}

/** The endpoint could not be reached, or broke off. */
export function unreachable(now: number): ModelRefusal {
  return { status: undefined, code: undefined, at: now, resetAt: undefined };
}

/**
 * `retry-after` in seconds or as a date (RFC 9110 §10.2.3), `retry-after-ms` of OpenAI's libraries, and
 * `anthropic-ratelimit-unified-reset`, epoch seconds, of Anthropic's subscriptions.
 */
function resetOf(headers: IncomingHttpHeaders, now: number): number | undefined {
  const milliseconds = number(headers['retry-after-ms']);
  if (milliseconds !== undefined) return now + milliseconds;
  const after = headers['retry-after'];
  const seconds = number(after);
  if (seconds !== undefined) return now + seconds * 1000;
  const date = /^[A-Z][a-z]{2}, /.test(after ?? '') ? Date.parse(after ?? '') : Number.NaN;
  if (!Number.isNaN(date)) return date;
  const reset = number(headers['anthropic-ratelimit-unified-reset']);
  return reset === undefined ? undefined : reset * 1000;
}

/** `resets_at` (epoch seconds) and `resets_in_seconds` of ChatGPT's limits; `retryDelay` ("34s") of Google's RetryInfo. */
function resetInBody(error: z.infer<typeof errorBody>['error'], now: number): number | undefined {
  if (typeof error.resets_at === 'number') return error.resets_at * 1000;
  if (typeof error.resets_in_seconds === 'number') return now + error.resets_in_seconds * 1000;
  const delay = error.details?.find((detail) => detail.retryDelay !== undefined)?.retryDelay;
  const seconds = /^(\d+(?:\.\d+)?)s$/.exec(delay ?? '')?.[1];
  return seconds === undefined ? undefined : now + Number(seconds) * 1000;
}

/** `ThrottlingException` of `ThrottlingException:http://…`, as AWS names what is wrong. */
function awsWord(headers: IncomingHttpHeaders): string | undefined {
  const word = headers['x-amzn-errortype'];
  return typeof word === 'string' ? /^\w+/.exec(word)?.[0] : undefined;
}

function number(value: string | readonly string[] | undefined): number | undefined {
  return typeof value === 'string' && /^\d+(?:\.\d+)?$/.test(value) ? Number(value) : undefined;
}
