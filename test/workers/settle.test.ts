import { describe, expect, it } from 'vitest';
import type { FailureKind } from '../../src/domain/outcome.ts';
import { DEFAULT_RETRY } from '../../src/domain/retry.ts';
import type { Store } from '../../src/store/store.ts';
import { HeldRun } from '../../src/workers/held-run.ts';
import type { RunScope, TaskRecord } from '../../src/workers/record.ts';
import { settle } from '../../src/workers/stages/settle.ts';
import { aRun, aSession, aTask } from '../store/samples.ts';

const NOW = 1_800_000_000_000;

const nothing = async (): Promise<void> => undefined;

const findCircuits = async (): Promise<ReadonlyMap<string, unknown>> => new Map();

/** Settles an attempt that failed and gives every state its task was shown in meanwhile. */
async function settled(kind: FailureKind) {
  const run = aRun({ state: 'running' });
  const task = aTask(run.id, 1, { attempts: 1, startedAt: NOW - 5 });
  const session = aSession(run.id, 1);
  const shown: (string | undefined)[] = [];
  const store = { updateTask: nothing, saveSession: nothing, audit: nothing, findCircuits } as unknown as Store;
  const held: HeldRun = new HeldRun({
    store,
    lease: { runId: run.id, owner: 'worker', epoch: 1 },
    hold: { assertOurs: () => undefined },
    run,
    tasks: [task],
    onChange: () => shown.push(held.tasks[0]?.outcome?.kind),
  });
  const deps = {
    store,
    findProvider: () => undefined,
    clock: { now: () => NOW, monotonic: () => 0 },
    settings: { retry: DEFAULT_RETRY },
  };
  const record = { task, session, earlier: [], failure: { kind, message: 'It broke.' } } as unknown as TaskRecord;
  const after = await settle(record, { held, deps } as unknown as RunScope);
  return { shown, after, task: held.tasks[0] };
}

describe('settling an attempt that failed', () => {
  it('never shows a failure that heals by itself', async () => {
    const { shown, after, task } = await settled('overloaded');

    expect(shown).toEqual([undefined]);
    expect(task).toMatchObject({ outcome: undefined, startedAt: undefined, attempts: 1 });
    expect(after).toMatchObject({ again: { at: NOW + 30_000, reason: 'It broke.' } });
    expect(after.outcome).toBeUndefined();
  });

  it('shows any other', async () => {
    const { shown, after } = await settled('auth');

    expect(shown).toEqual(['failed']);
    expect(after).toMatchObject({ outcome: { kind: 'failed' } });
    expect(after.again).toBeUndefined();
  });
});
