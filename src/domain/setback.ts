import { backoff, type RetryPolicy } from './retry.ts';
import type { Run, Setbacks } from './run.ts';

/** How often in a row a run may be thrown off its path without getting any further, for reasons nobody foresaw. */
export const MOST_TRIES = 6;

/** How often in a row workers may take a run up and die before a session of it began, until it is given up (fault F43). */
export const MOST_LIVES = 3;

/** After this many it is given up without a word on GitHub: it may be saying so that kills the worker. */
const SILENT_LIVES = 2 * MOST_LIVES;

/** Longest pause between two looks whether GitHub, or our own side, is there again. Milliseconds. */
const LONGEST_WAIT_MS = 5 * 60_000;

/** First pause when nobody said how long to wait. Milliseconds. */
const FIRST_WAIT_MS = 30_000;

/**
 * Why work on a run was thrown off its path.
 *
 * - `stop` a person asked for its end · `lost` the lease passed on · `shutdown` this worker ends
 * - `refused` GitHub, or a person there, said no for good
 * - `away` GitHub does not answer, or asked us to wait until `retryAt` · `infrastructure` our engine, disk or network broke
 * - `unforeseen` everything else: a fault of ours
 */
export type Interruption =
  | { readonly kind: 'stop' | 'lost' | 'shutdown' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'away'; readonly limited: boolean; readonly retryAt: number | undefined }
  | { readonly kind: 'infrastructure' | 'unforeseen'; readonly message: string };

/** What an interruption changes. `setbacks` is to be recorded with it. */
export type Consequence =
  /** Write nothing, say nothing: another worker has the run. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'hand-back'; readonly setbacks: Setbacks }
  | { readonly kind: 'wait'; readonly at: number; readonly reason: string; readonly setbacks: Setbacks }
  | { readonly kind: 'end'; readonly reason: string };

/**
 * Decides what an interruption means for a run. What is away may stay away for hours without failing anything (fault F25); what
 * nobody foresaw is tried a few times, and then a person is told rather than kept waiting.
 */
export function afterInterruption(
  run: Pick<Run, 'setbacks'>,
  interruption: Interruption,
  of: { readonly now: number; readonly retry: RetryPolicy },
): Consequence {
  const { tries, waits } = setbacksOf(run);
  const waitMs = pause(waits + 1, { ...of.retry, baseMs: Math.min(FIRST_WAIT_MS, of.retry.baseMs) }, LONGEST_WAIT_MS);
  const waiting = { tries, waits: waits + 1, lives: 0 };
  switch (interruption.kind) {
    case 'lost':
      return { kind: 'leave' };
    case 'stop':
    case 'shutdown':
      return { kind: 'hand-back', setbacks: handedBack(run) };
    case 'refused':
      return { kind: 'end', reason: interruption.reason };
    case 'away': {
      const reason = interruption.limited ? 'GitHub asked us to wait.' : 'GitHub does not answer; trying again.';
      return { kind: 'wait', at: interruption.retryAt ?? of.now + waitMs, reason, setbacks: waiting };
    }
    case 'infrastructure': {
      const reason = `Our side broke (${firstLine(interruption.message)}); trying again.`;
      return { kind: 'wait', at: of.now + waitMs, reason, setbacks: waiting };
    }
    case 'unforeseen': {
      const what = firstLine(interruption.message);
      const tried = tries + 1;
      if (tried >= MOST_TRIES) return { kind: 'end', reason: outOf(tried, `something unexpected happened: ${what}`) };
      const at = of.now + pause(tried, of.retry, of.retry.maxMs);
      const reason = `Something unexpected happened on our side (${what}); trying again.`;
      return { kind: 'wait', at, reason, setbacks: { tries: tried, waits, lives: 0 } };
    }
  }
}

/** What taking a run up changes. `setbacks` is to be recorded before anything else is done. */
export type TakingUp = { readonly setbacks: Setbacks } & (
  | { readonly kind: 'go' }
  /** It was taken up too often without a word from any worker. `silent`: nobody is to be told outside. */
  | { readonly kind: 'end'; readonly reason: string; readonly silent: boolean }
);

/** Decides whether a run is taken up once more. */
export function takingUp(run: Pick<Run, 'setbacks'>): TakingUp {
  const { tries, waits, lives } = setbacksOf(run);
  const setbacks = { tries, waits, lives: lives + 1 };
  if (lives < MOST_LIVES) return { kind: 'go', setbacks };
  return { kind: 'end', setbacks, reason: outOf(MOST_LIVES, 'the worker crashed'), silent: lives >= SILENT_LIVES };
}

/** A run's setbacks once a session begins: how often one may be cut short is counted with the sessions. Undefined: no change. */
export function sessionBegins(run: Pick<Run, 'setbacks'>): Setbacks | undefined {
  const setbacks = setbacksOf(run);
  return setbacks.lives === 0 ? undefined : { ...setbacks, lives: 0 };
}

/** A run's setbacks after it got further under the worker that has it; undefined when nothing changes. */
export function gotFurther(run: Pick<Run, 'setbacks'>): Setbacks | undefined {
  const { tries, waits, lives } = setbacksOf(run);
  return tries + waits + lives === 0 ? undefined : NO_SETBACKS;
}

/** A run's setbacks when it begins to wait for something known, as against being cut off. */
export function handedBack(run: Pick<Run, 'setbacks'>): Setbacks {
  return { ...setbacksOf(run), lives: 0 };
}

const NO_SETBACKS: Setbacks = { tries: 0, waits: 0, lives: 0 };

function setbacksOf({ setbacks }: Pick<Run, 'setbacks'>): Setbacks {
  return setbacks ?? NO_SETBACKS;
}

function outOf(times: number, what: string): string {
  return `Maestro tried ${times} times without getting any further, because ${what}. The work so far is kept.`;
}

function firstLine(text: string): string {
  const line = text.trimStart().split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}

/** How long waiting for `count` tries in a row lasts, at most `maxMs`. Milliseconds. */
function pause(count: number, retry: RetryPolicy, maxMs: number): number {
  return Math.min(backoff(Math.max(1, count), retry), maxMs);
}
