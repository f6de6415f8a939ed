import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';

/** What the engine does instead of answering a request. `hang`: nothing, until it is healed; then it does it after all. */
export type EngineFault = { readonly kind: 'hang' } | { readonly kind: 'answer'; readonly status: number };

/**
 * Stands between a client and a Docker engine, to break what goes between them the way a network, a restarting engine or one that
 * hangs does. Requests are matched as `METHOD /path?query`.
 */
export interface EngineProxy extends AsyncDisposable {
  readonly socketPath: string;
  /** Breaks the open connections whose requests match, as soon as there is one. */
  cut(request: RegExp): Promise<void>;
  /** From now on requests that match (all when not said) meet a fault; streams that match carry nothing while it hangs. */
  fail(fault: EngineFault, request?: RegExp): void;
  /** Ends the fault: what hung goes on. Says how many requests met it. */
  heal(): number;
  /** How many requests have met the fault so far. */
  met(): number;
  /** Requests that are under way. */
  open(): number;
}

interface Rule {
  readonly fault: EngineFault;
  readonly request: RegExp;
  readonly healed: PromiseWithResolvers<void>;
  met: number;
}

const WORDS = JSON.stringify({ message: 'the proxy was told to say so' });

/** Opens a proxy before the engine that listens at `enginePath`. */
export async function createEngineProxy(enginePath: string): Promise<EngineProxy> {
  const directory = await mkdtemp(join(tmpdir(), 'maestro-engine-'));
  const socketPath = join(directory, 'docker.sock');
  /** What can be cut: every request that is under way, with how to break it. */
  const open = new Map<object, { readonly what: string; readonly sockets: readonly Duplex[] }>();
  let rule: Rule | undefined;

  /** Holds a request that meets a fault. Gives the status to answer with; undefined for one that goes to the engine. */
  async function judged(what: string): Promise<number | undefined> {
    const now = rule;
    if (now?.request.test(what) !== true) return undefined;
    now.met += 1;
    if (now.fault.kind === 'answer') return now.fault.status;
    await now.healed.promise;
    return undefined;
  }

  async function pass(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const what = `${request.method} ${request.url}`;
    open.set(request, { what, sockets: [request.socket] });
    response.once('close', () => open.delete(request));
    const status = await judged(what);
    if (status !== undefined) {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(WORDS);
      return;
    }
    const { method, url, headers } = request;
    const forwarded = httpRequest({ socketPath: enginePath, method, path: url, headers, agent: false }, (answer) => {
      response.writeHead(answer.statusCode ?? 500, answer.headers);
      response.flushHeaders();
      answer.pipe(response);
      answer.on('error', () => response.destroy());
    });
    forwarded.on('error', () => response.destroy());
    // The client that gave up waiting leaves a request that the engine carries out nevertheless.
    response.once('close', () => {
      if (request.complete && method !== 'GET' && !/\/wait\b/.test(url ?? '')) return;
      forwarded.destroy();
    });
    request.pipe(forwarded);
  }

  async function upgrade(request: IncomingMessage, client: Duplex, head: Buffer): Promise<void> {
    const what = `${request.method} ${request.url}`;
    client.on('error', () => {});
    open.set(request, { what, sockets: [client] });
    client.once('close', () => open.delete(request));
    const status = await judged(what);
    if (status !== undefined) {
      const told = ['content-type: application/json', `content-length: ${WORDS.length}`, 'connection: close'];
      client.end(`HTTP/1.1 ${status} Told\r\n${told.join('\r\n')}\r\n\r\n${WORDS}`);
      return;
    }
    const engine: Socket = connect(enginePath);
    engine.on('error', () => {});
    open.set(request, { what, sockets: [client, engine] });
    client.once('close', () => engine.destroy());
    engine.once('close', () => client.destroy());
    const headers = request.rawHeaders.flatMap((name, at) =>
      at % 2 === 0 ? [`${name}: ${request.rawHeaders[at + 1] ?? ''}`] : [],
    );
    const asked = `${request.method} ${request.url} HTTP/1.1\r\n${headers.join('\r\n')}\r\n\r\n`;
    // In one piece, as the client sent it: an engine drops a body that comes with the request, and takes a later one for input.
    engine.write(Buffer.concat([Buffer.from(asked), head]));
    client.pipe(engine).pipe(client);
  }

  const server = createServer((request, response) => void pass(request, response));
  server.on('upgrade', (request, client, head) => void upgrade(request, client, head));
  server.listen(socketPath);
  await once(server, 'listening');

  function heal(): number {
    const ended = rule;
    rule = undefined;
    for (const { sockets } of open.values()) for (const socket of sockets) socket.resume();
    ended?.healed.resolve();
    return ended?.met ?? 0;
  }

  return {
    socketPath,
    async cut(request) {
      for (let tries = 0; tries < 100; tries += 1) {
        const hit = [...open.values()].filter(({ what }) => request.test(what));
        for (const { sockets } of hit) for (const socket of sockets) socket.destroy();
        if (hit.length > 0) return;
        await delay(20);
      }
      throw new Error(`No connection asked for ${request}`);
    },
    fail(fault, request = /(?:)/) {
      heal();
      rule = { fault, request, healed: Promise.withResolvers(), met: 0 };
      if (fault.kind !== 'hang') return;
      for (const { what, sockets } of open.values())
        if (sockets.length > 1 && request.test(what)) for (const socket of sockets) socket.pause();
    },
    heal,
    met: () => rule?.met ?? 0,
    open: () => open.size,
    async [Symbol.asyncDispose]() {
      heal();
      for (const { sockets } of open.values()) for (const socket of sockets) socket.destroy();
      server.close();
      server.closeAllConnections();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
