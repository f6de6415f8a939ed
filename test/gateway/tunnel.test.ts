import { connect as connectTcp, isIP } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Wire } from '../../src/gateway/gateway.ts';
import { connectHere } from '../../src/gateway/network.ts';
import type { Connect } from '../../src/gateway/tunnel.ts';
import { ask, clientHello, grant, raw, startGateway, startTcp } from './world.ts';

const PUBLIC = '93.184.215.14';
const HOSTS = ['allowed.com', '*.allowed.org', 'bücher.example'];

interface World {
  readonly wire: Wire;
  /** Addresses the gateway connected to. */
  readonly connected: string[];
  readonly resolved: string[];
}

/** A wire whose every connection ends at a local server, which says HELLO to what begins like TLS. */
async function open(answers: Record<string, readonly string[]> = {}): Promise<World> {
  const port = await startTcp((socket) => {
    socket.once('data', (chunk) => socket.write(chunk[0] === 22 ? 'HELLO' : 'WHAT?'));
    socket.on('end', () => socket.end());
  });
  const connected: string[] = [];
  const resolved: string[] = [];
  const connect: Connect = (address, to, signal) => {
    connected.push(`${address}:${to}`);
    return connectHere('127.0.0.1', port, signal);
  };
  const resolver = (host: string) => {
    resolved.push(host);
    return Promise.resolve(answers[host] ?? [PUBLIC]);
  };
  const gateway = await startGateway({ resolver, connect });
  return { wire: await gateway.open(grant({ hosts: HOSTS })), connected, resolved };
}

/** Asks for a tunnel and begins TLS in it, with the host of the authority as server name unless told otherwise. */
async function connectTo(wire: Wire, authority: string, greeting?: Buffer): Promise<string> {
  const name = authority.replace(/\.?(?::\d+)?$/, '').toLowerCase();
  const hello = greeting ?? (await clientHello(/^[a-z\d.-]+$/.test(name) && isIP(name) === 0 ? name : undefined));
  const request = `CONNECT ${authority} HTTP/1.1\r\nHost: ${authority}\r\n\r\n`;
  return raw(wire, Buffer.concat([Buffer.from(request), hello]), 'HELLO');
}

describe('a tunnel', () => {
  test.each([
    'allowed.com:443',
    'ALLOWED.com:443',
    'allowed.com.:443',
    'a.allowed.org:443',
    'A.B.Allowed.ORG.:443',
    'xn--bcher-kva.example:443',
  ])('to %s is made, to the address that was checked', async (authority) => {
    const { wire, connected } = await open();
    const seen = await connectTo(wire, authority);
    expect(seen).toMatch(/^HTTP\/1\.1 200 [\s\S]*HELLO$/);
    expect(connected).toEqual([`${PUBLIC}:443`]);
    expect(wire.blocked()).toEqual([]);
  });

  test.each([
    ['a host that is not on the list', 'evil.com:443', 'evil.com'],
    ['an allowed name with a suffix', 'allowed.com.evil.com:443', 'allowed.com.evil.com'],
    ['an allowed name with a prefix', 'notallowed.com:443', 'notallowed.com'],
    ['the parent of a wildcard', 'allowed.org:443', 'allowed.org'],
    ['another port', 'allowed.com:22', 'allowed.com'],
    ['plain http', 'allowed.com:80', 'allowed.com'],
    ['port 443 written otherwise', 'allowed.com:65979', 'allowed.com'],
    ['an IPv4 address', '93.184.215.14:443', '93.184.215.14'],
    ['loopback', '127.0.0.1:443', '127.0.0.1'],
    ['the metadata service', '169.254.169.254:443', '169.254.169.254'],
    ['a decimal address', '2130706433:443', '2130706433'],
    ['an octal address', '0177.0.0.1:443', '0177.0.0.1'],
    ['a hexadecimal address', '0x7f.0.0.1:443', '0x7f.0.0.1'],
    ['a short address', '127.1:443', '127.1'],
    ['an IPv6 address', '[2606:4700::1111]:443', '[2606:4700::1111]'],
    ['a mapped address', '[::ffff:10.0.0.1]:443', '[::ffff:10.0.0.1]'],
    ['localhost', 'localhost:443', 'localhost'],
    ['a container host name', 'host.docker.internal:443', 'host.docker.internal'],
    ['user information', 'allowed.com@evil.com:443', 'allowed.com@evil.com:443'],
    ['no port', 'allowed.com', 'allowed.com'],
    ['a path', 'allowed.com:443/x', 'allowed.com:443/x'],
  ])('to %s (%s) is refused, counted, and neither resolved nor connected', async (_, authority, host) => {
    const { wire, connected, resolved } = await open();
    const seen = await connectTo(wire, authority);
    expect(seen).toMatch(/^HTTP\/1\.1 403 Forbidden\r\n/);
    expect(seen).not.toContain('HELLO');
    expect([connected, resolved]).toEqual([[], []]);
    expect(wire.blocked()).toEqual([{ host, count: 1 }]);
  });

  test.each([
    '127.0.0.1',
    '10.0.0.1',
    '172.17.0.1',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '::1',
    'fd00::1',
    'fe80::1',
    '::ffff:8.8.8.8',
    '64:ff9b::a00:1',
  ])('to an allowed name that resolves to %s is refused, also when another address is public', async (address) => {
    const { wire, connected } = await open({ 'allowed.com': [PUBLIC, address] });
    expect(await connectTo(wire, 'allowed.com:443')).toMatch(/^HTTP\/1\.1 403 /);
    expect(connected).toEqual([]);
    expect(wire.blocked()).toEqual([{ host: 'allowed.com', count: 1 }]);
  });

  test('is not fooled by a name that resolves differently the second time', async () => {
    let asked = 0;
    const connected: string[] = [];
    const gateway = await startGateway({
      resolver: () => Promise.resolve([(asked += 1) === 1 ? PUBLIC : '127.0.0.1']),
      connect: (address) => {
        connected.push(address);
        return Promise.reject(new Error('enough seen'));
      },
    });
    const wire = await gateway.open(grant({ hosts: HOSTS }));
    expect(await connectTo(wire, 'allowed.com:443')).toMatch(/^HTTP\/1\.1 502 /);
    expect([asked, connected]).toEqual([1, [PUBLIC]]);
  });

  test('tries the next address when the first does not answer', async () => {
    const port = await startTcp((socket) => void socket.once('data', () => socket.write('HELLO')));
    const gateway = await startGateway({
      resolver: () => Promise.resolve(['93.184.215.1', '93.184.215.2']),
      connect: (address, _, signal) =>
        address.endsWith('.1') ? Promise.reject(new Error('refused')) : connectHere('127.0.0.1', port, signal),
    });
    const wire = await gateway.open(grant({ hosts: HOSTS }));
    expect(await connectTo(wire, 'allowed.com:443')).toContain('HELLO');
  });

  test('to a name without address is answered 502', async () => {
    const { wire } = await open({ 'allowed.com': [] });
    expect(await connectTo(wire, 'allowed.com:443')).toMatch(/^HTTP\/1\.1 502 /);
    expect(wire.blocked()).toEqual([]);
  });

  test.each([
    ['another server', 'evil.com', 'evil.com'],
    ['another allowed server', 'a.allowed.org', 'a.allowed.org'],
    ['no server', undefined, 'allowed.com'],
  ])('in which TLS is asked for %s is cut before a byte gets through', async (_, name, counted) => {
    const { wire } = await open();
    const seen = await connectTo(wire, 'allowed.com:443', await clientHello(name));
    expect(seen).toMatch(/^HTTP\/1\.1 200 Connection established\r\n\r\n$/);
    expect(wire.blocked()).toEqual([{ host: counted, count: 1 }]);
  });

  test.each([
    'SSH-2.0-OpenSSH_9.6\r\n',
    'GET / HTTP/1.1\r\nHost: evil.com\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ])('in which something else than TLS is spoken (%j) is cut', async (bytes) => {
    const { wire } = await open();
    expect(await connectTo(wire, 'allowed.com:443', Buffer.from(bytes))).toMatch(/established\r\n\r\n$/);
    expect(wire.blocked()).toEqual([{ host: 'allowed.com', count: 1 }]);
  });

  test('ends when the wire is closed', async () => {
    const { wire } = await open();
    const socket = connectTcp({ port: Number(new URL(wire.url!).port), host: '127.0.0.1' });
    socket.write('CONNECT allowed.com:443 HTTP/1.1\r\n\r\n');
    await new Promise((resolve) => {
      socket.once('data', resolve);
    });
    const ended = new Promise<boolean>((resolve) => {
      socket.once('close', () => resolve(socket.readable));
    });
    socket.on('error', () => {});
    await wire[Symbol.asyncDispose]();
    await expect(ended).resolves.toBe(false);
  });
});

describe('as a plain proxy', () => {
  test.each([
    ['GET', 'http://evil.com/x', 'evil.com'],
    ['GET', 'http://169.254.169.254/latest/meta-data/', '169.254.169.254'],
    ['POST', 'http://allowed.com:2375/containers/create', 'allowed.com:2375'],
    ['GET', 'ftp://allowed.com/', 'allowed.com'],
  ])('%s %s is refused and counted', async (method, target, host) => {
    const { wire, connected } = await open();
    const answer = await ask(wire, { method, target, headers: { host: 'allowed.com' } });
    expect(answer.status).toBe(403);
    expect(connected).toEqual([]);
    expect(wire.blocked()).toEqual([{ host, count: 1 }]);
  });

  test.each([
    ['HTTP/2 without TLS', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a WebSocket', 'GET /chat HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['no HTTP at all', 'SSH-2.0-OpenSSH_9.6\r\n\r\n'],
  ])('%s gets nowhere', async (_, bytes) => {
    const { wire, connected } = await open();
    expect(await raw(wire, bytes, 'HTTP/1.1 40')).toMatch(/^HTTP\/1\.1 40[04] /);
    expect(connected).toEqual([]);
  });
});

test('hosts are counted, most often first, however many are asked for', async () => {
  const { wire } = await open();
  await connectTo(wire, 'often.com:443');
  await connectTo(wire, 'often.com:443');
  for (let at = 0; at < 120; at += 1) await connectTo(wire, `host${at}.com:443`);
  expect(wire.blocked().slice(0, 2)).toEqual([
    { host: '(others)', count: 21 },
    { host: 'often.com', count: 2 },
  ]);
  expect(wire.blocked()).toHaveLength(101);
});
