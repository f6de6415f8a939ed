import { pause } from './conduct.ts';
import type { RetryPolicy } from './retry.ts';
import type { Run, Setbacks } from './run.ts';

/** How often in a row a run may be taken up without getting any further, for reasons nobody foresaw. */
export const MOST_TRIES = 6;

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
  const undone = { tries: Math.max(0, tries - 1), waits };
  const waitMs = pause(waits + 1, { ...of.retry, baseMs: Math.min(FIRST_WAIT_MS, of.retry.baseMs) }, LONGEST_WAIT_MS);
  const waiting = { ...undone, waits: waits + 1 };
  switch (interruption.kind) {
    case 'lost':
      return { kind: 'leave' };
    case 'stop':
    case 'shutdown':
      return { kind: 'hand-back', setbacks: undone };
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
      if (tries >= MOST_TRIES) return { kind: 'end', reason: outOfTries(`something unexpected happened: ${what}`) };
      const at = of.now + pause(tries, of.retry, of.retry.maxMs);
      const reason = `Something unexpected happened on our side (${what}); trying again.`;
      return { kind: 'wait', at, reason, setbacks: { tries, waits } };
    }
  }
}

/** What taking a run up changes in its setbacks; a reason instead when it was taken up too often without a word from any worker. */
export function takingUp(
  run: Pick<Run, 'setbacks'>,
): { readonly kind: 'go'; readonly setbacks: Setbacks } | { readonly kind: 'end'; readonly reason: string } {
  const { tries, waits } = setbacksOf(run);
  if (tries >= MOST_TRIES) return { kind: 'end', reason: outOfTries('the worker crashed') };
  return { kind: 'go', setbacks: { tries: tries + 1, waits } };
}

/** A run's setbacks after it got further under the worker that has it; undefined when nothing changes. */
export function gotFurther(run: Pick<Run, 'setbacks'>): Setbacks | undefined {
  const { tries, waits } = setbacksOf(run);
  return tries <= 1 && waits === 0 ? undefined : { tries: 1, waits: 0 };
}

/** A run's setbacks when it begins to wait for something known, as against being cut off. */
export function handedBack(run: Pick<Run, 'setbacks'>): Setbacks {
  const { tries, waits } = setbacksOf(run);
  return { tries: Math.max(0, tries - 1), waits };
}

function setbacksOf({ setbacks }: Pick<Run, 'setbacks'>): Setbacks {
  return setbacks ?? { tries: 0, waits: 0 };
}

function outOfTries(what: string): string {
  return `Maestro tried ${MOST_TRIES} times without getting any further, because ${what}. The work so far is kept.`;
}

function firstLine(text: string): string {
  const line = text.trimStart().split('\n')[0] ?? '';
  return line.length > 200 ? `${line.slice(0, 199)}…` : line;
}
