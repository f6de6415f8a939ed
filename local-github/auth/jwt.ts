import { createPublicKey, verify } from 'node:crypto';
import { z } from 'zod';
import { HttpError, notFound } from '../errors.ts';
import type { AppRecord } from '../state.ts';

const Claims = z.object({ iat: z.number(), exp: z.number(), iss: z.union([z.string(), z.number()]) });

// GitHub refuses an assertion that lives longer than ten minutes; a minute more is clock drift.
const LONGEST_LIFE = 11 * 60;

/**
 * Checks an App's JWT: RS256 by the App's key, `iss` its id (number or text), in its time. `now` is epoch milliseconds of the
 * machine's clock, not of the server's movable one: the caller signs with the former. Throws `HttpError` as GitHub words it.
 */
export function verifyAppJwt(jwt: string, app: AppRecord, now: number): void {
  const [header = '', payload = '', signature = ''] = jwt.split('.');
  const claims = Claims.safeParse(decode(payload));
  const algorithm = z.object({ alg: z.literal('RS256') }).safeParse(decode(header));
  if (!claims.success || !algorithm.success) throw undecodable();
  if (String(claims.data.iss) !== String(app.id)) throw notFound('Integration not found');
  const key = createPublicKey(app.publicKey);
  if (!verify('RSA-SHA256', Buffer.from(`${header}.${payload}`), key, Buffer.from(signature, 'base64url'))) {
    throw undecodable();
  }
  const seconds = now / 1000;
  if (claims.data.exp <= seconds) {
    throw new HttpError(
      401,
      "'Expiration time' claim ('exp') must be a numeric value representing the future time at which the assertion expires",
    );
  }
  if (claims.data.exp > seconds + LONGEST_LIFE) {
    throw new HttpError(401, "'Expiration time' claim ('exp') is too far in the future");
  }
  if (claims.data.iat > seconds + 60) {
    throw new HttpError(
      401,
      "'Issued at' claim ('iat') must be an Integer representing the time that the assertion was issued",
    );
  }
}

/** 401 for a JWT that is none, or is signed with another key. */
export function undecodable(): HttpError {
  return new HttpError(401, 'A JSON web token could not be decoded');
}

function decode(part: string): unknown {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
