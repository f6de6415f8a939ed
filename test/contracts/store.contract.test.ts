import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEFAULT_CIRCUIT, takeTrial } from '../../src/domain/circuit.ts';
import { sessionIdFor, type RunId, type SessionId, type TaskKey } from '../../src/domain/ids.ts';
import { openStore } from '../../src/store/open.ts';
import { LeaseLostError, OrdersWaitingError, type Lease, type SpendingOf, type Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { createDatabase } from '../setup/database.ts';
import { describeWith } from '../setup/require.ts';
import { anyRun, anySession, anyTasks } from '../store/arbitraries.ts';
import { embeddedDirectories } from '../store/embedded.ts';
import { aDelivery, aRun, aSession, aTask } from '../store/samples.ts';

const log = createLog({ level: 'silent' });
const TTL = 60_000;

interface Opened extends AsyncDisposable {
  readonly store: Store;
}

describe('embedded', () => {
  storeContract(async () => {
    const directories = await embeddedDirectories();
    const { store } = await openStore({ directory: await directories.make(), log });
    return {
      store,
      [Symbol.asyncDispose]: async () => {
        await store.close();
        await directories[Symbol.asyncDispose]();
      },
    };
  });
});

describeWith('postgres', 'on a Postgres server', () => {
  storeContract(async () => {
    const database = await createDatabase();
    const { store } = await openStore({ databaseUrl: database.url, directory: '/nowhere', log });
    return {
      store,
      [Symbol.asyncDispose]: async () => {
        await store.close();
        await database[Symbol.asyncDispose]();
      },
    };
  });
});

function storeContract(open: () => Promise<Opened>): void {
  let opened: Opened;
  let store: Store;
  beforeAll(async () => {
    opened = await open();
    store = opened.store;
  });
  afterAll(async () => {
    await opened[Symbol.asyncDispose]();
  });

  async function claimed(run = aRun()): Promise<Lease> {
    await store.createRun(run, [aTask(run.id)]);
    const lease = await store.claimRun(run.id, 'worker-1', 1000, TTL);
    expect(lease).toBeDefined();
    return lease!;
  }

  /** A run with a session at its one task for each attempt, in a repository of its own. */
  async function spender(attempts: readonly number[], repositoryId: number): Promise<SpendingOf> {
    const { repository } = aRun();
    const run = aRun({ repository: { ...repository, id: repositoryId } });
    const lease = await claimed(run);
    for (const attempt of attempts) await store.saveSession(lease, aSession(run.id, attempt));
    const { id: session, taskKey: task } = aSession(run.id, attempts.at(-1));
    return { session, runId: run.id, task, repositoryId, day: '2026-11-27', since: 0 };
  }

  describe('spending', () => {
    const charge = { usd: 0.25, tokens: 1_000, ms: 60_000 };

    it('sums up per session, task, run, repository and day, and all repositories and day', async () => {
      const one = await spender([1, 2], 901);
      const other = await spender([1], 902);
      await store.recordSpent({ ...one, total: charge });
      await store.recordSpent({ ...one, session: sessionIdFor(one.runId, 1, 1), total: charge });
      await store.recordSpent({ ...one, day: '2026-11-28', total: charge });
      await store.recordSpent({ ...other, total: charge });
      const before = await store.spendingOf({ ...one, day: '2026-11-26' });
      expect(before.day).toEqual({ usd: 0, tokens: 0, ms: 0 });
      expect(await store.spendingOf(one)).toEqual({
        session: { usd: 0.5, tokens: 2_000, ms: 120_000 },
        task: { usd: 0.75, tokens: 3_000, ms: 180_000 },
        run: { usd: 0.75, tokens: 3_000, ms: 180_000 },
        'repository-day': { usd: 0.5, tokens: 2_000, ms: 120_000 },
        day: { usd: 0.75, tokens: 3_000, ms: 180_000 },
      });
      expect(await store.spentByRun(one.runId)).toEqual({ usd: 0.75, tokens: 3_000, ms: 180_000 });
      expect(await store.spentByRun(other.runId)).toEqual(charge);
    });

    it('of a task begins anew where a person asked for it again; that of the run does not', async () => {
      const one = await spender([1, 2], 903);
      await store.recordSpent({ ...one, session: sessionIdFor(one.runId, 1, 1), total: charge });
      const { task, run } = await store.spendingOf({ ...one, since: 1 });
      expect(task).toEqual({ usd: 0, tokens: 0, ms: 0 });
      expect(run).toEqual(charge);
    });

    it('is counted once however often it is recorded, never becomes less, and needs no lease', async () => {
      const one = await spender([1], 904);
      await store.claimRun(one.runId, 'another', Number.MAX_SAFE_INTEGER, TTL);
      await Promise.all(
        [charge, charge, { usd: 0.1, tokens: 10, ms: 90_000 }].map(async (total) => {
          await store.recordSpent({ ...one, total });
        }),
      );
      expect(await store.spentByRun(one.runId)).toEqual({ usd: 0.25, tokens: 1_000, ms: 90_000 });
    });
  });

  describe('circuits', () => {
    const broken = { failures: 1, openings: 0, openUntil: undefined, trialUntil: undefined, reason: 'is overloaded' };

    it('remembers how an endpoint does', async () => {
      expect(await store.findCircuits(['codex/new'])).toEqual(new Map());
      expect(await store.changeCircuit('codex/new', () => broken)).toBe(true);
      expect(await store.findCircuits(['codex/new', 'codex/other'])).toEqual(new Map([['codex/new', broken]]));
      expect(await store.changeCircuit('codex/new', () => undefined)).toBe(false);
      expect(await store.findCircuits(['codex/new'])).toEqual(new Map([['codex/new', broken]]));
    });

    it('finds those of a provider', async () => {
      await store.changeCircuit('opencode/a', () => broken);
      await store.changeCircuit('opencode2/a', () => broken);
      expect(await store.circuitsBelow('opencode/')).toEqual(new Map([['opencode/a', broken]]));
    });

    it('shows each of many changes what the one before left', async () => {
      const many = Array.from({ length: 10 }, async () =>
        store.changeCircuit('codex/many', (before) => ({ ...before, failures: before.failures + 1 })),
      );
      expect(await Promise.all(many)).not.toContain(false);
      expect((await store.findCircuits(['codex/many'])).get('codex/many')).toMatchObject({ failures: 10 });
    });

    it('gives the one try of a half-open circuit to one of many', async () => {
      await store.changeCircuit('codex/half', () => ({ ...broken, openings: 1, openUntil: 1_000 }));
      const many = Array.from({ length: 10 }, async () =>
        store.changeCircuit('codex/half', (before) => takeTrial(before, 2_000, DEFAULT_CIRCUIT)),
      );
      expect((await Promise.all(many)).filter((taken) => taken)).toHaveLength(1);
    });
  });

  describe('keys of installations', () => {
    it('are kept by installation and protocol, as they were sealed', async () => {
      const key = { installationId: 4_000_000_000, protocol: 'anthropic', sealed: 'v1.abc', setAt: 5 };
      await store.saveKey({ ...key, sealed: 'v1.old', setAt: 1 });
      await store.saveKey(key);
      await store.saveKey({ ...key, protocol: 'openai' });
      expect(await store.findKey(key.installationId, 'anthropic')).toEqual(key);
      expect(await store.findKey(1, 'anthropic')).toBeUndefined();
      expect(await store.listKeys()).toEqual([key, { ...key, protocol: 'openai' }]);
      expect(await store.removeKey(key.installationId, 'openai')).toBe(true);
      expect(await store.removeKey(key.installationId, 'openai')).toBe(false);
      expect(await store.listKeys()).toEqual([key]);
    });
  });

  describe('inbox', () => {
    it('saves a delivery once', async () => {
      const delivery = aDelivery();

      expect(await store.saveDelivery(delivery)).toBe('saved');
      expect(await store.saveDelivery({ ...delivery, body: 'another' })).toBe('duplicate');

      const kept = (await store.pendingDeliveries(Infinity, 100)).filter(({ guid }) => guid === delivery.guid);
      expect(kept).toStrictEqual([{ ...delivery, attempts: 0 }]);
      await store.settleDelivery(delivery.guid, 'done');
    });

    it('saves one of many that come at the same time', async () => {
      const delivery = aDelivery();

      const answers = await Promise.all(Array.from({ length: 10 }, async () => store.saveDelivery(delivery)));

      expect(answers.filter((answer) => answer === 'saved')).toHaveLength(1);
      await store.settleDelivery(delivery.guid, 'done');
    });

    it('hands out what is not settled, oldest first, and no more than asked for', async () => {
      const deliveries = [aDelivery({ receivedAt: 30 }), aDelivery({ receivedAt: 10 }), aDelivery({ receivedAt: 20 })];
      for (const delivery of deliveries) await store.saveDelivery(delivery);

      const oldest = await store.pendingDeliveries(Infinity, 2);
      await store.settleDelivery(deliveries[1]!.guid, 'run created');
      const left = await store.pendingDeliveries(Infinity, 100);

      expect(oldest.map(({ receivedAt }) => receivedAt)).toStrictEqual([10, 20]);
      expect(left.map(({ receivedAt }) => receivedAt)).toStrictEqual([20, 30]);
      for (const { guid } of left) await store.settleDelivery(guid, 'done');
    });

    it('names the lanes with something due, who waits longest first, and hands out what waits in one', async () => {
      const [first, second] = [aDelivery().guid, aDelivery().guid];
      const deliveries = [
        { ...aDelivery({ receivedAt: 30 }), lane: first },
        { ...aDelivery({ receivedAt: 10 }), lane: second },
        { ...aDelivery({ receivedAt: 20 }), lane: first },
        { ...aDelivery({ receivedAt: 5 }), lane: 'later' },
        aDelivery({ receivedAt: 15 }),
      ];
      for (const delivery of deliveries) await store.saveDelivery(delivery);
      await store.failDelivery(deliveries[3]!.guid, 'no network', 5_000);

      expect(await store.lanesDue(4_999)).toStrictEqual([second, '', first]);
      const [older, younger, ...others] = await store.pendingDeliveries(4_999, 10, first);
      expect([older?.guid, younger?.guid, others]).toStrictEqual([deliveries[2]!.guid, deliveries[0]!.guid, []]);
      expect(await store.pendingDeliveries(4_999, 1, first)).toHaveLength(1);
      for (const { guid } of deliveries) await store.settleDelivery(guid, 'done');
      expect(await store.lanesDue(Infinity)).toStrictEqual([]);
    });

    it('holds a failed delivery back until its time, counts the attempts, and gives up when told', async () => {
      const delivery = aDelivery();
      await store.saveDelivery(delivery);

      await store.failDelivery(delivery.guid, 'no network', 5000);
      expect(await store.pendingDeliveries(4999, 10)).toStrictEqual([]);
      expect(await store.pendingDeliveries(5000, 10)).toStrictEqual([{ ...delivery, attempts: 1 }]);

      await store.failDelivery(delivery.guid, 'no network', undefined);
      expect(await store.pendingDeliveries(Infinity, 10)).toStrictEqual([]);
      expect(await store.saveDelivery(delivery)).toBe('duplicate');
    });

    it('knows which deliveries it holds, and forgets old ones that are settled, and those only', async () => {
      const old = aDelivery({ receivedAt: 10 });
      const pending = aDelivery({ receivedAt: 10 });
      const young = aDelivery({ receivedAt: 1_000 });
      for (const delivery of [old, pending, young]) await store.saveDelivery(delivery);
      for (const { guid } of [old, young]) await store.settleDelivery(guid, 'done');
      const guids = [old.guid, pending.guid, young.guid];
      expect(await store.knownDeliveries([...guids, 'another'])).toStrictEqual(new Set(guids));

      expect(await store.pruneDeliveries(1_000)).toBeGreaterThan(0);
      expect(await store.knownDeliveries(guids)).toStrictEqual(new Set([pending.guid, young.guid]));
      await store.settleDelivery(pending.guid, 'done');
    });

    it('remembers marks by name until they are forgotten by prefix and age', async () => {
      await store.setMark('test/a', { value: { times: 1 }, at: 10 });
      await store.setMark('test/a', { value: { times: 2 }, at: 20 });
      await store.setMark('test/b', { value: 'text', at: 5 });
      await store.setMark('other/b', { value: null, at: 5 });

      expect(await store.findMarks(['test/a', 'test/b', 'test/c'])).toStrictEqual(
        new Map<string, unknown>([
          ['test/a', { value: { times: 2 }, at: 20 }],
          ['test/b', { value: 'text', at: 5 }],
        ]),
      );
      expect(await store.marksBelow('test/')).toStrictEqual(
        new Map([
          ['test/a', { value: { times: 2 }, at: 20 }],
          ['test/b', { value: 'text', at: 5 }],
        ]),
      );
      expect(await store.pruneMarks('test/', 20)).toBe(1);
      expect([...(await store.findMarks(['test/a', 'test/b', 'other/b'])).keys()].toSorted()).toStrictEqual([
        'other/b',
        'test/a',
      ]);
    });

    it('replaces what Postgres cannot hold and keeps the rest of a body', async () => {
      const delivery = aDelivery({ action: undefined, body: '\uFEFFa\0b \ud800 \\u0000 ünï👩‍👧' });
      await store.saveDelivery(delivery);

      const [kept] = await store.pendingDeliveries(Infinity, 1);

      expect(kept).toStrictEqual({ ...delivery, body: '\uFEFFa\uFFFDb \uFFFD \\u0000 ünï👩‍👧', attempts: 0 });
      await store.settleDelivery(delivery.guid, 'done');
    });
  });

  describe('runs', () => {
    it('gives back exactly the run and the tasks it was given', async () => {
      await fc.assert(
        fc.asyncProperty(anyRun, anyTasks, async (anyRun, anyTasks) => {
          const own = aRun();
          const run = { ...anyRun, id: own.id, repository: { ...anyRun.repository, id: own.createdAt } };
          const tasks = anyTasks.map((task) => ({ ...task, runId: run.id }));

          expect(await store.createRun(run, tasks)).toStrictEqual({ created: true, run });

          expect(await store.findRun(run.id)).toStrictEqual(run);
          expect(await store.tasksOf(run.id)).toStrictEqual(tasks);
        }),
        { numRuns: 60 },
      );
    });

    it('keeps the first of two runs with the same id, and its tasks', async () => {
      const run = aRun();
      await store.createRun(run, [aTask(run.id)]);

      const second = await store.createRun({ ...run, title: 'Another' }, [aTask(run.id), aTask(run.id, 2)]);

      expect(second).toStrictEqual({ created: false, run });
      expect(await store.tasksOf(run.id)).toStrictEqual([aTask(run.id)]);
    });

    it('creates one run for many requests at the same time', async () => {
      const run = aRun();

      const answers = await Promise.all(
        Array.from({ length: 10 }, async () => store.createRun(run, [aTask(run.id), aTask(run.id, 2)])),
      );

      expect(answers.filter(({ created }) => created)).toHaveLength(1);
      expect(answers.map((answer) => answer.run)).toStrictEqual(Array.from({ length: 10 }, () => run));
      expect(await store.tasksOf(run.id)).toHaveLength(2);
    });

    it('saves one of many runs of the same playbook that are asked for at the same time', async () => {
      const playbook = { kind: 'file', path: `p/${aRun().id}.md`, text: '- [ ] a' } as const;
      const wanted = Array.from({ length: 10 }, () => aRun({ playbook }));

      const answers = await Promise.all(wanted.map(async (run) => store.createRun(run, [aTask(run.id)])));

      const made = answers.filter(({ created }) => created).map(({ run }) => run.id);
      expect(made).toHaveLength(1);
      expect(new Set(answers.map(({ run }) => run.id))).toStrictEqual(new Set(made));
      expect(answers.filter(({ created }, index) => created && wanted[index]?.id === made[0])).toHaveLength(1);
    });

    it('gives the run in the way until it is settled, and keeps apart issues, files and repositories', async () => {
      const first = aRun();
      const { repository, playbook } = first;
      await store.createRun(first, [aTask(first.id)]);
      const lease = (await store.claimRun(first.id, 'worker-1', 1000, TTL))!;
      const second = aRun({ playbook });

      expect(await store.createRun(second, [])).toStrictEqual({ created: false, run: first });
      expect(await store.findRun(second.id)).toBeUndefined();
      const elsewhere = aRun({ playbook, repository: { ...repository, id: repository.id + 1 } });
      expect(await store.createRun(elsewhere, [])).toMatchObject({ created: true });

      await store.updateRun(lease, { state: 'stopped' });
      expect(await store.createRun(second, [])).toStrictEqual({ created: true, run: second });
    });

    it('saves nothing of a run whose tasks cannot be saved', async () => {
      const run = aRun();

      await expect(store.createRun(run, [aTask(run.id), aTask(run.id)])).rejects.toThrow(/duplicate key/);

      expect(await store.findRun(run.id)).toBeUndefined();
    });

    it('knows nothing of a run it was not given', async () => {
      const { id } = aRun();

      expect(await store.findRun(id)).toBeUndefined();
      expect(await store.tasksOf(id)).toStrictEqual([]);
      expect(await store.requestStop(id, { by: 'octocat', reason: 'enough', at: 1 })).toBe(false);
      expect(await store.claimRun(id, 'worker-1', 1000, TTL)).toBeUndefined();
    });

    it('lists runs by state, repository and issue, newest first', async () => {
      const repository = { ...aRun().repository, id: 8_123_456_789_012_345 };
      const sender = { id: 7, login: 'octocat' };
      const push = { kind: 'push', path: 'p.md', blob: 'b', after: 'c', at: 1, sender } as const;
      const label = { kind: 'label', issue: 5, label: 'maestro', at: 1, sender } as const;
      const file = { kind: 'file', path: 'p.md', text: '- [ ] a' } as const;
      const byTrigger = aRun({ repository, createdAt: 1, trigger: label, playbook: file, state: 'running' });
      const byPlaybook = aRun({
        repository,
        createdAt: 2,
        playbook: { kind: 'issue', issue: 5, title: 't', text: '' },
      });
      const byPush = aRun({ repository, createdAt: 3, trigger: push, playbook: file, state: 'failed' });
      const elsewhere = aRun({ createdAt: 4, trigger: label });
      for (const run of [byPlaybook, byPush, byTrigger, elsewhere]) await store.createRun(run, []);
      const repositoryId = repository.id;

      expect(await store.listRuns({ repositoryId })).toStrictEqual([byPush, byPlaybook, byTrigger]);
      expect(await store.listRuns({ repositoryId, limit: 1 })).toStrictEqual([byPush]);
      expect(await store.listRuns({ repositoryId, issue: 5 })).toStrictEqual([byPlaybook, byTrigger]);
      expect(await store.listRuns({ repositoryId, states: ['running', 'queued'] })).toStrictEqual([
        byPlaybook,
        byTrigger,
      ]);
      expect(await store.listRuns({ repositoryId, states: [] })).toStrictEqual([]);
      expect((await store.listRuns()).length).toBeGreaterThan(3);
    });

    it('keeps the first request to stop', async () => {
      const run = aRun();
      await store.createRun(run, []);
      const stop = { by: 'octocat', reason: 'enough', at: 5 };

      expect(await store.requestStop(run.id, stop)).toBe(true);
      expect(await store.requestStop(run.id, { ...stop, by: 'hubot' })).toBe(false);

      expect((await store.findRun(run.id))?.stop).toStrictEqual(stop);
    });
  });

  describe('leases', () => {
    it('gives a free run to exactly one of twenty workers', async () => {
      const run = aRun();
      await store.createRun(run, []);

      const leases = await Promise.all(
        Array.from({ length: 20 }, async (_, index) => store.claimRun(run.id, `worker-${index}`, 1000, TTL)),
      );

      expect(leases.filter((lease) => lease !== undefined)).toHaveLength(1);
    });

    it('gives a run on when its lease has run out, with a higher epoch', async () => {
      const first = await claimed();

      expect(await store.claimRun(first.runId, 'worker-2', 1000 + TTL - 1, TTL)).toBeUndefined();
      const second = await store.claimRun(first.runId, 'worker-2', 1000 + TTL + 1, TTL);

      expect(second).toStrictEqual({ runId: first.runId, owner: 'worker-2', epoch: first.epoch + 1 });
    });

    it('says who holds which', async () => {
      const [held, free] = [await claimed(), await claimed()];
      await store.releaseLease(free);

      const leases = await store.heldLeases(1000 + TTL);
      expect(leases.get(held.runId)).toEqual({ owner: 'worker-1', until: 1000 + TTL });
      expect(leases.has(free.runId)).toBe(false);
      expect((await store.heldLeases(1001 + TTL)).has(held.runId)).toBe(false);
    });

    it('extends a lease that nobody took, and no other', async () => {
      const first = await claimed();

      expect(await store.renewLease(first, 2000, TTL)).toBe(true);
      expect(await store.claimRun(first.runId, 'worker-2', 1000 + TTL + 1, TTL)).toBeUndefined();
      expect(await store.claimRun(first.runId, 'worker-2', 2000 + TTL + 1, TTL)).toBeDefined();
      expect(await store.renewLease(first, 3000 + TTL, TTL)).toBe(false);
    });

    it('frees a run at once when its owner lets go, and not when an earlier owner does', async () => {
      const first = await claimed();
      await store.releaseLease(first);
      const second = await store.claimRun(first.runId, 'worker-2', 1001, TTL);
      expect(second).toBeDefined();

      await store.releaseLease(first);

      expect(await store.claimRun(first.runId, 'worker-3', 1002, TTL)).toBeUndefined();
    });
  });

  it('frees all runs of an owner that died, and nobody else’s', async () => {
    const [dead, alive] = [await claimed(), await claimed()];
    const gone = await store.claimRun(dead.runId, 'gone', 1000 + TTL + 1, TTL);
    expect(gone).toBeDefined();

    expect(await store.releaseLeasesOf('gone')).toEqual([dead.runId]);

    expect(await store.releaseLeasesOf('gone')).toEqual([]);
    expect(await store.claimRun(dead.runId, 'worker-3', 1000 + TTL + 2, TTL)).toMatchObject({ epoch: 3 });
    expect(await store.claimRun(alive.runId, 'worker-3', 1001, TTL)).toBeUndefined();
  });

  describe('writes under a lease', () => {
    it('change what they name and nothing else, and clear what they name as undefined', async () => {
      const run = aRun({ reason: 'in line' });
      const lease = await claimed(run);
      const pullRequest = { number: 3, url: 'https://github.test/3', draft: true };
      const setbacks = { tries: 2, waits: 1, lives: 1 };

      await store.updateRun(lease, { state: 'running', startedAt: 5, pullRequest, statusCommentId: 99, setbacks });
      expect(await store.findRun(run.id)).toStrictEqual({
        ...run,
        state: 'running',
        startedAt: 5,
        pullRequest,
        statusCommentId: 99,
        setbacks,
      });

      await store.updateRun(lease, {
        reason: undefined,
        pullRequest: undefined,
        setbacks: undefined,
        tip: 'b'.repeat(40),
      });
      expect(await store.findRun(run.id)).toStrictEqual({
        ...run,
        state: 'running',
        startedAt: 5,
        statusCommentId: 99,
        reason: undefined,
        tip: 'b'.repeat(40),
      });

      await store.updateRun(lease, {});
    });

    it('change one task', async () => {
      const run = aRun();
      await store.createRun(run, [aTask(run.id), aTask(run.id, 2)]);
      const lease = (await store.claimRun(run.id, 'worker-1', 1000, TTL))!;
      const outcome = { kind: 'committed', commit: 'c'.repeat(40) } as const;
      const usage = { inputTokens: 1, outputTokens: 2, cachedInputTokens: 3, costUsd: 0.1 };

      await store.updateTask(lease, 'task2-1' as TaskKey, { attempts: 1, outcome, usage, startedAt: 1, endedAt: 2 });
      await store.updateTask(lease, 'task2-1' as TaskKey, { endedAt: undefined });

      expect(await store.tasksOf(run.id)).toStrictEqual([
        aTask(run.id),
        aTask(run.id, 2, { attempts: 1, outcome, usage, startedAt: 1 }),
      ]);
      await expect(store.updateTask(lease, 'task9-1' as TaskKey, { attempts: 1 })).rejects.toThrow(/no task task9-1/);
    });

    it('add tasks, once each', async () => {
      const run = aRun();
      await store.createRun(run, [aTask(run.id)]);
      const lease = (await store.claimRun(run.id, 'worker-1', 1000, TTL))!;
      const added = [2, 3].map((position) => aTask(run.id, position, { added: { by: 'ada' }, since: position }));

      await store.addTasks(lease, added);
      await store.updateTask(lease, 'task3-1' as TaskKey, { attempts: 4 });
      await store.addTasks(lease, [...added, aTask(run.id, 4)]);

      expect(await store.tasksOf(run.id)).toStrictEqual([
        aTask(run.id),
        added[0],
        { ...added[1], attempts: 4 },
        aTask(run.id, 4),
      ]);
      await store.claimRun(run.id, 'worker-2', 2000 + TTL, TTL);
      await expect(store.addTasks(lease, [aTask(run.id, 5)])).rejects.toThrow(LeaseLostError);
      expect(await store.tasksOf(run.id)).toHaveLength(4);
    });

    it('save a session and replace it', async () => {
      const lease = await claimed();
      let attempt = 0;
      await fc.assert(
        fc.asyncProperty(anySession, anySession, async (before, after) => {
          attempt += 1;
          const { id, runId } = aSession(lease.runId, attempt);
          await store.saveSession(lease, { ...before, id, runId });
          const session = { ...after, id, runId };
          await store.saveSession(lease, session);

          const saved = await store.sessionsOf(lease.runId);
          expect(saved.filter((one) => one.id === id)).toStrictEqual([session]);
        }),
        { numRuns: 30 },
      );
    });

    it('list sessions in the order they began, and refuse one of another run', async () => {
      const lease = await claimed();
      const [second, first] = [aSession(lease.runId, 2), aSession(lease.runId, 1)];
      await store.saveSession(lease, second);
      await store.saveSession(lease, first);
      const other = await claimed();

      expect(await store.sessionsOf(lease.runId)).toStrictEqual([first, second]);
      await expect(store.saveSession(other, first)).rejects.toThrow(/is not of run/);
      await expect(store.saveSession(other, { ...first, runId: other.runId })).rejects.toThrow(/is not of run/);
      expect(await store.sessionsOf(lease.runId)).toStrictEqual([first, second]);
    });

    it('list the sessions of one task', async () => {
      const lease = await claimed();
      const other = 'task2-1' as TaskKey;
      const [second, first] = [aSession(lease.runId, 2), aSession(lease.runId, 1)];
      const elsewhere = aSession(lease.runId, 3, { taskKey: other });
      for (const session of [second, first, elsewhere]) await store.saveSession(lease, session);

      expect(await store.sessionsOf(lease.runId, 'task1-1' as TaskKey)).toStrictEqual([first, second]);
      expect(await store.sessionsOf(lease.runId, other)).toStrictEqual([elsewhere]);
      expect(await store.sessionsOf(lease.runId, 'task3-1' as TaskKey)).toStrictEqual([]);
    });

    it('find sessions of any repository by the conversation or by our id, newest first', async () => {
      const [lease, other] = [await claimed(), await claimed()];
      const conversation = `conversation-${lease.runId}`;
      const [first, second] = [1, 2].map((attempt) => aSession(lease.runId, attempt, { conversation, kept: 10 }));
      const elsewhere = aSession(other.runId, 3, { conversation });
      for (const session of [first!, second!]) await store.saveSession(lease, session);
      await store.saveSession(other, elsewhere);
      const repositoryOf = async (id: RunId): Promise<number> => (await store.findRun(id))!.repository.id;
      const [mine, theirs] = [await repositoryOf(lease.runId), await repositoryOf(other.runId)];

      expect(await store.findSessions(conversation)).toStrictEqual([
        { repositoryId: theirs, session: elsewhere },
        { repositoryId: mine, session: second },
        { repositoryId: mine, session: first },
      ]);
      expect(await store.findSessions(first!.id)).toStrictEqual([{ repositoryId: mine, session: first }]);
      expect(await store.findSessions('nobody')).toStrictEqual([]);
    });

    it('record an effect: the intent first, then what it gave', async () => {
      const lease = await claimed();
      const effect = { key: 'push-1', name: 'push', intent: { sha: 'd', 'odd\0key': ['\ud800', '\\u0000'] } };

      expect(await store.findEffect(lease.runId, 'push-1')).toBeUndefined();
      await expect(store.recordResult(lease, 'push-1', {})).rejects.toThrow(/no intent/);
      await store.recordIntent(lease, effect);
      const intended = { ...effect, intent: { sha: 'd', 'odd\uFFFDkey': ['\uFFFD', '\\u0000'] }, result: undefined };
      expect(await store.findEffect(lease.runId, 'push-1')).toStrictEqual(intended);

      await store.recordResult(lease, 'push-1', null);
      await store.recordIntent(lease, { ...effect, intent: 'again' });

      expect(await store.findEffect(lease.runId, 'push-1')).toStrictEqual({ ...intended, result: null });
    });

    const writes: Readonly<Record<string, (lease: Lease) => Promise<void>>> = {
      updateRun: async (lease) => store.updateRun(lease, { reason: 'written' }),
      'updateRun of nothing': async (lease) => store.updateRun(lease, {}),
      updateTask: async (lease) => store.updateTask(lease, 'task1-1' as TaskKey, { attempts: 5 }),
      saveSession: async (lease) => store.saveSession(lease, aSession(lease.runId, 5)),
      recordIntent: async (lease) => store.recordIntent(lease, { key: 'k', name: 'push', intent: 'written' }),
      recordResult: async (lease) => store.recordResult(lease, 'r', 'written'),
    };
    it.each(Object.entries(writes))('%s is refused to a worker that lost its lease', async (_name, write) => {
      const stale = await claimed();
      await store.recordIntent(stale, { key: 'r', name: 'push', intent: 'x' });
      const fresh = (await store.claimRun(stale.runId, 'worker-2', 2000 + TTL, TTL))!;
      const before = await everything(store, stale);

      await expect(write(stale)).rejects.toThrow(LeaseLostError);
      expect(await everything(store, stale)).toStrictEqual(before);

      await write(fresh);
    });

    it('never land after the next owner has taken the run', async () => {
      for (let round = 0; round < 10; round += 1) {
        const stale = await claimed();
        const writing = Promise.allSettled(
          Array.from({ length: 4 }, async (_, index) => store.saveSession(stale, aSession(stale.runId, index + 1))),
        );
        await store.claimRun(stale.runId, 'worker-2', 2000 + TTL, TTL);
        const seen = await store.sessionsOf(stale.runId);
        await writing;

        expect(await store.sessionsOf(stale.runId)).toStrictEqual(seen);
      }
    });
  });

  it('keeps the audit log in order', async () => {
    const { id } = aRun();
    const sessionId = `${id}-1-1` as SessionId;
    const entries = [
      { at: 2, runId: id, actor: 'octocat', action: 'run created', detail: { label: 'maestro' } },
      { at: 1, runId: id, sessionId, actor: 'worker', action: 'task committed', detail: null },
    ];
    await store.audit({ ...entries[0]!, runId: undefined });

    for (const entry of entries) await store.audit(entry);

    expect(await store.auditOf(id)).toStrictEqual(entries);

    const [first] = entries;
    for (let round = 0; round < 2; round += 1) await store.audit({ ...first!, action: 'ended', once: 'end' });
    expect((await store.auditOf(id)).map(({ action }) => action)).toStrictEqual([
      ...entries.map(({ action }) => action),
      'ended',
    ]);
  });

  it('answers a ping', async () => {
    await expect(store.ping()).resolves.toBeUndefined();
  });

  describe('orders', () => {
    const pause = { key: 'c1', by: 'ada', at: 5, order: { kind: 'pause' }, reopen: [] } as const;

    it('are kept once each, numbered within their run, and say so in it', async () => {
      const run = aRun();
      await store.createRun(run, [aTask(run.id)]);
      const steer = { ...pause, key: 'c2', order: { kind: 'steer', words: 'Mind the gap: ü "quoted"' } } as const;
      expect(await Promise.all([store.giveOrder(run.id, pause), store.giveOrder(run.id, pause)])).toEqual(
        expect.arrayContaining(['given', 'known']),
      );
      expect(await store.giveOrder(run.id, steer)).toBe('given');
      expect(await store.ordersOf(run.id, 0)).toEqual([
        { number: 1, key: 'c1', by: 'ada', at: 5, order: { kind: 'pause' } },
        { number: 2, key: 'c2', by: 'ada', at: 5, order: steer.order },
      ]);
      expect(await store.ordersOf(run.id, 1)).toHaveLength(1);
      expect(await store.findRun(run.id)).toMatchObject({ orders: 2, steering: undefined });
    });

    it('of many at the same time all have numbers without a gap', async () => {
      const run = aRun();
      await store.createRun(run, [aTask(run.id)]);
      await Promise.all(
        Array.from({ length: 12 }, async (_, at) => store.giveOrder(run.id, { ...pause, key: `k${at}`, at })),
      );
      const numbers = (await store.ordersOf(run.id, 0)).map(({ number }) => number);
      expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    });

    it('keep a run from ending until they are taken in', async () => {
      const run = aRun();
      const lease = await claimed(run);
      await store.giveOrder(run.id, pause);
      await expect(store.updateRun(lease, { state: 'failed' })).rejects.toThrow(OrdersWaitingError);
      expect(await store.findRun(run.id)).toMatchObject({ state: run.state });
      await store.updateRun(lease, { steering: { taken: 1, words: [] } });
      await store.updateRun(lease, { state: 'failed' });
      expect(await store.findRun(run.id)).toMatchObject({ state: 'failed' });
      await store.claimRun(run.id, 'another', Number.MAX_SAFE_INTEGER, TTL);
      await expect(store.updateRun(lease, { state: 'failed' })).rejects.toThrow(LeaseLostError);
    });

    it('open a run again that ended with something left, unless another is at the same work', async () => {
      const run = aRun();
      const lease = await claimed(run);
      await store.requestStop(run.id, { by: 'ada', reason: 'enough', at: 1 });
      await store.updateRun(lease, { state: 'stopped', endedAt: 9, reason: 'Enough.' });
      const resume = { key: 'c1', by: 'ada', at: 5, order: { kind: 'resume' }, reopen: ['failed', 'stopped'] } as const;
      const other = aRun({ playbook: run.playbook, repository: run.repository });
      const otherLease = await claimed(other);
      expect(await store.giveOrder(run.id, resume)).toBe('in the way');
      expect(await store.ordersOf(run.id, 0)).toEqual([]);
      await store.updateRun(otherLease, { state: 'succeeded' });
      expect(await store.giveOrder(run.id, resume)).toBe('given');
      expect(await store.findRun(run.id)).toMatchObject({
        state: 'queued',
        stop: undefined,
        reason: undefined,
        endedAt: undefined,
        orders: 1,
      });
    });

    it('open a run that is done only where they say so', async () => {
      const run = aRun();
      await store.updateRun(await claimed(run), { state: 'succeeded', endedAt: 9 });
      const redo = { by: 'ada', at: 5, order: { kind: 'redo', task: 1, words: '' } } as const;
      await store.giveOrder(run.id, { ...redo, key: 'c1', reopen: ['failed', 'stopped'] });
      expect(await store.findRun(run.id)).toMatchObject({ state: 'succeeded', endedAt: 9, orders: 1 });
      await store.giveOrder(run.id, { ...redo, key: 'c2', reopen: ['succeeded'] });
      expect(await store.findRun(run.id)).toMatchObject({ state: 'queued', endedAt: undefined, orders: 2 });
    });
  });
}

async function everything(store: Store, { runId }: Lease): Promise<unknown> {
  return {
    run: await store.findRun(runId),
    tasks: await store.tasksOf(runId),
    sessions: await store.sessionsOf(runId),
    effects: [await store.findEffect(runId, 'k'), await store.findEffect(runId, 'r')],
  };
}
