import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http';
import { fixedAccess, type Access } from './access.ts';
import type { ModelEndpoint } from './gateway.ts';
import type { ModelProtocol } from './routes.ts';

/** A key that is worth something at one wire only: 192 random bits, marked so that it is recognised when it turns up somewhere. */
export function createPlaceholder(): string {
  return `maestro-placeholder-${randomBytes(24).toString('base64url')}`;
}

/** Whether the request presents the placeholder, in any of the ways the three protocols have. Compares in constant time. */
export function presents(headers: IncomingHttpHeaders, placeholder: string): boolean {
  const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
  const presented = [bearer, headers['x-api-key'], headers['x-goog-api-key']];
  return presented.some((value) => typeof value === 'string' && sameText(value, placeholder));
}

function sameText(a: string, b: string): boolean {
  return timingSafeEqual(createHash('sha256').update(a).digest(), createHash('sha256').update(b).digest());
}

/**
 * The headers to send to the endpoint: the client's without its credentials, without those that concern one connection only,
 * Compression is declined, so that usage can be read from the response as it passes.
 */
export function endpointHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const connectionOnly = namedInConnection(headers);
  const kept = Object.entries(headers).filter(
    ([name]) => !CONNECTION_HEADERS.has(name) && !connectionOnly.has(name) && !isPrivate(name),
  );
  return { ...Object.fromEntries(kept), 'accept-encoding': 'identity' };
}

/** The headers of an endpoint's response to pass to the client: none that concern one connection, set cookies or hold a secret. */
export function clientHeaders(headers: IncomingHttpHeaders, secrets: readonly string[]): OutgoingHttpHeaders {
  const connectionOnly = namedInConnection(headers);
  const kept = Object.entries(headers).filter(
    ([name, value]) =>
      !CONNECTION_HEADERS.has(name) &&
      !connectionOnly.has(name) &&
      name !== 'set-cookie' &&
      !secrets.some((secret) => String(value).includes(secret)),
  );
  return Object.fromEntries(kept);
}

/** Where a plain key goes in each protocol. */
const KEY_HEADER: Readonly<Record<ModelProtocol, (key: string) => Readonly<Record<string, string>>>> = {
  anthropic: (key) => ({ 'x-api-key': key }),
  openai: (key) => ({ authorization: `Bearer ${key}` }),
  gemini: (key) => ({ 'x-goog-api-key': key }),
  bedrock: (key) => ({ authorization: `Bearer ${key}` }),
  vertex: (key) => ({ authorization: `Bearer ${key}` }),
};

/** What authorizes requests to an endpoint: its key, in the header its protocol has for it, or what it brings itself. */
export function accessOf({ protocol, key }: Pick<ModelEndpoint, 'protocol' | 'key'>): Access {
  return typeof key === 'string' ? fixedAccess(KEY_HEADER[protocol](key), [key]) : key;
}

/** RFC 9110 §7.6.1, with the older names still seen. `content-length` stays: it describes the message. */
const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'http2-settings',
]);

function namedInConnection(headers: IncomingHttpHeaders): ReadonlySet<string> {
  return new Set(
    (headers.connection ?? '')
      .toLowerCase()
      .split(',')
      .map((name) => name.trim()),
  );
}

/** The client's credentials, and what would tell the endpoint about the client's surroundings. */
function isPrivate(name: string): boolean {
  return (
    /^(?:host|expect|authorization|cookie|api-key|x-api-key|x-goog-api-key|x-goog-user-project|x-amz-[\w-]+|amz-sdk-[\w-]+|chatgpt-account-id|openai-organization|openai-project|forwarded|via|accept-encoding)$/.test(
      name,
    ) || /^(?:proxy-|x-forwarded-|x-real-ip)/.test(name)
  );
}
