import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { z } from 'zod';
import { AccessError } from './access.ts';
import { accessOf, clientHeaders, endpointHeaders } from './credentials.ts';
import { decodeJson } from './decode-json.ts';
import type { ModelEndpoint } from './gateway.ts';
import type { Clock } from '../domain/clock.ts';
import type { ModelRefusal } from '../domain/model-refusal.ts';
import { createMeter } from './meter.ts';
import { modelError } from './model-error.ts';
import type { Reading } from './reading.ts';
import { readRefusal, unreachable } from './refusal.ts';
import { streamRefusal } from './stream-error.ts';
import type { Route } from './routes.ts';

/** Bytes of a request body. Anthropic's own limit is 32 MB (https://platform.claude.com/docs/en/api/overview#request-size-limits). */
const LARGEST_BODY = 64 * 1024 * 1024;

/** Bytes of an error answer that are passed on. */
const LARGEST_ERROR = 1024 * 1024;

/** Milliseconds the endpoint may be silent. The SDKs' own limit for one request is 10 minutes. */
const SILENCE_MS = 10 * 60_000;

/** Passes model requests on to one endpoint, over connections that are kept. */
export interface Relay {
  /** Answers one request that was already allowed. Resolves when the answer has been sent or the client is gone; never rejects. */
  pass(exchange: Exchange): Promise<void>;
  close(): void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly route: Route;
  /** Told each time the response says more about what it consumed; the last is what counts. */
  readonly report: (reading: Reading) => void;
  /** Told once how the endpoint answered: why it did not, or undefined when it did. Not told when the client went away first. */
  readonly outcome: (refusal: ModelRefusal | undefined) => void;
}

/** Makes the relay to `endpoint`. Throws for an upstream that is not an http or https URL. */
export function createRelay(endpoint: ModelEndpoint, clock: Clock): Relay {
  const base = parseUpstream(endpoint.upstream);
  const secure = base.protocol === 'https:';
  const agent = secure ? new HttpsAgent({ keepAlive: true }) : new HttpAgent({ keepAlive: true });
  const send = secure ? httpsRequest : httpRequest;
  const access = accessOf(endpoint);
  const needsBody = access.needsBody || endpoint.locate?.needsModel === true;

  async function pass({ request, response, route, report, outcome }: Exchange): Promise<void> {
    const refuse = (status: number, message: string, retry = false): void => {
      refuseModel({ response, endpoint, status, message, retry });
    };
    if (Number(request.headers['content-length'] ?? 0) > LARGEST_BODY) return refuse(413, TOO_LARGE);
    const body = needsBody ? await readWhole(request).catch(() => undefined) : undefined;
    if (needsBody && body === undefined) return refuse(413, TOO_LARGE);
    const path = pathBelow(base, locate(route, body));
    const headers = endpointHeaders(request.headers);
    const asked = { method: request.method ?? 'POST', url: new URL(base.origin + path), headers, body };
    const granted = await access.authorize(asked).catch((error: unknown) => {
      outcome(withoutAccess(error, clock.now()));
      const isKnown = error instanceof AccessError;
      refuse(isKnown && !error.isPassing ? 401 : 502, isKnown ? error.message : 'The credentials can not be had.');
    });
    if (granted === undefined || response.destroyed) return;
    const { secrets } = granted;
    const outgoing = send({
      agent,
      protocol: base.protocol,
      hostname: base.hostname.replace(/^\[|\]$/g, ''),
      port: base.port,
      method: request.method,
      path,
      headers: { ...headers, ...granted.headers },
      timeout: SILENCE_MS,
    });
    outgoing.on('timeout', () => outgoing.destroy(new SilentEndpoint()));
    let clientGone = false;
    response.on('close', () => {
      clientGone = !response.writableFinished && !outgoing.destroyed;
      outgoing.destroy();
    });
    const answered = incomingResponse(outgoing);
    // Not `pipeline`, which would destroy the request and with it the connection the refusal has to go over.
    if (body === undefined) request.pipe(bodyLimit().on('error', (error) => outgoing.destroy(error))).pipe(outgoing);
    else outgoing.end(body);
    try {
      const incoming = await answered;
      outcome(await deliver(incoming, response, { report, secrets }));
    } catch (error) {
      outgoing.destroy();
      if (!clientGone && !(error instanceof BodyTooLarge)) outcome(unreachable(clock.now()));
      if (error instanceof BodyTooLarge) return refuse(413, TOO_LARGE);
      if (error instanceof SilentEndpoint) return refuse(504, 'The model endpoint did not answer in time.', true);
      refuse(502, `The model endpoint could not be reached (${errorCode(error)}).`, true);
    }
  }

  async function deliver(
    incoming: IncomingMessage,
    response: ServerResponse,
    { report, secrets }: { readonly report: Exchange['report']; readonly secrets: readonly string[] },
  ): Promise<ModelRefusal | undefined> {
    const status = incoming.statusCode ?? 502;
    const refused = (body: string): ModelRefusal =>
      readRefusal({ status, headers: incoming.headers, body, now: clock.now() });
    const refuse = (status: number, message: string): ModelRefusal => {
      refuseModel({ response, endpoint, status, message, retry: false });
      return refused('');
    };
    if (status >= 300 && status < 400) {
      incoming.destroy();
      return refuse(502, `The model endpoint answered with a redirect (${status}), which the gateway does not follow.`);
    }
    if (status === 401 || status === 403) {
      access.refused?.();
      incoming.destroy();
      return refuse(status, `The model endpoint refused the key Maestro is configured with (${status}).`);
    }
    const headers = clientHeaders(incoming.headers, secrets);
    if (status >= 400) {
      const body = secrets.reduce(
        (text, secret) => text.replaceAll(secret, '[key]'),
        await readStart(incoming, LARGEST_ERROR),
      );
      const { 'content-length': _replaced, ...rest } = headers;
      response.writeHead(status, rest).end(body);
      return refused(body);
    }
    response.writeHead(status, headers);
    response.flushHeaders();
    let failure: ModelRefusal | undefined;
    const meter = createMeter({
      protocol: endpoint.protocol,
      contentType: incoming.headers['content-type'],
      report,
      failed: (code) => (failure = streamRefusal(code, clock.now())),
    });
    await pipeline(incoming, meter, response);
    return failure;
  }

  /** Path and query of a route below the base URL. */
  function locate(route: Route, body: Buffer | undefined): string {
    if (endpoint.locate === undefined) return route.path + route.query;
    return endpoint.locate.path(route, body && modelOf(body));
  }

  return { pass, close: () => agent.destroy() };
}

/** Credentials that can't be had are a refused key, unless the place that gives them is away. */
function withoutAccess(error: unknown, now: number): ModelRefusal {
  const isRefused = error instanceof AccessError && !error.isPassing;
  return isRefused ? { status: 401, code: undefined, at: now, resetAt: undefined } : unreachable(now);
}

function modelOf(body: Buffer): string | undefined {
  return z.object({ model: z.string() }).safeParse(decodeJson(body.toString('utf8'))).data?.model;
}

/** A request's whole body. Rejects when it is larger than `LARGEST_BODY` or the client goes away. */
async function readWhole(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request.pipe(bodyLimit()) as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Answers with an error in the protocol's own shape; if an answer is under way, cuts it, since it can't be mended. */
export function refuseModel(refusal: {
  readonly response: ServerResponse;
  readonly endpoint: ModelEndpoint;
  readonly status: number;
  readonly message: string;
  readonly retry: boolean;
}): void {
  const { response } = refusal;
  if (response.headersSent || response.destroyed) {
    response.destroy();
    return;
  }
  const error = modelError(refusal.endpoint.protocol, refusal);
  // The rest of what is too large is not read: the connection ends with the answer.
  const ending = error.status === 413 ? { connection: 'close' } : {};
  response.writeHead(error.status, { ...error.headers, ...ending }).end(error.body);
}

const TOO_LARGE = `The request is larger than the gateway passes on (${LARGEST_BODY / 1024 / 1024} MB).`;

class BodyTooLarge extends Error {}
class SilentEndpoint extends Error {}

async function readStart(stream: IncomingMessage, limit: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    size += chunk.length;
    if (size >= limit) break;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function bodyLimit(): Transform {
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length;
      if (size > LARGEST_BODY) done(new BodyTooLarge());
      else done(null, chunk);
    },
  });
}

function incomingResponse(outgoing: ReturnType<typeof httpRequest>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.once('error', reject);
    outgoing.once('close', () => reject(new Error('closed')));
  });
}

/**
 * Where a route is below a base URL. `/v1` belongs to the route, but people also write it at the end of the base, as the client
 * libraries of OpenAI want it: `https://example.com/api/v1`.
 */
function pathBelow(base: URL, path: string): string {
  const below = base.pathname.replace(/\/$/, '');
  return (path.startsWith('/v1/') && below.endsWith('/v1') ? below.slice(0, -'/v1'.length) : below) + path;
}

function parseUpstream(upstream: string): URL {
  const url = URL.parse(upstream);
  if (url === null || !/^https?:$/.test(url.protocol) || url.username !== '' || url.search !== '') {
    throw new Error('The model endpoint must be an http or https URL without user name and query.');
  }
  return url;
}

function errorCode(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z_\d]+$/.test(code) ? code : 'connection lost';
}
