import { setImmediate } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { endingOf } from '../../src/workers/ending.ts';
import { holdLease, type LeaseHold } from '../../src/workers/lease-hold.ts';

/** Timers fire every sixth of it in real time; how much time has passed is what the test says. */
const LEASE_MS = 60;

interface Held extends AsyncDisposable {
  readonly hold: LeaseHold;
  /** Renewals asked for so far. */
  asked(): number;
  pass(ms: number): void;
}

function held(renewLease: Store['renewLease'], now: () => number = Date.now): Held {
  let monotonic = 1_000;
  let asked = 0;
  const hold = holdLease(
    {
      store: {
        renewLease: async (...args) => {
          asked += 1;
          return await renewLease(...args);
        },
        releaseLease: async () => undefined,
        findRun: async () => undefined,
      },
      clock: { now, monotonic: () => monotonic },
      log: createLog({ level: 'silent' }),
      settings: { leaseMs: LEASE_MS },
    },
    {
      lease: { runId: 'r1' as RunId, owner: 'worker', epoch: 1 },
      claimedAt: monotonic,
      lost: new AbortController().signal,
      shutdown: new AbortController().signal,
    },
  );
  return {
    hold,
    asked: () => asked,
    pass: (ms) => void (monotonic += ms),
    [Symbol.asyncDispose]: async () => await hold[Symbol.asyncDispose](),
  };
}

describe('a lease that is held', () => {
  it('is renewed for as long as the work lasts, whatever the clock on the wall does', async () => {
    let wall = 0;
    await using lease = held(
      async () => true,
      () => (wall += 3_600_000),
    );
    for (let third = 1; third <= 9; third += 1) {
      lease.pass(LEASE_MS / 3);
      await vi.waitFor(() => expect(lease.asked()).toBe(third));
      lease.hold.assertOurs();
    }
    expect(endingOf(lease.hold.saving)).toBeUndefined();
  });

  it.each<[string, Store['renewLease']]>([
    ['does not answer', () => new Promise(() => {})],
    [
      'fails',
      async () => {
        throw new Error('connection refused');
      },
    ],
  ])('ends the work before another worker may begin when the store %s', async (_, renew) => {
    await using lease = held(renew);
    lease.pass(LEASE_MS / 2);
    await vi.waitFor(() => expect(lease.asked()).toBeGreaterThan(0));
    lease.hold.assertOurs();
    lease.pass(LEASE_MS / 2 - 1);
    await vi.waitFor(() => expect(endingOf(lease.hold.signal)).toBe('lost'));
  });

  it('ends the work at once when another worker has it', async () => {
    await using lease = held(async () => false);
    lease.pass(LEASE_MS / 3);
    await vi.waitFor(() => expect(endingOf(lease.hold.signal)).toBe('lost'));
  });

  it('is known to be over by a process that stood still, before any timer fires', async () => {
    await using lease = held(async () => true);
    lease.hold.assertOurs();
    lease.pass(LEASE_MS);
    expect(() => lease.hold.assertOurs()).toThrow('lost');
    expect(endingOf(lease.hold.saving)).toBe('lost');
  });

  it('is not renewed any more once it ran out while the process stood still', async () => {
    await using lease = held(async () => true);
    lease.pass(LEASE_MS);
    await vi.waitFor(() => expect(endingOf(lease.hold.saving)).toBe('lost'));
    expect(lease.asked()).toBe(0);
  });

  it('counts from when its renewal was asked for, not from when the answer came', async () => {
    const answer = Promise.withResolvers<boolean>();
    const answers = [answer.promise];
    await using lease = held(async () => await (answers.shift() ?? new Promise(() => {})));
    lease.pass(LEASE_MS / 3);
    await vi.waitFor(() => expect(lease.asked()).toBe(1));
    lease.pass(LEASE_MS / 3);
    answer.resolve(true);
    await setImmediate();
    lease.pass(LEASE_MS * 0.55);
    expect(() => lease.hold.assertOurs()).toThrow('lost');
  });
});
