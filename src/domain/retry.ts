import type { Failure } from './outcome.ts';

/** What to do about a failed attempt: try again at a time, or let the task fail. */
export type Remedy =
  | { readonly kind: 'retry'; readonly at: number; readonly reason: string }
  | { readonly kind: 'fail' };

export interface RetryPolicy {
  /** First wait; it doubles with every attempt. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** Attempts allowed for our side's failures and for worker crashes. */
  readonly infraAttempts: number;
  /** Attempts allowed for an overloaded or unreachable provider. */
  readonly providerAttempts: number;
  /** Attempts at work that passes the playbook's own checks; each is told what the one before failed on. */
  readonly verifyAttempts: number;
}

/** Design §5, "Failure kinds": 30 s doubling, at most three tries for our own side. */
export const DEFAULT_RETRY: RetryPolicy = {
  baseMs: 30_000,
  maxMs: 15 * 60_000,
  infraAttempts: 3,
  providerAttempts: 8,
  verifyAttempts: 3,
};

/**
 * Only what heals by itself is tried again (an overloaded or unreachable provider, a quota or a day's budget with a known end, our own side), and what a
 * fresh session can mend once it is told: checks that failed.
 */
export function remedy(failure: Failure, attempt: number, now: number, policy: RetryPolicy): Remedy {
  switch (failure.kind) {
    case 'overloaded':
    case 'network':
      return attempt < policy.providerAttempts
        ? { kind: 'retry', at: now + backoff(attempt, policy), reason: failure.message }
        : { kind: 'fail' };
    case 'infra':
      return attempt < policy.infraAttempts
        ? { kind: 'retry', at: now + backoff(attempt, policy), reason: failure.message }
        : { kind: 'fail' };
    case 'quota':
    case 'budget':
      return failure.resetAt === undefined
        ? { kind: 'fail' }
        : { kind: 'retry', at: Math.max(failure.resetAt, now), reason: failure.message };
    case 'verify-failed':
      return attempt < policy.verifyAttempts ? { kind: 'retry', at: now, reason: failure.message } : { kind: 'fail' };
    case 'auth':
    case 'context-full':
    case 'permission':
    case 'crash':
    case 'idle':
    case 'wall':
    case 'setup':
    case 'policy':
    case 'blocked':
      return { kind: 'fail' };
  }
}

/** How long to wait after the `attempt`th failure (from 1). Milliseconds. */
export function backoff(attempt: number, policy: RetryPolicy): number {
  return Math.min(policy.baseMs * 2 ** (attempt - 1), policy.maxMs);
}
