import { addCharges, NO_CHARGE, type Charge } from '../domain/spending.ts';
import { addUsage, NO_USAGE, type Usage } from '../domain/usage.ts';
import type { Grant } from './gateway.ts';
import { chargeOf, usageOf, type Reading } from './reading.ts';

/** Keeps a session's account: what its requests consumed, running ones included, and whether it may make another. */
export interface Ledger {
  /**
   * Opens an entry for one request as soon as it may be made: one at a time is decided on, and what was consumed is on record before.
   * `spent` when it may not; that it was asked and said so is what `exhausted` remembers. Rejects when the account can't be asked.
   */
  readonly admit: () => Promise<Entry | 'spent'>;
  readonly usage: () => Usage;
  /** What all requests count for against a budget. */
  readonly charged: () => Charge;
  readonly exhausted: () => boolean;
}

interface Entry {
  /** Each report replaces what the entry said before. */
  readonly report: (reading: Reading) => void;
  /** The request is over: what was reported last stands, and is put on record. */
  readonly settle: () => Promise<void>;
}

/** Makes an empty account. `tokens` of the budget are all tokens: in, out and cached. */
export function createLedger({ budget, account }: Pick<Grant, 'budget' | 'account'>): Ledger {
  const running = new Map<symbol, Reading | undefined>();
  let settled: Usage = NO_USAGE;
  let charge = NO_CHARGE;
  let dearest: Charge | undefined;
  let recorded = NO_CHARGE;
  let exhausted = false;
  let turn: Promise<unknown> = Promise.resolve();
  /** How many requests are over, and who waits for the next to be. */
  let over = 0;
  let waiting: (() => void) | undefined;

  const readings = (): readonly Reading[] => [...running.values()].filter((reading) => reading !== undefined);
  const usage = (): Usage => readings().map(usageOf).reduce(addUsage, settled);
  const underWay = (): Charge => readings().map(toCharge).reduce(addCharges, NO_CHARGE);

  function spent(): boolean {
    const { tokens, usd } = addCharges(charge, underWay());
    return tokens >= (budget.tokens ?? Infinity) || usd >= (budget.costUsd ?? Infinity);
  }

  async function record(): Promise<void> {
    const total = charge;
    if (account === undefined || recorded === total) return;
    await account.consumed(total);
    recorded = total;
  }

  async function decide(): Promise<Entry | 'spent'> {
    for (;;) {
      exhausted ||= spent();
      if (exhausted) return 'spent';
      if (account === undefined) return open();
      await record();
      const seen = over;
      const { kind } = await account.mayCall({ calls: running.size, charge: underWay(), dearest });
      if (kind === 'go') return open();
      exhausted ||= kind === 'reached';
      if (kind === 'wait' && over === seen)
        await new Promise<void>((resolve) => {
          waiting = resolve;
        });
    }
  }

  function open(): Entry {
    const request = Symbol('request');
    running.set(request, undefined);
    return {
      report: (reading) => void running.set(request, reading),
      async settle() {
        const reading = running.get(request);
        running.delete(request);
        over += 1;
        if (reading !== undefined) {
          const cost = toCharge(reading);
          settled = addUsage(settled, usageOf(reading));
          charge = addCharges(charge, cost);
          dearest = most(dearest ?? NO_CHARGE, cost);
        }
        waiting?.();
        await record();
      },
    };
  }

  return {
    admit() {
      const mine = turn.then(decide);
      turn = mine.catch(() => undefined);
      return mine;
    },
    usage,
    charged: () => addCharges(charge, underWay()),
    exhausted: () => exhausted,
  };
}

function toCharge(reading: Reading): Charge {
  const { inputTokens, outputTokens, cachedInputTokens } = usageOf(reading);
  return { usd: chargeOf(reading), tokens: inputTokens + outputTokens + cachedInputTokens, ms: 0 };
}

function most(a: Charge, b: Charge): Charge {
  return { usd: Math.max(a.usd, b.usd), tokens: Math.max(a.tokens, b.tokens), ms: Math.max(a.ms, b.ms) };
}
