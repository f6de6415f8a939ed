import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { createInbox, nextAttempt, type InboxDeps } from '../../src/app/inbox.ts';
import { createDeliveryNotes } from '../../src/app/notes.ts';
import { ForgeError } from '../../src/forge/forge.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMemoryStore, type MemoryStore } from './memory-store.ts';

const log = createLog({ level: 'silent' });

/** An inbox over a store in memory whose receiver does `handle`. */
function createWorld(handle: (guid: string) => Promise<void>, options: Partial<InboxDeps> = {}) {
  const store = createMemoryStore();
  const notes = createDeliveryNotes();
  let now = 1_000;
  const clock = { now: () => now, monotonic: () => now };
  const probot = { receive: async ({ id }: { readonly id: string }) => await handle(id) };
  const inbox = createInbox({ store, probot, notes, clock, log, ...options });
  return { store, notes, inbox, advance: (ms: number) => void (now += ms) };
}

async function save(store: MemoryStore, guid: string, repository: number, receivedAt = 0): Promise<void> {
  const body = JSON.stringify({ action: 'labeled', repository: { id: repository }, installation: { id: 5 } });
  await store.saveDelivery({ guid, event: 'issues', action: 'labeled', body, receivedAt, lane: String(repository) });
}

describe('the inbox', () => {
  it('handles what one repository sent in order, one at a time, and repositories side by side', async () => {
    const trace: string[] = [];
    const world = createWorld(async (guid) => {
      trace.push(`+${guid}`);
      await pause(5);
      trace.push(`-${guid}`);
    });
    for (const [index, guid] of ['a1', 'a2', 'b1', 'a3', 'b2'].entries()) {
      await save(world.store, guid, guid.codePointAt(0)!, index);
    }
    world.inbox.wake();
    await world.inbox.idle();
    expect(trace.filter((line) => line.includes('a'))).toEqual(['+a1', '-a1', '+a2', '-a2', '+a3', '-a3']);
    expect(trace.slice(0, 2)).toEqual(['+a1', '+b1']);
  });

  it('works on at most so many repositories at once, and on all of them in the end', async () => {
    let going = 0;
    let most = 0;
    const world = createWorld(
      async () => {
        most = Math.max(most, (going += 1));
        await pause(2);
        going -= 1;
      },
      { concurrency: 3 },
    );
    for (let repository = 0; repository < 12; repository += 1) await save(world.store, `g${repository}`, repository);
    world.inbox.wake();
    await world.inbox.idle();
    expect(most).toBe(3);
    expect(world.store.deliveries().every((delivery) => delivery.settled)).toBe(true);
  });

  it('lets a flood from one repository not hold up another (threat S17)', async () => {
    const trace: string[] = [];
    const world = createWorld(async (guid) => {
      trace.push(guid);
      await pause(1);
    });
    for (let index = 0; index < 500; index += 1) await save(world.store, `flood${index}`, 1, index);
    world.inbox.wake();
    await pause(5);
    await save(world.store, 'other', 2, 501);
    world.inbox.wake();
    await pause(30);
    expect(trace.indexOf('other')).toBeGreaterThan(-1);
    expect(trace.indexOf('other')).toBeLessThan(60);
    await world.inbox.idle();
    expect(trace).toHaveLength(501);
  });

  it('lets a flood from many repositories, however much of it waits, not hold up another', async () => {
    const trace: string[] = [];
    const world = createWorld(async (guid) => {
      trace.push(guid);
      await Promise.resolve();
    });
    for (let index = 0; index < 400; index += 1)
      for (let repository = 1; repository <= 8; repository += 1)
        await save(world.store, `flood${repository}-${index}`, repository, index);
    await save(world.store, 'other', 9, 500);
    world.inbox.wake();
    await world.inbox.idle();
    expect(trace).toHaveLength(3_201);
    // Eight others have a turn before it, and those beside it.
    expect(trace.indexOf('other')).toBeLessThan(200);
    for (let repository = 1; repository <= 8; repository += 1) {
      const its = trace.filter((guid) => guid.startsWith(`flood${repository}-`));
      expect(its).toEqual(its.map((_, index) => `flood${repository}-${index}`));
    }
  });

  it('settles a delivery with what its handler noted', async () => {
    const world = createWorld(async (guid) => {
      world.notes.add(guid, 'run r1 created');
      world.notes.add('another', 'lost');
    });
    await save(world.store, 'g', 1);
    world.inbox.wake();
    await world.inbox.idle();
    expect(world.store.delivery('g')).toMatchObject({ settled: true, note: 'run r1 created' });
  });

  it('settles what is not an event of ours without bothering anybody', async () => {
    const world = createWorld(async () => expect.unreachable());
    await world.store.saveDelivery({ guid: 'g', event: 'star', action: 'created', body: '{}', receivedAt: 0 });
    await world.store.saveDelivery({ guid: 'h', event: 'constructor', action: undefined, body: '{}', receivedAt: 0 });
    world.inbox.wake();
    await world.inbox.idle();
    expect(world.store.delivery('g')?.note).toBe('ignored: not an event of ours');
    expect(world.store.delivery('h')?.note).toBe('ignored: not an event of ours');
  });

  it('tries a failed delivery again when its time has come, and lets the others pass meanwhile', async () => {
    const trace: string[] = [];
    const world = createWorld(async (guid) => {
      trace.push(guid);
      if (guid === 'bad' && trace.length < 3) throw new AggregateError([new Error('boom')]);
    });
    await save(world.store, 'bad', 1, 1);
    await save(world.store, 'good', 1, 2);
    world.inbox.wake();
    await world.inbox.idle();
    expect(trace).toEqual(['bad', 'good']);
    expect(world.store.delivery('bad')).toMatchObject({ attempts: 1, note: 'boom', retryAt: 3_000, settled: false });
    world.advance(2_000);
    world.inbox.wake();
    await world.inbox.idle();
    expect(world.store.delivery('bad')).toMatchObject({ settled: true });
  });

  it('takes up at start what was left, finds by itself what comes due, and ends on stop', async () => {
    const world = createWorld(async () => undefined, { pollMs: 10 });
    await save(world.store, 'left', 1);
    world.inbox.start();
    await world.inbox.idle();
    expect(world.store.delivery('left')?.settled).toBe(true);
    await save(world.store, 'late', 1);
    await pause(40);
    expect(world.store.delivery('late')?.settled).toBe(true);
    await world.inbox.stop();
    await save(world.store, 'after', 1);
    await pause(30);
    expect(world.store.delivery('after')?.settled).toBe(false);
  });

  it('does not read the line anew for what one repository sends while it is being handled, and forgets none of it', async () => {
    const world = createWorld(async () => await pause(5));
    const read = world.store.pendingDeliveries;
    let reads = 0;
    Object.assign(world.store, {
      pendingDeliveries: async (now: number, limit: number) => {
        reads += 1;
        return await read(now, limit);
      },
    });
    for (let count = 0; count < 50; count += 1) {
      await save(world.store, `g${count}`, 1, count);
      world.inbox.wake({ repository: { id: 1 } });
    }
    await world.inbox.idle();
    expect(world.store.deliveries().every((delivery) => delivery.settled)).toBe(true);
    expect(reads).toBeLessThan(20);
  });

  it('does not spin while the store takes nothing', async () => {
    let handled = 0;
    const world = createWorld(async () => void (handled += 1));
    await save(world.store, 'g', 1);
    const settle = world.store.settleDelivery;
    Object.assign(world.store, { settleDelivery: async () => await Promise.reject(new Error('the disk is full')) });
    world.inbox.wake();
    await world.inbox.idle();
    await pause(20);
    expect(handled).toBe(1);
    Object.assign(world.store, { settleDelivery: settle });
    world.inbox.wake();
    await world.inbox.idle();
    expect(world.store.delivery('g')?.settled).toBe(true);
  });
});

describe('when a delivery is tried again', () => {
  const boom = new Error('boom');
  it('after two seconds, then twice as long each time, up to five minutes', () => {
    const pauses = Array.from({ length: 9 }, (_, attempts) => nextAttempt({ attempts, receivedAt: 0 }, boom, 0));
    expect(pauses).toEqual([2_000, 4_000, 8_000, 16_000, 32_000, 64_000, 128_000, 256_000, 300_000]);
  });

  it('ten times, then it is kept for a person', () => {
    expect(nextAttempt({ attempts: 9, receivedAt: 0 }, boom, 0)).toBeUndefined();
  });

  it('for a day while GitHub does not answer', () => {
    const outage = new ForgeError('unavailable', '502');
    expect(nextAttempt({ attempts: 200, receivedAt: 0 }, outage, 3_600_000)).toBe(3_900_000);
    expect(nextAttempt({ attempts: 200, receivedAt: 0 }, outage, 25 * 3_600_000)).toBeUndefined();
  });

  it('not before GitHub said', () => {
    const limited = new ForgeError('limited', '429', { retryAt: 50_000 });
    expect(nextAttempt({ attempts: 0, receivedAt: 0 }, limited, 0)).toBe(50_000);
  });
});
