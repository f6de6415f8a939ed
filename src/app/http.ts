import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Clock } from '../domain/clock.ts';
import type { Store } from '../store/store.ts';
import { around } from '../telemetry/failpoint.ts';
import type { Log } from '../telemetry/log.ts';
import { laneOf } from './delivery-lane.ts';
import { BadJson, parseJsonObject } from './json.ts';
import { BODY_LIMITS, BodyRefused, createBodyReader, type BodyLimits, type BodyReader } from './raw-body.ts';
import { startSignatureCheck } from './signature.ts';

export interface FrontDoorDeps {
  readonly store: Pick<Store, 'saveDelivery' | 'ping'>;
  readonly clock: Clock;
  readonly log: Log;
  readonly webhookSecret: string;
  /** Told the payload of each newly saved delivery, so that it is worked on at once. Must not throw. */
  readonly wake: (payload: unknown) => void;
  /** Answers what the front door does not know, such as the dashboard's pages; without it those are 404. */
  readonly pages?: (request: IncomingMessage, response: ServerResponse) => void;
  readonly limits?: Partial<BodyLimits>;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** What GitHub calls its deliveries (a UUID) and events; anything else did not come from there. */
const GUID = /^[0-9a-zA-Z-]{1,64}$/;
const EVENT = /^[a-z][a-z_]{0,63}$/;

/** Where GitHub posts deliveries. The root is taken too, for an App whose webhook URL names the host alone. */
const WEBHOOK_PATHS = ['/api/github/webhooks', '/'];

/** After an early answer the peer gets this long to read it before the connection is cut. Milliseconds. */
const LINGER_MS = 500;

/**
 * Makes the HTTP server GitHub talks to, not yet listening. `POST /api/github/webhooks` verifies a delivery, saves it durably
 * and only then answers 202 (promise P1): nothing else happens while GitHub waits. `GET /healthz` says whether the store
 * answers. Throws when the webhook secret is empty: an unsigned front door would take orders from anybody.
 */
export function createFrontDoor(deps: FrontDoorDeps): Server {
  if (deps.webhookSecret === '') {
    throw new Error('The webhook secret is empty. Set WEBHOOK_SECRET to the secret of your GitHub App.');
  }
  const limits = { ...BODY_LIMITS, ...deps.limits };
  const reader = createBodyReader(limits);
  // Node's own limits guard what comes before the body: slow headers, and requests nobody reads to the end.
  const server = createServer({
    headersTimeout: limits.readMs,
    requestTimeout: limits.readMs + 2 * LINGER_MS,
    connectionsCheckingInterval: Math.min(1_000, limits.readMs),
  });
  server.on('request', (request, response) => {
    void respond(deps, reader, request, response);
  });
  return server;
}

async function respond(
  deps: FrontDoorDeps,
  reader: BodyReader,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
  if (request.method === 'POST' && WEBHOOK_PATHS.includes(path)) {
    return send(request, response, await receive(deps, reader, request));
  }
  if (request.method === 'GET' && path === '/healthz') return send(request, response, await health(deps));
  if (deps.pages !== undefined) return deps.pages(request, response);
  if (request.method === 'GET' && path === '/') {
    return send(request, response, { status: 200, text: 'Maestro for GitHub listens here for webhooks.' });
  }
  return send(request, response, { status: 404, text: 'not found' });
}

/** Takes one delivery in. Never rejects: whatever goes wrong is an answer that makes GitHub show the delivery as failed. */
async function receive(deps: FrontDoorDeps, reader: BodyReader, request: IncomingMessage): Promise<Answer> {
  const guid = header(request, 'x-github-delivery');
  const event = header(request, 'x-github-event');
  if (guid === undefined || !GUID.test(guid)) return { status: 400, text: 'X-GitHub-Delivery is missing or malformed' };
  if (event === undefined || !EVENT.test(event)) return { status: 400, text: 'X-GitHub-Event is missing or malformed' };
  const check = startSignatureCheck(header(request, 'x-hub-signature-256'), deps.webhookSecret);
  if (check === undefined) return { status: 401, text: 'X-Hub-Signature-256 is missing or malformed' };
  if (!/^application\/json\b/.test(header(request, 'content-type') ?? '')) {
    return { status: 415, text: "set the webhook's content type to application/json" };
  }
  try {
    return await reader.read(
      request,
      (chunk) => check.update(chunk),
      async (body) => {
        if (!check.matches())
          return { status: 401, text: 'the signature does not match: is the webhook secret the same?' };
        return await save(deps, { guid, event, body });
      },
    );
  } catch (error) {
    if (error instanceof BodyRefused) return { status: error.status, text: error.message };
    if (error instanceof BadJson) return { status: 400, text: error.message };
    deps.log.error({ err: error, guid, event }, 'delivery could not be saved');
    return { status: 503, text: 'the delivery could not be saved, deliver it again' };
  }
}

async function save(
  deps: FrontDoorDeps,
  delivery: { readonly guid: string; readonly event: string; readonly body: Buffer },
): Promise<Answer> {
  const { text, value } = parseJsonObject(delivery.body);
  const action = typeof value['action'] === 'string' ? value['action'] : undefined;
  const { guid, event } = delivery;
  const saved = await around('inbox', {
    perform: async () =>
      await deps.store.saveDelivery({
        guid,
        event,
        action,
        body: text,
        receivedAt: deps.clock.now(),
        lane: laneOf(value),
      }),
  });
  deps.log.debug({ guid, event, action, saved }, 'delivery received');
  if (saved === 'saved') deps.wake(value);
  return { status: 202, text: saved };
}

async function health(deps: FrontDoorDeps): Promise<Answer> {
  try {
    await deps.store.ping();
    return { status: 200, text: 'ok' };
  } catch (error) {
    deps.log.error({ err: error }, 'store does not answer');
    return { status: 503, text: 'the store does not answer' };
  }
}

function header(request: IncomingMessage, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value[0] : value;
}

/**
 * Answers in plain text. A peer that is still sending gets a moment to read the answer, then the connection is cut. What it sends
 * meanwhile is not read: reading it, if only to throw it away, is what a flood costs most memory by.
 */
function send(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  const body = `${answer.text}\n`;
  response.writeHead(answer.status, {
    'content-type': 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
  if (request.complete) return;
  const cut = setTimeout(() => request.destroy(), LINGER_MS);
  cut.unref();
  request.once('end', () => clearTimeout(cut));
}
