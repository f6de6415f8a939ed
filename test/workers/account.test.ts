import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Script } from '../../local-model/script.ts';
import { startModelEndpoint } from '../../local-model/server.ts';
import type { OperatorBudget } from '../../src/domain/budget.ts';
import { systemClock } from '../../src/domain/clock.ts';
import type { Run, RunTask } from '../../src/domain/run.ts';
import { NO_USAGE } from '../../src/domain/usage.ts';
import type { Wire } from '../../src/gateway/gateway.ts';
import { openStore } from '../../src/store/open.ts';
import type { Store } from '../../src/store/store.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { budgetBefore, openAccount, type SessionAccount } from '../../src/workers/account.ts';
import { ask, grant, startGateway } from '../gateway/world.ts';
import { aRun, aSession, aTask } from '../store/samples.ts';

const KEY = 'real-key-which-nobody-may-see';
const EVENING = Date.UTC(2026, 10, 27, 23, 59);

/** 600 tokens a call. */
const CALL: Script = [{ text: 'Hello.', usage: { input: 590, output: 10, cached: 0 }, repeat: true }];

let directory: string;
let store: Store;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'maestro-account-'));
  ({ store } = await openStore({ directory, log: createLog({ level: 'silent' }) }));
}, 180_000);
afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

/** A run in the store, with what opens accounts for it at a time that tests move. */
async function paying(change: Partial<Run>, budget: OperatorBudget = {}) {
  const run = aRun(change);
  const tasks: readonly RunTask[] = [aTask(run.id)];
  await store.createRun(run, tasks);
  const lease = await store.claimRun(run.id, 'worker-1', 0, 1e15);
  let now = EVENING;
  const scope = {
    deps: { store, clock: { ...systemClock, now: () => now }, settings: { budget } },
    held: { run, tasks },
  };
  const { key } = aTask(run.id);
  return {
    scope,
    run,
    key,
    pass: (ms: number) => void (now += ms),
    open: async (attempt: number): Promise<SessionAccount> => {
      const session = aSession(run.id, attempt);
      await store.saveSession(lease!, session);
      return openAccount(scope, session.id, key);
    },
    before: async (attempt: number) => await budgetBefore(scope, aSession(run.id, attempt).id, key),
  };
}

async function wireOf(account: SessionAccount): Promise<Wire> {
  const model = await startModelEndpoint({ port: 0, script: CALL, keys: [KEY] });
  onTestFinished(() => model[Symbol.asyncDispose]());
  const gateway = await startGateway();
  return gateway.open(grant({ model: { protocol: 'anthropic', upstream: model.url, key: KEY }, account }));
}

async function say(wire: Wire): Promise<number> {
  const body = JSON.stringify({ model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hello?' }] });
  const headers = { 'content-type': 'application/json', 'x-api-key': wire.placeholder };
  return (await ask(wire, { target: '/anthropic/v1/messages', headers, body })).status;
}

const alone = { calls: 0, charge: { usd: 0, tokens: 0, ms: 0 }, dearest: undefined };

describe('what a session spends', () => {
  it('counts for the next one, although its worker died and nobody closed its account', async () => {
    const { open, before } = await paying({ settings: { budget: { run: { tokens: 1_200 } } } });
    const first = await wireOf(await open(1));
    expect(await say(first)).toBe(200);
    expect(await say(first)).toBe(200);
    expect(await before(2)).toMatchObject({
      kind: 'budget',
      message: 'The budget of this run is spent: 1.2k tokens of 1.2k tokens.',
    });
    const account = await open(2);
    const second = await wireOf(account);
    expect(await say(second)).toBe(429);
    const failure = await account.close(second, NO_USAGE, { ending: 'exited', durationMs: 10 });
    expect(failure).toMatchObject({ kind: 'budget', limit: { scope: 'run', byOperator: false } });
  });

  it('of a task does not count any more once a person asked for it again', async () => {
    const { open, before, scope, run, key } = await paying({ settings: { budget: { task: { tokens: 500 } } } });
    expect(await say(await wireOf(await open(1)))).toBe(200);
    expect(await before(2)).toMatchObject({ limit: { scope: 'task' } });
    const held = { run, tasks: [aTask(run.id, 1, { since: 1 })] };
    expect(await budgetBefore({ ...scope, held }, aSession(run.id, 2).id, key)).toBeUndefined();
  });

  it('is only known from the agent where nothing went through the gateway', async () => {
    const { open, run } = await paying({});
    const account = await open(1);
    const reported = { inputTokens: 90, outputTokens: 10, cachedInputTokens: 5, costUsd: 0.5 };
    const wire = { charged: () => alone.charge, exhausted: () => false };
    await account.close(wire, reported, { ending: 'exited', durationMs: 1_234 });
    expect(await store.spentByRun(run.id)).toEqual({ usd: 0.5, tokens: 105, ms: 1_234 });
    const other = await open(2);
    const seen = { charged: () => ({ usd: 0.1, tokens: 7, ms: 0 }), exhausted: () => false };
    await other.close(seen, reported, { ending: 'exited', durationMs: 0 });
    expect((await store.spentByRun(run.id)).tokens).toBe(112);
  });
});

describe('a budget for a day', () => {
  it('is shared by runs that go at the same time: each goes beyond it by one call at most', async () => {
    const budget = { 'repository-day': { tokens: 3_000 } };
    const repository = { ...aRun().repository, id: 77 };
    const runs = await Promise.all([1, 2, 3].map(async () => await paying({ repository }, budget)));
    const wires = await Promise.all(runs.map(async ({ open }) => await wireOf(await open(1))));
    await Promise.all(
      wires.map(async (wire) => {
        for (let call = 0; call < 10; call += 1) await say(wire);
      }),
    );
    const spent = wires.reduce((sum, wire) => sum + wire.charged().tokens, 0);
    expect(wires.map((wire) => wire.exhausted())).toEqual([true, true, true]);
    expect(spent).toBeGreaterThanOrEqual(3_000);
    expect(spent).toBeLessThanOrEqual(3_000 + 3 * 600);
  });

  it('is whole again the next day by UTC, and what is spent over midnight counts where it was spent', async () => {
    const repository = { ...aRun().repository, id: 78 };
    const { open, before, pass, run } = await paying({ repository }, { 'repository-day': { tokens: 600 } });
    const account = await open(1);
    await account.mayCall(alone);
    await account.consumed({ usd: 0, tokens: 600, ms: 0 });
    expect(await account.mayCall(alone)).toMatchObject({ kind: 'reached' });
    expect(await before(2)).toMatchObject({
      message:
        'The budget of this repository for today is spent: 600 tokens of 600 tokens. It is there again at 2026-11-28 00:00 UTC.',
      resetAt: Date.UTC(2026, 10, 28),
    });
    pass(2 * 60_000);
    expect(await before(2)).toBeUndefined();
    expect(await account.mayCall(alone)).toEqual({ kind: 'go' });
    await account.consumed({ usd: 0, tokens: 650, ms: 0 });
    expect(await before(2)).toBeUndefined();
    expect((await store.spentByRun(run.id)).tokens).toBe(650);
  });
});

describe('a budget of time', () => {
  it('is what a session may take at most, and what ended it is said', async () => {
    const { open, pass, before } = await paying({ settings: { budget: { run: { ms: 60_000 } } } });
    const account = await open(1);
    expect(await account.timeLeft()).toBe(60_000);
    pass(60_000);
    expect(await account.mayCall(alone)).toMatchObject({ kind: 'reached' });
    const wire = { charged: () => alone.charge, exhausted: () => false };
    expect(await account.close(wire, NO_USAGE, { ending: 'wall', durationMs: 60_000 })).toMatchObject({
      message: 'The budget of this run is spent: 1 min of 1 min.',
    });
    expect(await before(2)).toMatchObject({ kind: 'budget' });
    const free = await paying({});
    expect(await (await free.open(1)).timeLeft()).toBe(Infinity);
  });
});
