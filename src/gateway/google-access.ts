import { createSign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { AccessError, type Access } from './access.ts';
import { askForToken } from './token-endpoint.ts';
import { tokenAccess, type Token } from './token-access.ts';
import { decodeJson } from './decode-json.ts';

/** Where Google gives tokens when the file of credentials does not say. */
const TOKEN_ENDPOINT = 'https://oauth2.googleapis.com/token';

/** The one scope Vertex AI takes (https://cloud.google.com/vertex-ai/generative-ai/docs/reference/rest). */
const SCOPE = 'https://www.googleapis.com/auth/cloud-platform';

/** Seconds an assertion is good for; an hour is the most Google takes. */
const ASSERTION_S = 3_600;

/** A file of application default credentials: of a service account, or of a person (`gcloud auth application-default login`). */
const credentials = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('service_account'),
    client_email: z.string(),
    private_key: z.string(),
    private_key_id: z.string().optional(),
    token_uri: z.url().default(TOKEN_ENDPOINT),
  }),
  z.object({
    type: z.literal('authorized_user'),
    client_id: z.string(),
    client_secret: z.string(),
    refresh_token: z.string(),
    token_uri: z.url().default(TOKEN_ENDPOINT),
  }),
]);

/** Authorizes for Vertex AI with the credentials in a file, which is read anew for each token. */
export function googleAccess(path: string, clock: Clock): Access {
  async function fetchToken(): Promise<Token> {
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new AccessError(`The Google credentials in ${path} can't be read.`, { isPassing: false, cause });
    });
    const known = credentials.safeParse(decodeJson(text)).data;
    if (known === undefined)
      throw new AccessError(
        `${path} holds no Google credentials: it must be the JSON key of a service account, or application default credentials of a person.`,
        { isPassing: false },
      );
    const answer = await askForToken({
      url: known.token_uri,
      form:
        known.type === 'service_account'
          ? {
              grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
              assertion: assertion(known, Math.floor(clock.now() / 1000)),
            }
          : {
              grant_type: 'refresh_token',
              client_id: known.client_id,
              client_secret: known.client_secret,
              refresh_token: known.refresh_token,
            },
      whose: `The Google credentials in ${path}`,
    });
    return { value: answer.access_token, expiresAt: clock.now() + (answer.expires_in ?? ASSERTION_S) * 1000 };
  }
  return tokenAccess({ fetchToken, clock });
}

/** A signed statement of who asks (RFC 7523). `now` in epoch seconds. */
function assertion(
  account: {
    readonly client_email: string;
    readonly private_key: string;
    readonly private_key_id?: string | undefined;
    readonly token_uri: string;
  },
  now: number,
): string {
  const header = { alg: 'RS256', typ: 'JWT', kid: account.private_key_id };
  const claims = {
    iss: account.client_email,
    scope: SCOPE,
    aud: account.token_uri,
    iat: now,
    exp: now + ASSERTION_S,
  };
  const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  return `${text}.${createSign('RSA-SHA256').update(text).sign(account.private_key, 'base64url')}`;
}
