import { describe, expect, it } from 'vitest';
import { DEFAULT_RETRY } from '../../src/domain/retry.ts';
import type { Run, RunState } from '../../src/domain/run.ts';
import { ForgeError } from '../../src/forge/forge.ts';
import { RemoteAwayError } from '../../src/git/remote.ts';
import type { RunHandler } from '../../src/queue/queue.ts';
import { InfrastructureError } from '../../src/runners/runner.ts';
import { createLog } from '../../src/telemetry/log.ts';
import type { WorkerDeps } from '../../src/workers/deps.ts';
import { startWorker } from '../../src/workers/worker.ts';
import { NO_CHARGE } from '../../src/domain/spending.ts';
import { aRun } from '../store/samples.ts';

const nothing = async (): Promise<undefined> => undefined;

/**
 * A worker over a store in memory, whose every look at the person's role fails with `error`. Hands it the run as often as asked,
 * each time when the run is due, and gives the run's states with how long it waited in each.
 */
async function handedOut(times: number, error: Error): Promise<{ states: [RunState, number][]; run: Run }> {
  let run = aRun();
  let now = 1_800_000_000_000;
  let handler: RunHandler | undefined;
  const store = {
    listRuns: async () => [],
    findRun: async () => run,
    tasksOf: async () => [],
    ordersOf: async () => [],
    sessionsOf: async () => [],
    spentByRun: async () => NO_CHARGE,
    claimRun: async () => ({ runId: run.id, owner: 'worker', epoch: 1 }),
    releaseLease: nothing,
    releaseLeasesOf: async () => [],
    updateRun: async (_lease: unknown, change: Partial<Run>) => void (run = { ...run, ...change }),
    audit: nothing,
  };
  const runner = { reap: async () => [], listLanes: async () => [], removeLane: nothing };
  const forge = {
    webUrl: () => 'https://forge.test/acme/shop',
    role: async () => {
      throw error;
    },
    ensureComment: async () => 1,
    setStateLabel: nothing,
    react: nothing,
  };
  const deps = {
    store,
    runner,
    forge,
    queue: {
      process: async (handle: RunHandler) => void (handler = handle),
      close: nothing,
      counts: async () => ({ waiting: 0, delayed: 0, active: 0 }),
    },
    shelf: { tidy: nothing },
    presence: { departed: () => [], forget: () => undefined, leave: () => undefined },
    clock: { now: () => now, monotonic: () => performance.now() },
    log: createLog({ level: 'silent' }),
    settings: {
      name: 'worker',
      home: '/nonexistent',
      keepMs: 1,
      leaseMs: 60_000,
      reconcileMs: 60_000,
      statusIntervalMs: 0,
      retry: DEFAULT_RETRY,
      budget: {},
    },
  } as unknown as WorkerDeps;
  const worker = await startWorker(deps);
  const states: [RunState, number][] = [];
  for (let round = 0; round < times; round += 1) {
    const word = await handler?.(run.id, new AbortController().signal);
    const delayMs = word?.kind === 'again' ? word.delayMs : 0;
    states.push([run.state, delayMs / 1000]);
    now += delayMs;
  }
  await worker.close();
  return { states, run };
}

describe('a run whose work is thrown off its path each time', () => {
  it('by a fault of ours is tried again after doubling pauses, then ends with what happened', async () => {
    const { states, run } = await handedOut(7, new TypeError('x is not a function\n    at y'));

    expect(states).toEqual([
      ...[30, 60, 120, 240, 480].map((seconds) => ['parked', seconds]),
      ['failed', 0],
      ['failed', 0],
    ]);
    expect(run.reason).toContain('something unexpected happened: x is not a function.');
    expect(run.reason).not.toContain('at y');
  });

  it.each([
    ['GitHub does not answer', new ForgeError('unavailable', '502')],
    ['git does not get through', new RemoteAwayError('git fetch did not get through')],
    ['the engine is gone', new InfrastructureError('the engine does not answer')],
  ])('because %s waits for as long as it takes', async (_, error) => {
    const { states, run } = await handedOut(30, error);

    expect(new Set(states.map(([state]) => state))).toEqual(new Set(['parked']));
    expect(states.map(([, seconds]) => seconds).slice(0, 6)).toEqual([30, 60, 120, 240, 300, 300]);
    expect(run.setbacks?.tries).toBe(0);
  });

  it('because GitHub says no ends at once', async () => {
    const { states } = await handedOut(1, new ForgeError('denied', 'Resource not accessible'));

    expect(states).toEqual([['failed', 0]]);
  });
});
