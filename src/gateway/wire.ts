import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Clock } from '../domain/clock.ts';
import type { ModelRefusal } from '../domain/model-refusal.ts';
import type { Log } from '../telemetry/log.ts';
import { createBlockedHosts } from './blocked-hosts.ts';
import { createPlaceholder, presents } from './credentials.ts';
import type { Grant, Wire } from './gateway.ts';
import { hostRule } from './hosts.ts';
import { createLedger } from './ledger.ts';
import { createRefusals } from './refusals.ts';
import { createRelay, refuseModel } from './relay.ts';
import { findRoute } from './routes.ts';
import { isTalk, talk } from './talk.ts';
import { openTunnel, type Connect, type Resolve } from './tunnel.ts';

export interface WireOptions {
  readonly grant: Grant;
  readonly log: Log;
  readonly clock: Clock;
  readonly resolve: Resolve;
  readonly connect: Connect;
}

/** One session's wire without an address yet: `server` still has to listen. */
export interface UnboundWire {
  readonly server: Server;
  readonly facts: Pick<Wire, 'placeholder' | 'usage' | 'charged' | 'blocked' | 'exhausted' | 'refusal' | 'hopeless'>;
  /** Ends the listener and every connection. */
  close(): Promise<void>;
}

/** Connections one session may have open; a busy CLI has about ten. */
const CONNECTIONS = 256;

/** Makes the listener that enforces one grant. Throws when the grant's hosts or endpoint can't be understood. */
export function createWire(options: WireOptions): UnboundWire {
  const { grant, clock } = options;
  const log = options.log.child({ session: grant.session });
  const placeholder = createPlaceholder();
  const allows = hostRule(grant.hosts);
  const model =
    grant.model === undefined ? undefined : { endpoint: grant.model, relay: createRelay(grant.model, clock) };
  const ledger = createLedger(grant);
  const blocked = createBlockedHosts();
  const refusals = createRefusals();
  let hasAnswered = false;
  const ending = new AbortController();
  // Every tunnel listens on it; the default of ten listeners is a warning, not a limit.
  setMaxListeners(0, ending.signal);
  const sockets = new Set<Duplex>();

  const server = createServer({
    headersTimeout: 30_000,
    requestTimeout: 5 * 60_000,
    keepAliveTimeout: 60_000,
    connectionsCheckingInterval: 5_000,
    maxHeaderSize: 64 * 1024,
    requireHostHeader: false,
  });
  server.maxConnections = CONNECTIONS;
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  server.on('connect', (request, client, head) => {
    client.on('error', () => client.destroy());
    void openTunnel(request, client, head, {
      allows,
      resolve: options.resolve,
      connect: options.connect,
      signal: ending.signal,
      refused,
    });
  });
  server.on('request', (request, response) => {
    response.on('error', () => response.destroy());
    void answer(request, response);
  });

  function refused(host: string): void {
    blocked.add(host);
    log.info({ host }, 'refused a connection the session may not make');
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const target = request.url ?? '';
    if (!target.startsWith('/')) {
      refused(URL.parse(target)?.host ?? target);
      return plain(response, 403, 'The gateway is no plain HTTP proxy: use https, which goes by CONNECT.');
    }
    if (grant.onWord !== undefined && isTalk(target))
      return await talk({
        request,
        response,
        target,
        hears: grant.onWord,
        known: presents(request.headers, placeholder),
      });
    const route = model && findRoute(model.endpoint.protocol, request.method ?? '', target, model.endpoint.cloud);
    if (model === undefined || route === undefined) return plain(response, 404, 'The gateway has nothing here.');
    const refuse = (status: number, message: string, retry = false): void =>
      refuseModel({ response, endpoint: model.endpoint, status, message, retry });
    if (!presents(request.headers, placeholder)) return refuse(401, 'This key is not good for this gateway.');
    const entry = await ledger.admit().catch((error: unknown) => {
      log.warn({ err: error }, 'whether a model request may be made could not be found out, so it is not');
    });
    if (entry === undefined) return refuse(503, 'The gateway could not look up what may be spent.', true);
    if (entry === 'spent') return refuse(429, 'The budget of this session is spent.');
    const started = clock.monotonic();
    // It may have had to wait for others, and the client not for it.
    if (!response.destroyed) await model.relay.pass({ request, response, route, report: entry.report, outcome });
    await entry
      .settle()
      .catch((error: unknown) => log.warn({ err: error }, 'what a model request consumed could not be recorded yet'));
    log.debug(
      { path: route.path, status: response.statusCode, durationMs: Math.round(clock.monotonic() - started) },
      'relayed a model request',
    );
  }

  function outcome(refusal: ModelRefusal | undefined): void {
    refusals.note(refusal);
    if (refusal !== undefined || hasAnswered) return;
    hasAnswered = true;
    grant.onAnswer?.();
  }

  async function close(): Promise<void> {
    ending.abort();
    refusals.close();
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    model?.relay.close();
    await closed;
  }

  return {
    server,
    facts: {
      placeholder,
      usage: ledger.usage,
      charged: ledger.charged,
      blocked: blocked.list,
      exhausted: ledger.exhausted,
      refusal: refusals.last,
      hopeless: refusals.hopeless,
    },
    close,
  };
}

function plain(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' })
    .end(`${text}\n`);
}
