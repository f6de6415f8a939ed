import { lookup } from 'node:dns/promises';
import { connect as connectTcp } from 'node:net';
import type { Connect, Resolve } from './tunnel.ts';

/** Milliseconds a TCP connection may take to open; Linux itself would try for two minutes. */
const CONNECT_MS = 10_000;

/** Milliseconds a tunnel may be silent in both directions. */
const SILENCE_MS = 10 * 60_000;

/** Resolves a name as the machine does. */
export const resolveHere: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/** Opens a TCP connection from this machine. */
export const connectHere: Connect = (address, port, signal) =>
  new Promise((resolve, reject) => {
    const socket = connectTcp({ host: address, port, noDelay: true, allowHalfOpen: true, signal });
    socket.setTimeout(CONNECT_MS, () => socket.destroy(new Error(`no connection within ${CONNECT_MS} ms`)));
    socket.once('error', reject);
    socket.once('connect', () => {
      socket.off('error', reject);
      // A destroyed socket may still report; whoever holds it hears of the end by `close`.
      socket.on('error', () => {});
      socket.setTimeout(SILENCE_MS);
      resolve(socket);
    });
  });
