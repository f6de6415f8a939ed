import { describe, expect, onTestFinished, test } from 'vitest';
import { startModelEndpoint } from '../../local-model/server.ts';
import type { Script } from '../../local-model/script.ts';
import { admit, NO_CHARGE, type Charge, type Limit, type Spending } from '../../src/domain/spending.ts';
import type { Account, Wire } from '../../src/gateway/gateway.ts';
import { ask, grant, startGateway, type Answer } from './world.ts';

const KEY = 'real-key-which-nobody-may-see';

/** 600 tokens a call. */
const CALL: Script = [{ text: 'Hello.', usage: { input: 590, output: 10, cached: 0 }, delay_ms: 30, repeat: true }];

async function wireWith(account: Account): Promise<{ wire: Wire; asked: () => number }> {
  const model = await startModelEndpoint({ port: 0, script: CALL, keys: [KEY] });
  onTestFinished(() => model[Symbol.asyncDispose]());
  const gateway = await startGateway();
  const wire = await gateway.open(grant({ model: { protocol: 'anthropic', upstream: model.url, key: KEY }, account }));
  return { wire, asked: () => model.requests.length };
}

function say(wire: Wire): Promise<Answer> {
  const body = JSON.stringify({ model: 'claude-sonnet-4-5', messages: [{ role: 'user', content: 'Hello?' }] });
  const headers = { 'content-type': 'application/json', 'x-api-key': wire.placeholder };
  return ask(wire, { target: '/anthropic/v1/messages', headers, body });
}

/** An account of one session with a limit of tokens, in memory. */
function purse(most: number): Account & { readonly booked: Charge[] } {
  const limit: Limit = { scope: 'run', unit: 'tokens', most, byOperator: false };
  const booked: Charge[] = [];
  return {
    booked,
    consumed: async (total) => void booked.push(total),
    mayCall: async (pending) => {
      const run = booked.at(-1) ?? NO_CHARGE;
      const spending: Spending = {
        session: run,
        task: run,
        run,
        'repository-day': run,
        day: run,
      };
      return admit([limit], spending, pending);
    },
  };
}

describe('an account', () => {
  test('is told what a call consumed before the next is made, and refuses the one beyond the limit', async () => {
    const account = purse(1_200);
    const { wire, asked } = await wireWith(account);
    await expect(say(wire)).resolves.toMatchObject({ status: 200 });
    await expect(say(wire)).resolves.toMatchObject({ status: 200 });
    expect(account.booked).toMatchObject([{ tokens: 600 }, { tokens: 1_200 }]);
    expect(wire.exhausted()).toBe(false);
    await expect(say(wire)).resolves.toMatchObject({ status: 429, headers: { 'x-should-retry': 'false' } });
    expect(wire.exhausted()).toBe(true);
    expect(asked()).toBe(2);
    expect(wire.charged()).toMatchObject({ tokens: 1_200 });
  });

  test('lets many calls at once go beyond a limit by no more than one', async () => {
    const account = purse(2_000);
    const { wire, asked } = await wireWith(account);
    const answers = await Promise.all(Array.from({ length: 12 }, async () => say(wire)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(asked());
    expect(wire.charged().tokens).toBeGreaterThanOrEqual(2_000);
    expect(wire.charged().tokens).toBeLessThanOrEqual(2_400);
  });

  test('that leaves enough lets them go side by side', async () => {
    const account = purse(1e9);
    const { wire } = await wireWith(account);
    const answers = await Promise.all(Array.from({ length: 12 }, async () => say(wire)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 12 }, () => 200));
    expect(account.booked.at(-1)).toMatchObject({ tokens: 7_200 });
  });

  test('that can not be asked, or told, lets no call through; the client may try again', async () => {
    const broken = purse(1e9);
    let isAway = true;
    const { wire, asked } = await wireWith({
      mayCall: async (pending) => {
        if (isAway) throw new Error('the store is away');
        return await broken.mayCall(pending);
      },
      consumed: broken.consumed,
    });
    await expect(say(wire)).resolves.toMatchObject({ status: 503 });
    expect(asked()).toBe(0);
    isAway = false;
    await expect(say(wire)).resolves.toMatchObject({ status: 200 });
    let isDeaf = true;
    const deaf = await wireWith({
      mayCall: broken.mayCall,
      consumed: async (total) => {
        if (isDeaf) throw new Error('the store is away');
        await broken.consumed(total);
      },
    });
    await expect(say(deaf.wire)).resolves.toMatchObject({ status: 200 });
    await expect(say(deaf.wire)).resolves.toMatchObject({ status: 503 });
    expect(deaf.asked()).toBe(1);
    isDeaf = false;
    await expect(say(deaf.wire)).resolves.toMatchObject({ status: 200 });
    expect(broken.booked.at(-1)).toMatchObject({ tokens: 1_200 });
  });
});
