import { z } from 'zod';
import { AccessError } from './access.ts';

/** Milliseconds a token endpoint may take. */
const PATIENCE_MS = 20_000;

/** What a token endpoint gives (RFC 6749 §5.1), with what OpenAI adds. */
const answer = z.object({
  access_token: z.string().min(1),
  refresh_token: z.string().min(1).optional(),
  id_token: z.string().optional(),
  /** Seconds. */
  expires_in: z.number().positive().optional(),
});

export type TokenAnswer = z.infer<typeof answer>;

/**
 * Asks an OAuth token endpoint for a token, with a form or, where that is what it takes, JSON.
 *
 * @throws AccessError With the endpoint's own word for why not, never with anything that was sent.
 */
export async function askForToken(request: {
  readonly url: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: Readonly<Record<string, string>>;
  /** Begins the sentence of an error: `The Google credentials in /x`. */
  readonly whose: string;
}): Promise<TokenAnswer> {
  const { url, form, json, whose } = request;
  const response = await fetch(url, {
    method: 'POST',
    redirect: 'error',
    signal: AbortSignal.timeout(PATIENCE_MS),
    headers: {
      accept: 'application/json',
      'content-type': form === undefined ? 'application/json' : 'application/x-www-form-urlencoded',
    },
    body: form === undefined ? JSON.stringify(json) : new URLSearchParams(form).toString(),
  }).catch((cause: unknown) => {
    throw new AccessError(`${whose} could not be turned into a token: ${new URL(url).host} can't be reached.`, {
      isPassing: true,
      cause,
    });
  });
  const body: unknown = await response.json().catch(() => undefined);
  const token = answer.safeParse(body).data;
  if (response.ok && token !== undefined) return token;
  throw new AccessError(
    `${whose} could not be turned into a token: ${new URL(url).host} answered ${response.status}${wordOf(body)}.`,
    { isPassing: response.status === 429 || response.status >= 500 },
  );
}

/** The endpoint's own word for what is wrong (RFC 6749 §5.2). */
function wordOf(body: unknown): string {
  const word = z.object({ error: z.string().regex(/^[a-z_]{1,40}$/) }).safeParse(body).data?.error;
  return word === undefined ? '' : ` (${word})`;
}
