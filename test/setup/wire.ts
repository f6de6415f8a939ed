import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A wire to a server on loopback that can be cut, mended, and made to carry nothing while it stays up. */
export interface Wire extends AsyncDisposable {
  readonly port: number;
  /** Breaks every connection and refuses new ones. */
  cut(): Promise<void>;
  /** Takes connections again after a cut, or lets through what a stall held back. */
  mend(): Promise<void>;
  /** Keeps connections open and carries nothing more, as a network does that drops packets. */
  stall(): void;
}

/** Opens a wire to a port of this machine. */
export async function openWire(target: number): Promise<Wire> {
  const pairs = new Set<readonly [Socket, Socket]>();
  let stalled = false;
  const server = createServer((incoming) => {
    const outgoing = connect(target, '127.0.0.1');
    const pair = [incoming, outgoing] as const;
    pairs.add(pair);
    for (const socket of pair) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        pairs.delete(pair);
        for (const end of pair) end.destroy();
      });
    }
    incoming.pipe(outgoing).pipe(incoming);
    if (stalled) for (const socket of pair) socket.pause();
  });
  async function listen(port: number): Promise<void> {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
  }
  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const pair of pairs) for (const socket of pair) socket.destroy();
    await closed;
  }
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    port,
    cut,
    mend: async () => {
      stalled = false;
      for (const pair of pairs) for (const socket of pair) socket.resume();
      if (!server.listening) await listen(port);
    },
    stall: () => {
      stalled = true;
      for (const pair of pairs) for (const socket of pair) socket.pause();
    },
    [Symbol.asyncDispose]: cut,
  };
}
