import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createFrontDoor } from '../../../src/app/http.ts';
import { createInbox } from '../../../src/app/inbox.ts';
import { createDeliveryNotes } from '../../../src/app/notes.ts';
import { signatureOf } from '../../app/signature-of.ts';
import { systemClock } from '../../../src/domain/clock.ts';
import { openStore } from '../../../src/store/open.ts';
import type { Store } from '../../../src/store/store.ts';
import { createLog } from '../../../src/telemetry/log.ts';

/** The front door over the real embedded store: what is acknowledged is there, once, also for the next process. */

const SECRET = 'a secret';
const log = createLog({ level: 'silent' });
const FAR_FUTURE = 1e15;
let directory: string;
let store: Store;
let server: Server;

async function open(): Promise<void> {
  store = (await openStore({ directory, log })).store;
  server = createFrontDoor({ store, clock: systemClock, log, webhookSecret: SECRET, wake: () => undefined });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
}

async function close(): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
  await store.close();
}

async function post(guid: string, body: string, agent?: Agent): Promise<string> {
  const outgoing = request({
    host: '127.0.0.1',
    port: (server.address() as AddressInfo).port,
    path: '/api/github/webhooks',
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      'x-github-delivery': guid,
      'x-github-event': 'issues',
      'x-hub-signature-256': signatureOf(body, SECRET),
    },
    ...(agent ? { agent } : {}),
  });
  outgoing.end(body);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  const chunks = (await response.toArray()) as Buffer[];
  return `${response.statusCode} ${Buffer.concat(chunks).toString().trim()}`;
}

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maestro-app-'));
  await open();
});

afterEach(async () => {
  await close();
  await rm(directory, { recursive: true, force: true });
});

describe('a delivery that was acknowledged', () => {
  it('is one row for a thousand copies over eight connections (threat S02)', async () => {
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    const answers = await Promise.all(
      Array.from({ length: 1_000 }, async () => await post('one', '{"action":"opened"}', agent)),
    );
    agent.destroy();
    expect(answers.filter((answer) => answer === '202 saved')).toHaveLength(1);
    expect(answers.filter((answer) => answer === '202 duplicate')).toHaveLength(999);
    expect(await store.pendingDeliveries(FAR_FUTURE, 10)).toHaveLength(1);
  });

  it('is handled by the next process when this one ended first (promise P1)', async () => {
    const body = JSON.stringify({ action: 'labeled', installation: { id: 1 }, title: 'Grüße \\u0000 🎻' });
    expect(await post('early', body)).toBe('202 saved');
    await close();
    await open();
    const [delivery] = await store.pendingDeliveries(FAR_FUTURE, 10);
    expect(delivery).toMatchObject({ guid: 'early', event: 'issues', action: 'labeled', body });

    const notes = createDeliveryNotes();
    const received: unknown[] = [];
    const probot = {
      receive: async (event: { readonly id: string; readonly payload: unknown }) => {
        received.push(event.payload);
        notes.add(event.id, 'run r1 created');
        await Promise.resolve();
      },
    };
    const inbox = createInbox({ store, probot, notes, clock: systemClock, log });
    inbox.start();
    await inbox.idle();
    await inbox.stop();
    expect(received).toEqual([JSON.parse(body)]);
    expect(await store.pendingDeliveries(FAR_FUTURE, 10)).toEqual([]);
  });

  it('still is a duplicate after it was handled', async () => {
    await post('one', '{}');
    await store.settleDelivery('one', 'ignored');
    expect(await post('one', '{}')).toBe('202 duplicate');
    expect(await store.pendingDeliveries(FAR_FUTURE, 10)).toEqual([]);
  });
});
