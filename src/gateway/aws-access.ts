import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Clock } from '../domain/clock.ts';
import { AccessError, type Access } from './access.ts';
import { signV4, type AwsCredentials } from './sigv4.ts';
import { decodeJson } from './decode-json.ts';

/** Signs requests for Amazon Bedrock in a region. */
export function awsAccess(options: {
  readonly region: string;
  readonly credentials: () => Promise<AwsCredentials>;
  readonly clock: Clock;
}): Access {
  return {
    needsBody: true,
    async authorize({ method, url, headers, body = Buffer.alloc(0) }) {
      const credentials = await options.credentials();
      const type = headers['content-type'];
      const signed = signV4(
        { method, url, body, headers: typeof type === 'string' ? { 'content-type': type } : {} },
        { credentials, region: options.region, service: 'bedrock', at: options.clock.now() },
      );
      const { secretAccessKey, sessionToken } = credentials;
      return { headers: signed, secrets: [secretAccessKey, ...(sessionToken === undefined ? [] : [sessionToken])] };
    },
  };
}

/** What a `credential_process` of the AWS configuration prints (https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html). */
const processCredentials = z.object({
  AccessKeyId: z.string().min(1),
  SecretAccessKey: z.string().min(1),
  SessionToken: z.string().min(1).optional(),
  Expiration: z.iso.datetime({ offset: true }).optional(),
});

/** Milliseconds before their end from which on credentials are read anew. */
const EARLY_MS = 60_000;

/**
 * Credentials from a file in the form a `credential_process` prints, read again when they are about to run out: something outside
 * keeps it fresh.
 */
export function awsCredentialsFile(path: string, clock: Clock): () => Promise<AwsCredentials> {
  let known: AwsCredentials | undefined;
  return async () => {
    if (known !== undefined && (known.expiresAt ?? Infinity) - EARLY_MS > clock.now()) return known;
    const text = await readFile(path, 'utf8').catch((cause: unknown) => {
      throw new AccessError(`The AWS credentials in ${path} can't be read.`, { isPassing: false, cause });
    });
    known = parse(text, path);
    if ((known.expiresAt ?? Infinity) <= clock.now())
      throw new AccessError(`The AWS credentials in ${path} have run out: what renews them does not.`, {
        isPassing: true,
      });
    return known;
  };
}

function parse(text: string, path: string): AwsCredentials {
  const parsed = processCredentials.safeParse(decodeJson(text)).data;
  if (parsed === undefined)
    throw new AccessError(`${path} holds no AWS credentials as a credential_process prints them.`, {
      isPassing: false,
    });
  return {
    accessKeyId: parsed.AccessKeyId,
    secretAccessKey: parsed.SecretAccessKey,
    ...(parsed.SessionToken === undefined ? {} : { sessionToken: parsed.SessionToken }),
    ...(parsed.Expiration === undefined ? {} : { expiresAt: Date.parse(parsed.Expiration) }),
  };
}
