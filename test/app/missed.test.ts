import { expect, it } from 'vitest';
import { askForMissed, failedAttempts } from '../../src/app/missed.ts';
import { ForgeError, type HookAttempt } from '../../src/forge/forge.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createMemoryStore } from './memory-store.ts';

const MINUTE = 60_000;
const NOW = 1_800_000_000_000;

let ids = 0;

function attemptAt(change: Partial<HookAttempt>): HookAttempt {
  ids += 1;
  return { id: String(ids), guid: `g${ids}`, at: NOW, ok: false, event: 'issues', action: 'labeled', ...change };
}

function world(attempts: readonly HookAttempt[]) {
  const asked: string[] = [];
  const failures: Error[] = [];
  let now = NOW;
  const store = { ...createMemoryStore(), pruneMarks: async () => 0 };
  const hookLog = {
    hookAttempts: async () => ({ attempts, next: undefined }),
    redeliver: async (id: string) => {
      const failure = failures.shift();
      if (failure !== undefined) throw failure;
      asked.push(id);
    },
  };
  const clock = { now: () => now, monotonic: () => now };
  const deps = { store, hookLog, clock, log: createLog({ level: 'silent' }) };
  return { deps, asked, failures, later: (ms: number) => (now += ms) };
}

it('finds the newest attempt of each event of ours that never got through, oldest first', () => {
  const newestFirst = [
    attemptAt({ guid: 'through', ok: true }),
    attemptAt({ guid: 'twice', id: 'second' }),
    attemptAt({ guid: 'foreign', event: 'star', action: 'created' }),
    attemptAt({ guid: 'twice', id: 'first' }),
    attemptAt({ guid: 'once', id: 'once' }),
    attemptAt({ guid: 'through' }),
  ];

  expect(failedAttempts(newestFirst).map(({ id }) => id)).toEqual(['once', 'second']);
});

it('leaves alone what the inbox holds, whatever GitHub made of our answer', async () => {
  const { deps, asked } = world([attemptAt({ guid: 'held' }), attemptAt({ guid: 'lost', id: '7' })]);
  await deps.store.saveDelivery({ guid: 'held', event: 'issues', action: 'labeled', body: '{}', receivedAt: NOW });

  expect(await askForMissed(deps)).toBe(1);
  expect(asked).toEqual(['7']);
});

it('asks for a delivery that keeps failing five times, with growing pauses, and then no more', async () => {
  const { deps, asked, later } = world([attemptAt({ id: '7' })]);
  const at: number[] = [];
  for (let minute = 0; minute < 3 * 24 * 60; minute += 1) {
    if ((await askForMissed(deps)) > 0) at.push(minute);
    later(MINUTE);
  }

  expect(asked).toHaveLength(5);
  expect(at).toEqual([0, 5, 25, 105, 425]);
});

it('stops when GitHub limits us, and goes over the same ground the next time', async () => {
  const { deps, asked, failures, later } = world([attemptAt({ id: '7' }), attemptAt({ id: '6' })]);
  failures.push(new ForgeError('limited', 'too fast', { retryAt: NOW + MINUTE }));
  await expect(askForMissed(deps)).rejects.toThrow('too fast');
  expect(asked).toEqual([]);

  later(6 * MINUTE);
  await askForMissed(deps);
  expect(asked).toEqual(['6', '7']);
});
