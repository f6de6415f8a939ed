import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import type { ListenOptions } from 'node:net';
import { join } from 'node:path';
import type { Clock } from '../domain/clock.ts';
import type { Log } from '../telemetry/log.ts';
import type { Gateway, Grant, Wire } from './gateway.ts';
import { connectHere, resolveHere } from './network.ts';
import type { Connect, Resolve } from './tunnel.ts';
import { createWire, type UnboundWire } from './wire.ts';

export interface GatewayOptions {
  /** Where sockets are made. Created, and closed to everybody else on the machine. */
  readonly directory: string;
  readonly log: Log;
  readonly clock: Clock;
  /** How names become addresses; the machine's resolver unless told otherwise. */
  readonly resolver?: Resolve;
  /** How addresses are connected to; TCP from this machine unless told otherwise. */
  readonly connect?: Connect;
}

/** Longest path of a Unix socket on Linux: `sun_path` is 108 bytes with its final NUL (unix(7)). */
const LONGEST_SOCKET_PATH = 107;

/** Makes the gateway: nothing listens until a session's wire is opened. */
export function createGateway(options: GatewayOptions): Gateway {
  const open = new Set<Wire>();

  async function openWire(grant: Grant): Promise<Wire> {
    const unbound = createWire({
      grant,
      log: options.log,
      clock: options.clock,
      resolve: options.resolver ?? resolveHere,
      connect: options.connect ?? connectHere,
    });
    const address = await (grant.listen === 'socket'
      ? bindSocket(unbound.server, grant)
      : bindLoopback(unbound.server));
    const wire = bound(unbound, address);
    open.add(wire);
    return wire;
  }

  function bound(unbound: UnboundWire, address: Address): Wire {
    const close = async (): Promise<void> => {
      open.delete(wire);
      await unbound.close();
      if (address.directory !== undefined) await rm(address.directory, { recursive: true, force: true });
    };
    let closing: Promise<void> | undefined;
    const wire: Wire = {
      socket: address.socket,
      url: address.url,
      ...unbound.facts,
      [Symbol.asyncDispose]: () => (closing ??= close()),
    };
    return wire;
  }

  /** A directory of its own for each socket: what mounts it cannot reach another session's by accident. */
  async function bindSocket(server: Server, grant: Grant): Promise<Address> {
    const name = createHash('sha256').update(grant.session).digest('hex').slice(0, 8);
    const directory = join(options.directory, `${name}-${randomBytes(4).toString('hex')}`);
    const socket = join(directory, 'wire');
    if (Buffer.byteLength(socket) > LONGEST_SOCKET_PATH) {
      throw new Error(
        `The gateway's directory ${options.directory} is too long for a Unix socket (${LONGEST_SOCKET_PATH} bytes with the socket's name). Choose a shorter one.`,
      );
    }
    await mkdir(options.directory, { recursive: true, mode: 0o700 });
    await chmod(options.directory, 0o700);
    await mkdir(directory, { mode: 0o755 });
    await listen(server, { path: socket });
    // The agent inside a container is another user; on the host the directory above keeps everybody else out.
    await chmod(socket, 0o666);
    return { socket, url: undefined, directory };
  }

  return {
    open: openWire,
    async close() {
      await Promise.all([...open].map((wire) => wire[Symbol.asyncDispose]()));
    },
  };
}

interface Address {
  readonly socket: string | undefined;
  readonly url: string | undefined;
  readonly directory: string | undefined;
}

async function bindLoopback(server: Server): Promise<Address> {
  await listen(server, { host: '127.0.0.1', port: 0 });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The gateway got no loopback port.');
  return { socket: undefined, url: `http://127.0.0.1:${address.port}`, directory: undefined };
}

function listen(server: Server, where: ListenOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(where, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
