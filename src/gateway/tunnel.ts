import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { isPublicAddress } from './addresses.ts';
import { readGreeting } from './client-hello.ts';
import { normalHost, splitAuthority, type HostRule } from './hosts.ts';
import { pipeBothWays } from './pipe.ts';

/** IP addresses of a host name. Rejects when there are none. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Opens a TCP connection to an IP address; rejects when it cannot be opened. */
export type Connect = (address: string, port: number, signal: AbortSignal) => Promise<Duplex>;

export interface TunnelOptions {
  readonly allows: HostRule;
  readonly resolve: Resolve;
  readonly connect: Connect;
  /** Ends the tunnel when aborted. */
  readonly signal: AbortSignal;
  /** Told of each request that was refused, with the host as it was written. */
  readonly refused: (host: string) => void;
}

/** The only port a tunnel leads to. */
const HTTPS = 443;

/** Addresses of one name that are tried, in the order DNS gave them. */
const ADDRESSES_TRIED = 4;

/**
 * Answers one CONNECT request: checks name and port, resolves the name here, checks every address, and connects to an address
 * that was checked, so that a second look-up cannot give another. What then goes through has to be TLS for that very name. Refuses with 403 and one line, answers 502 when the host
 * cannot be reached. Never rejects.
 */
export async function openTunnel(
  request: IncomingMessage,
  client: Duplex,
  head: Buffer,
  options: TunnelOptions,
): Promise<void> {
  const target = checkTarget(request.url ?? '', options.allows);
  if (target.host === undefined) {
    options.refused(target.asked);
    return answer(client, '403 Forbidden', target.reason);
  }
  const { host } = target;
  let addresses: readonly string[];
  try {
    addresses = await options.resolve(host);
  } catch {
    return answer(client, '502 Bad Gateway', `The name ${host} could not be resolved.`);
  }
  if (addresses.length === 0) return answer(client, '502 Bad Gateway', `The name ${host} has no address.`);
  if (!addresses.every(isPublicAddress)) {
    options.refused(host);
    return answer(client, '403 Forbidden', `${host} resolves to an address that is not on the public internet.`);
  }
  const upstream = await firstConnection(addresses.slice(0, ADDRESSES_TRIED), options);
  if (upstream === undefined) return answer(client, '502 Bad Gateway', `${host} could not be reached.`);
  if (client.destroyed) {
    upstream.destroy();
    return;
  }
  client.write('HTTP/1.1 200 Connection established\r\n\r\n');
  const greeting = await receiveGreeting(client, head, options.signal);
  if (greeting === undefined || normalHost(greeting.name) !== host) {
    if (greeting !== undefined) options.refused(greeting.name || host);
    client.destroy();
    upstream.destroy();
    return;
  }
  upstream.write(greeting.bytes);
  pipeBothWays(client, upstream, options.signal);
}

/** Milliseconds a client may take to begin TLS once its tunnel stands. */
const GREETING_MS = 30_000;

/**
 * The first bytes of a client, up to the end of its TLS greeting, and the name it asks for there: empty when it speaks something
 * else. A server that serves many names would otherwise lead from an allowed one to any other. Undefined when the client leaves.
 */
function receiveGreeting(
  client: Duplex,
  head: Buffer,
  signal: AbortSignal,
): Promise<{ readonly bytes: Buffer; readonly name: string } | undefined> {
  return new Promise((resolve) => {
    let bytes = head;
    const finish = (result: { readonly bytes: Buffer; readonly name: string } | undefined): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', leave);
      client.off('data', receive).off('end', leave).off('close', leave).pause();
      resolve(result);
    };
    const leave = (): void => finish(undefined);
    const look = (): void => {
      const greeting = readGreeting(bytes);
      if (greeting.kind !== 'more') finish({ bytes, name: greeting.kind === 'name' ? greeting.name : '' });
    };
    const receive = (chunk: Buffer): void => {
      bytes = Buffer.concat([bytes, chunk]);
      look();
    };
    const timer = setTimeout(leave, GREETING_MS);
    signal.addEventListener('abort', leave, { once: true });
    client.on('data', receive).on('end', leave).on('close', leave);
    look();
  });
}

type Target = { readonly host: string } | { readonly host: undefined; readonly asked: string; readonly reason: string };

function checkTarget(authority: string, allows: HostRule): Target {
  const split = splitAuthority(authority);
  if (split === undefined)
    return { host: undefined, asked: authority, reason: 'The gateway expects CONNECT host:443.' };
  const refuse = (reason: string): Target => ({ host: undefined, asked: split.host, reason });
  const host = normalHost(split.host);
  if (host === undefined) return refuse('The gateway connects to host names only, not to addresses.');
  if (!allows(host)) return refuse(`${host} is not on the list of hosts this session may reach.`);
  if (split.port !== HTTPS) return refuse(`The gateway connects to port ${HTTPS} only.`);
  return { host };
}

async function firstConnection(addresses: readonly string[], options: TunnelOptions): Promise<Duplex | undefined> {
  for (const address of addresses) {
    try {
      return await options.connect(address, HTTPS, options.signal);
    } catch {
      if (options.signal.aborted) return undefined;
    }
  }
  return undefined;
}

function answer(client: Duplex, status: string, text: string): void {
  if (client.destroyed) return;
  client.end(
    `HTTP/1.1 ${status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: ${Buffer.byteLength(text) + 1}\r\nconnection: close\r\n\r\n${text}\n`,
  );
}
