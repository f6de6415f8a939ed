import { isEmptyAccount, isLongWait, type ModelRefusal } from './model-refusal.ts';

/*
 * A *circuit* stands between us and a model endpoint, as one provider reaches it with one key. Closed, sessions go through. It
 * *opens* when the endpoint fails by its own fault, and nothing is asked of it for a while. Then it is *half open*: one session may
 * try, and what comes of that closes it or opens it for longer. All workers share it, through the store.
 */

/** How a circuit stands. Times are epoch milliseconds. */
export interface Circuit {
  /** Sessions in a row that ended because of the endpoint. */
  readonly failures: number;
  /** How often in a row it opened without a good answer in between. */
  readonly openings: number;
  /** Nothing is asked before; undefined while closed. */
  readonly openUntil: number | undefined;
  /** One session tries until then; the others wait for what comes of it. */
  readonly trialUntil: number | undefined;
  /** What the endpoint did last, completing "claude-code …"; undefined when it answered. */
  readonly reason: string | undefined;
}

export interface CircuitPolicy {
  /** Failures in a row that open it. A refused key or an empty account opens it at once. */
  readonly failures: number;
  /** First time it stays open; it doubles with every opening in a row. */
  readonly baseMs: number;
  readonly maxMs: number;
  /** How long one session has for its first answer before another may try. */
  readonly trialMs: number;
}

/** A closed circuit that never failed. */
export const CLOSED: Circuit = {
  failures: 0,
  openings: 0,
  openUntil: undefined,
  trialUntil: undefined,
  reason: undefined,
};

/** Three sessions, each of which tried several times, are no accident; half an hour is how late a mended key is noticed at most. */
export const DEFAULT_CIRCUIT: CircuitPolicy = { failures: 3, baseMs: 60_000, maxMs: 30 * 60_000, trialMs: 2 * 60_000 };

/** Longest time an endpoint's own word keeps a circuit open: the longest limits of subscriptions are weekly. Milliseconds. */
const LONGEST_MS = 8 * 24 * 3_600_000;

/** What a session's end says about the endpoint. */
export type Blame =
  /** Nothing will be better for a while, however often it is tried. */
  | { readonly kind: 'at-once'; readonly reason: string }
  /** It may be an accident; several in a row are none. */
  | { readonly kind: 'counts'; readonly reason: string }
  /** The endpoint said until when. */
  | { readonly kind: 'until'; readonly at: number; readonly reason: string };

/**
 * What a refusal, as the wire saw it, says about endpoint and key; undefined when the request was at fault (a model that does not
 * exist, a prompt that is too long). Only the wire is believed: what an agent prints could close the door to everybody else.
 */
export function blameOf(refusal: ModelRefusal): Blame | undefined {
  const { status, at, resetAt } = refusal;
  if (status === undefined) return { kind: 'counts', reason: 'can not be reached' };
  if (isEmptyAccount(refusal)) return { kind: 'at-once', reason: 'has no credit left' };
  if (status === 401) return { kind: 'at-once', reason: 'has a key that is refused' };
  if (status === 403) return { kind: 'counts', reason: 'may not do what was asked with its key' };
  if (status === 429 && resetAt !== undefined && isLongWait(refusal))
    return { kind: 'until', at: Math.min(resetAt, at + LONGEST_MS), reason: 'is out of quota' };
  if (status === 429) return { kind: 'counts', reason: 'is limiting requests' };
  return status >= 500 ? { kind: 'counts', reason: 'is overloaded' } : undefined;
}

/** How a circuit stands at a time. */
export type CircuitStanding =
  | { readonly kind: 'closed' }
  /** Until `at`; `tried` when one session is finding out whether it can be closed. */
  | { readonly kind: 'open'; readonly at: number; readonly reason: string; readonly tried: boolean }
  | { readonly kind: 'half-open' };

/** Whether a session may go through a circuit now. */
export function circuitStanding({ openUntil, trialUntil, reason = '' }: Circuit, now: number): CircuitStanding {
  if (openUntil === undefined) return { kind: 'closed' };
  if (openUntil > now) return { kind: 'open', at: openUntil, reason, tried: false };
  if (trialUntil !== undefined && trialUntil > now) return { kind: 'open', at: trialUntil, reason, tried: true };
  return { kind: 'half-open' };
}

/** The circuit after a session ended because of the endpoint. One that is open already stays as it is, unless it is to be so for longer. */
export function afterBlame(before: Circuit, blame: Blame, now: number, policy: CircuitPolicy): Circuit {
  const failures = before.failures + 1;
  const isOpen = before.openUntil !== undefined && before.openUntil > now;
  if (blame.kind === 'until') {
    if (isOpen && before.openUntil >= blame.at) return before;
    return { ...before, failures, openUntil: blame.at, trialUntil: undefined, reason: blame.reason };
  }
  if (isOpen) return before;
  const opens = blame.kind === 'at-once' || before.openUntil !== undefined || failures >= policy.failures;
  if (!opens) return { ...before, failures, reason: blame.reason };
  const openings = before.openings + 1;
  const pauseMs = Math.min(policy.baseMs * 2 ** (openings - 1), policy.maxMs);
  return { failures, openings, openUntil: now + pauseMs, trialUntil: undefined, reason: blame.reason };
}

/** The circuit with its one trial taken by a session; undefined when it is not half open. */
export function takeTrial(circuit: Circuit, now: number, policy: CircuitPolicy): Circuit | undefined {
  return circuitStanding(circuit, now).kind === 'half-open'
    ? { ...circuit, trialUntil: now + policy.trialMs }
    : undefined;
}
