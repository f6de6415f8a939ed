import { createHmac, randomBytes, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { createFrontDoor, type FrontDoorDeps } from '../../src/app/http.ts';
import { signatureOf } from './signature-of.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

const SECRET = 'a secret of some length';
const BODY = JSON.stringify({ action: 'labeled', issue: { number: 1, title: 'Grüße — "quoted"' } });

interface Door {
  readonly port: number;
  readonly store: MemoryStore;
  wakes(): number;
}

interface Sent {
  readonly body?: Buffer | string;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly path?: string;
  readonly method?: string;
  readonly agent?: Agent;
}

const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  }
});

async function openDoor(options: Partial<FrontDoorDeps> = {}): Promise<Door> {
  const store = createMemoryStore();
  let wakes = 0;
  const server = createFrontDoor({
    store,
    clock: { now: () => 1_000, monotonic: () => 0 },
    log: createLog({ level: 'silent' }),
    webhookSecret: SECRET,
    wake: () => void (wakes += 1),
    ...options,
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, store, wakes: () => wakes };
}

/** Sends a delivery as GitHub does, with what `sent` changes about it; a header that is undefined is left out. */
async function send(door: Door, sent: Sent = {}): Promise<{ readonly status: number; readonly text: string }> {
  const body = Buffer.from(sent.body ?? BODY);
  const headers = {
    'content-type': 'application/json',
    'x-github-delivery': randomUUID(),
    'x-github-event': 'issues',
    'x-hub-signature-256': signatureOf(body, SECRET),
    'content-length': String(body.length),
    ...sent.headers,
  };
  const outgoing = request({
    port: door.port,
    host: '127.0.0.1',
    method: sent.method ?? 'POST',
    path: sent.path ?? '/api/github/webhooks',
    headers: Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    ...(sent.agent ? { agent: sent.agent } : {}),
  });
  outgoing.on('error', () => undefined);
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  return { status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString().trim() };
}

describe('a signed delivery', () => {
  it('is saved as it came before it is acknowledged, and wakes the inbox', async () => {
    const door = await openDoor();
    const answer = await send(door, { headers: { 'x-github-delivery': 'a-guid' } });
    expect(answer).toEqual({ status: 202, text: 'saved' });
    expect(door.store.delivery('a-guid')).toMatchObject({
      event: 'issues',
      action: 'labeled',
      body: BODY,
      receivedAt: 1_000,
    });
    expect(door.wakes()).toBe(1);
  });

  it('is taken at the root and on either path with a query', async () => {
    const door = await openDoor();
    expect((await send(door, { path: '/' })).status).toBe(202);
    expect((await send(door, { path: '/api/github/webhooks?x=1' })).status).toBe(202);
    expect((await send(door, { path: '/elsewhere' })).status).toBe(404);
  });

  it('is not acknowledged when it can not be saved: GitHub then shows it as failed', async () => {
    const store = {
      ...createMemoryStore(),
      saveDelivery: async () => await Promise.reject(new Error('the disk is full')),
    };
    const door = await openDoor({ store });
    const answer = await send(door);
    expect(answer.status).toBe(503);
    expect(answer.text).not.toContain('disk');
    expect(door.wakes()).toBe(0);
  });

  it('sent a thousand times over eight connections is one row and one wake (threat S02)', async () => {
    const door = await openDoor();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async () => await send(door, { agent, headers: { 'x-github-delivery': 'one' } })),
    );
    agent.destroy();
    expect(
      answers
        .map((answer) => `${answer.status} ${answer.text}`)
        .toSorted()
        .slice(-2),
    ).toEqual(['202 duplicate', '202 saved']);
    expect(answers.filter((answer) => answer.text === 'saved')).toHaveLength(1);
    expect(answers.every((answer) => answer.status === 202)).toBe(true);
    expect(door.store.deliveries()).toHaveLength(1);
    expect(door.wakes()).toBe(1);
  });
});

describe('a forged delivery (threat S01)', () => {
  it('is refused whatever was changed about it', async () => {
    const door = await openDoor();
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const signature = signatureOf(BODY, SECRET);
    const bodies = Array.from({ length: 300 }, () => {
      const bytes = Buffer.from(BODY);
      const at = randomBytes(2).readUInt16BE() % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (randomBytes(1)[0]! % 8));
      return { body: bytes, headers: { 'x-hub-signature-256': signature } };
    });
    const signatures = [
      ...Array.from({ length: 64 }, (_, index) => flipped(signature, 7 + index)),
      ...Array.from({ length: signature.length }, (_, length) => signature.slice(0, length)),
      `${signature}0`,
      signature.toUpperCase(),
      signature.slice('sha256='.length),
      `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`,
      `sha512=${createHmac('sha512', SECRET).update(BODY).digest('hex')}`,
      signatureOf(BODY, 'another secret'),
      signatureOf(BODY, ''),
      signatureOf(JSON.stringify(JSON.parse(BODY), undefined, 1), SECRET),
      undefined,
    ].map((value) => ({ headers: { 'x-hub-signature-256': value } }));
    const reencoded = [Buffer.from(BODY, 'utf16le'), Buffer.from(` ${BODY}`), Buffer.from(`\u{feff}${BODY}`)].map(
      (body) => ({ body, headers: { 'x-hub-signature-256': signature } }),
    );
    const answers = await Promise.all(
      [...bodies, ...signatures, ...reencoded].map(async (sent) => await send(door, { ...sent, agent })),
    );
    agent.destroy();
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([401]));
    expect(door.store.deliveries()).toEqual([]);
    expect((await send(door)).status).toBe(202);
  });

  it('with a SHA-1 signature alone is refused', async () => {
    const door = await openDoor();
    const sha1 = `sha1=${createHmac('sha1', SECRET).update(BODY).digest('hex')}`;
    const answer = await send(door, { headers: { 'x-hub-signature-256': undefined, 'x-hub-signature': sha1 } });
    expect(answer.status).toBe(401);
  });

  it('cannot be taken at all without a secret', () => {
    const store = createMemoryStore();
    const deps = {
      store,
      clock: { now: () => 0, monotonic: () => 0 },
      log: createLog({ level: 'silent' }),
      wake: () => undefined,
    };
    expect(() => createFrontDoor({ ...deps, webhookSecret: '' })).toThrow(/WEBHOOK_SECRET/);
  });
});

describe('a delivery that is signed and yet no good', () => {
  it.each([
    ['no delivery id', { headers: { 'x-github-delivery': undefined } }, 400, /X-GitHub-Delivery/],
    ['a strange delivery id', { headers: { 'x-github-delivery': "1'; drop" } }, 400, /X-GitHub-Delivery/],
    ['an endless delivery id', { headers: { 'x-github-delivery': 'a'.repeat(65) } }, 400, /X-GitHub-Delivery/],
    ['no event', { headers: { 'x-github-event': undefined } }, 400, /X-GitHub-Event/],
    ['a strange event', { headers: { 'x-github-event': '__proto__' } }, 400, /X-GitHub-Event/],
    ['a form', { headers: { 'content-type': 'application/x-www-form-urlencoded' } }, 415, /application\/json/],
    ['no JSON', { body: 'payload=1' }, 400, /not JSON/],
    ['nothing', { body: '' }, 400, /not JSON/],
    ['no object', { body: '[1]' }, 400, /no JSON object/],
    ['null', { body: 'null' }, 400, /no JSON object/],
    ['a NUL', { body: '{"a":"\0"}' }, 400, /NUL/],
    ['bad UTF-8', { body: Buffer.from([0x7b, 0x22, 0xc3, 0x28, 0x22, 0x3a, 0x31, 0x7d]) }, 400, /UTF-8/],
    ['a byte order mark', { body: '\u{feff}{}' }, 400, /not JSON/],
    ['a million brackets', { body: '['.repeat(1_000_000) }, 400, /deeper/],
    ['a million objects', { body: '{"a":'.repeat(1_000_000) }, 400, /deeper/],
  ])('because of %s', async (_, sent: Sent, status, said) => {
    const door = await openDoor();
    const answer = await send(door, sent);
    expect(answer.status).toBe(status);
    expect(answer.text).toMatch(said);
    expect(door.store.deliveries()).toEqual([]);
  });

  it('while brackets inside of strings are no depth', async () => {
    const door = await openDoor();
    expect((await send(door, { body: JSON.stringify({ a: `\\"${'[{'.repeat(500)}` }) })).status).toBe(202);
  });
});

describe('a body that would fill the memory or never ends (threat S04)', () => {
  it('of 26 MB is refused at the sight of its length', async () => {
    const door = await openDoor();
    const answer = await send(door, { body: Buffer.alloc(26 * 1024 * 1024, 0x20) });
    expect(answer.status).toBe(413);
  });

  it('of exactly the cap is taken, and of one byte more is not', async () => {
    const maxBytes = 1_000;
    const door = await openDoor({ limits: { maxBytes } });
    expect((await send(door, { body: fill(maxBytes) })).status).toBe(202);
    expect((await send(door, { body: fill(maxBytes + 1) })).status).toBe(413);
  });

  it('in chunks without an end is refused at the cap', async () => {
    const door = await openDoor({ limits: { maxBytes: 100_000 } });
    const { status, sent } = await sendEndlessly(door.port, 10_000, 0);
    expect(status).toBe(413);
    expect(sent).toBeLessThan(2_000_000);
  });

  it('that comes a byte at a time is refused when its time is up', async () => {
    const door = await openDoor({ limits: { readMs: 150 } });
    expect((await sendEndlessly(door.port, 1, 10)).status).toBe(408);
  });

  it('leaves the door open for others, and is one of so many at once', async () => {
    const door = await openDoor({ limits: { readMs: 400, maxBodies: 4 } });
    const slow = Array.from({ length: 4 }, async () => await sendEndlessly(door.port, 1, 20));
    await pause(100);
    expect((await send(door)).status).toBe(503);
    expect((await send(door, { method: 'GET', path: '/healthz' })).status).toBe(200);
    expect((await Promise.all(slow)).map((answer) => answer.status)).toEqual([408, 408, 408, 408]);
    expect((await send(door)).status).toBe(202);
  });

  it('waits its turn where others are being saved, and is refused only when that takes too long', async () => {
    const store = createMemoryStore();
    const save = store.saveDelivery;
    const disk = Promise.withResolvers<void>();
    const slow = async (delivery: Parameters<typeof save>[0]) => {
      await disk.promise;
      return await save(delivery);
    };
    const door = await openDoor({ store: { ...store, saveDelivery: slow }, limits: { maxBodies: 4, maxWaiting: 30 } });
    const statuses: number[] = [];
    const many = Array.from({ length: 50 }, async () => statuses.push((await send(door)).status));
    while (statuses.length < 16) await pause(10);
    disk.resolve();
    await Promise.all(many);
    expect(statuses.filter((status) => status === 503)).toHaveLength(16);
    expect(statuses.filter((status) => status === 202)).toHaveLength(34);
  });

  it('counts against the bytes held for all bodies together', async () => {
    const door = await openDoor({ limits: { readMs: 400, maxBufferedBytes: 50_000 } });
    const large = sendEndlessly(door.port, 45_000, 1_000);
    await pause(100);
    expect((await send(door, { body: JSON.stringify({ a: 'x'.repeat(10_000) }) })).status).toBe(503);
    expect((await large).status).toBe(408);
    expect((await send(door, { body: JSON.stringify({ a: 'x'.repeat(10_000) }) })).status).toBe(202);
  });

  it('neither grows the process nor keeps it from answering', async () => {
    const door = await openDoor();
    const before = process.memoryUsage().rss;
    const bombs = Array.from({ length: 8 }, async () => await sendEndlessly(door.port, 262_144, 0));
    const waits: number[] = [];
    for (let probe = 0; probe < 20; probe += 1) {
      const start = performance.now();
      await send(door, { method: 'GET', path: '/healthz' });
      waits.push(performance.now() - start);
      await pause(5);
    }
    const statuses = (await Promise.all(bombs)).map((answer) => answer.status);
    expect(statuses.every((status) => status === 413 || status === 503)).toBe(true);
    expect(process.memoryUsage().rss - before).toBeLessThan(400 * 1024 * 1024);
    expect(waits.toSorted((a, b) => a - b)[10]).toBeLessThan(250);
  });
});

describe('what people ask the front door', () => {
  it('its health is the health of the store', async () => {
    const door = await openDoor();
    expect(await send(door, { method: 'GET', path: '/healthz' })).toEqual({ status: 200, text: 'ok' });
    const store = { ...createMemoryStore(), ping: async () => await Promise.reject(new Error('gone')) };
    const broken = await openDoor({ store });
    expect((await send(broken, { method: 'GET', path: '/healthz' })).status).toBe(503);
  });

  it('pages it does not know go to whom it was given for them', async () => {
    const door = await openDoor({ pages: (_, response) => void response.end('a page') });
    expect((await send(door, { method: 'GET', path: '/runs' })).text).toBe('a page');
    const plain = await openDoor();
    expect((await send(plain, { method: 'GET', path: '/' })).text).toContain('listens');
    expect((await send(plain, { method: 'GET', path: '/runs' })).status).toBe(404);
  });
});

/** A hex text with the digit at one place changed. */
function flipped(text: string, at: number): string {
  return `${text.slice(0, at)}${text[at] === '0' ? '1' : '0'}${text.slice(at + 1)}`;
}

/** A JSON object of exactly `size` bytes. */
function fill(size: number): string {
  return `{"a":"${'x'.repeat(size - 8)}"}`;
}

/** Sends a body in chunks that never ends; gives the status of the answer and the bytes sent until it came. */
async function sendEndlessly(
  port: number,
  chunkSize: number,
  everyMs: number,
): Promise<{ readonly status: number; readonly sent: number }> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  const answer: string[] = [];
  let sent = 0;
  socket.on('data', (data) => answer.push(data.toString()));
  socket.write(
    `POST / HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nx-github-delivery: ${randomUUID()}\r\n` +
      `x-github-event: push\r\nx-hub-signature-256: sha256=${'0'.repeat(64)}\r\ntransfer-encoding: chunked\r\n\r\n`,
  );
  const chunk = `${chunkSize.toString(16)}\r\n${'x'.repeat(chunkSize)}\r\n`;
  for (let turn = 0; turn < 5_000 && answer.length === 0 && !socket.destroyed; turn += 1) {
    if (!socket.write(chunk)) await Promise.race([once(socket, 'drain').catch(() => undefined), pause(20)]);
    sent += chunkSize;
    if (everyMs > 0) {
      for (let waited = 0; waited < everyMs && answer.length === 0; waited += 10) await pause(10);
    } else await pause(0);
  }
  socket.destroy();
  return { status: Number(answer.join('').split(' ')[1] ?? 0), sent };
}
