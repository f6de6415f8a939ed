import { mkdtemp, rm } from 'node:fs/promises';
import {
  createServer as createHttpServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import { connect as connectTcp, createServer, type AddressInfo, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../src/domain/clock.ts';
import { createGateway, type GatewayOptions } from '../../src/gateway/create-gateway.ts';
import type { Gateway, Grant, Wire } from '../../src/gateway/gateway.ts';
import { createLog } from '../../src/telemetry/log.ts';

/** A gateway in a directory of its own, gone when the test is. */
export async function startGateway(options: Partial<GatewayOptions> = {}): Promise<Gateway> {
  const directory = await mkdtemp(join(tmpdir(), 'gw-'));
  const gateway = createGateway({ directory, log: createLog({ level: 'silent' }), clock: systemClock, ...options });
  onTestFinished(async () => {
    await gateway.close();
    await rm(directory, { recursive: true, force: true });
  });
  return gateway;
}

export function grant(parts: Partial<Grant> = {}): Grant {
  return { session: 'a-session', listen: 'loopback', hosts: [], model: undefined, budget: {}, ...parts };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

/** One HTTP request over a wire, with the target exactly as written. */
export function ask(
  wire: Wire,
  parts: { method?: string; target: string; headers?: Record<string, string>; body?: string | Buffer },
): Promise<Answer> {
  const { method = 'POST', target, headers = {}, body = '' } = parts;
  const where = wire.socket === undefined ? { port: new URL(wire.url ?? '').port } : { socketPath: wire.socket };
  return new Promise((resolve, reject) => {
    const request = httpRequest({ ...where, method, path: target, headers, agent: false }, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }),
        reject,
      );
    });
    request.once('error', reject);
    request.end(body);
  });
}

/** Sends bytes as they are and returns all that comes back until the other side ends or `waitFor` was seen. */
export function raw(wire: Wire, bytes: string | Buffer, waitFor?: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connectTcp({ port: Number(new URL(wire.url ?? '').port), host: '127.0.0.1' });
    let seen = '';
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      seen += chunk;
      if (waitFor !== undefined && seen.includes(waitFor)) socket.destroy();
    });
    socket.once('close', () => resolve(seen));
    socket.once('error', reject);
    socket.write(bytes);
  });
}

/** A TCP server on loopback, gone when the test is. */
export async function startTcp(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
    serve(socket);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** The first bytes a real TLS client sends to a server it calls `name`; with undefined it names nobody. */
export function clientHello(name: string | undefined): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        resolve(chunk);
        done();
      },
    });
    const client = connectTls({ socket, ...(name === undefined ? {} : { servername: name }) });
    client.on('error', () => {});
    onTestFinished(() => void client.destroy());
  });
}

/** An endpoint of the running test's own; gives its URL. */
export async function startUpstream(serve: RequestListener): Promise<string> {
  const server = createHttpServer(serve);
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
