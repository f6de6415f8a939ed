import { addUsage, NO_USAGE, type Usage } from '../domain/usage.ts';
import type { Grant } from './gateway.ts';
import { chargeOf, usageOf, type Reading } from './reading.ts';

/** Keeps a session's account: what its requests consumed, running ones included, and whether it may make another. */
export interface Ledger {
  /** Opens an entry for one request. */
  readonly open: () => Entry;
  readonly usage: () => Usage;
  /** Whether the budget is spent; that it was asked and said yes is what `exhausted` remembers. */
  readonly refuses: () => boolean;
  readonly exhausted: () => boolean;
}

interface Entry {
  /** Each report replaces what the entry said before. */
  readonly report: (reading: Reading) => void;
  /** The request is over: what was reported last stands. */
  readonly settle: () => void;
}

/** Makes an empty account. `tokens` of the budget are all tokens: in, out and cached. */
export function createLedger(budget: Grant['budget']): Ledger {
  const running = new Map<symbol, Reading>();
  let settled: Usage = NO_USAGE;
  let charged = 0;
  let exhausted = false;

  const usage = (): Usage => [...running.values()].map(usageOf).reduce(addUsage, settled);

  function spent(): boolean {
    const { inputTokens, outputTokens, cachedInputTokens } = usage();
    const tokens = inputTokens + outputTokens + cachedInputTokens;
    const charge = [...running.values()].map(chargeOf).reduce((sum, more) => sum + more, charged);
    return tokens >= (budget.tokens ?? Infinity) || charge >= (budget.costUsd ?? Infinity);
  }

  function open(): Entry {
    const request = Symbol('request');
    return {
      report: (reading) => void running.set(request, reading),
      settle() {
        const reading = running.get(request);
        if (reading === undefined) return;
        running.delete(request);
        settled = addUsage(settled, usageOf(reading));
        charged += chargeOf(reading);
      },
    };
  }

  return {
    open,
    usage,
    refuses() {
      exhausted ||= spent();
      return exhausted;
    },
    exhausted: () => exhausted,
  };
}
