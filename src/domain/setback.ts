import { backoff, type RetryPolicy } from './retry.ts';
import type { Run, Setbacks } from './run.ts';

/** How often in a row a run may be thrown off its path without getting any further, for reasons nobody foresaw. */
export const MOST_TRIES = 6;

/** How often in a row workers may take a run up and die before a session of it began, until it is given up (fault F43). */
export const MOST_LIVES = 3;

/** How many workers in a row may die with a run at hand, sessions begun or not, until it is given up. */
export const MOST_DEATHS = 2 * MOST_LIVES;

/** Taken up so often beyond the last time, it is given up without a word on GitHub: it may be saying so that kills the worker. */
const SILENT_LIVES = MOST_LIVES;

/** A run that was there at so many deaths of workers in a row is worked on alone: one fewer than it takes to be given up. */
export const SUSPECT_DEATHS = MOST_LIVES - 1;

/** How long a run that has to be worked on alone waits for a worker to run out of other work, before one makes room. Milliseconds. */
export const PATIENCE_MS = 5 * 60_000;

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
  const survived = handedBack(run);
  const waiting = { ...survived, waits: waits + 1 };
  switch (interruption.kind) {
    case 'lost':
      return { kind: 'leave' };
    case 'stop':
    case 'shutdown':
      return { kind: 'hand-back', setbacks: survived };
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
      return { kind: 'wait', at, reason, setbacks: { ...survived, tries: tried } };
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
  const { tries, waits, lives, deaths } = setbacksOf(run);
  const setbacks = { tries, waits, lives: lives + 1, deaths: deaths + 1 };
  const beyond = Math.max(lives - MOST_LIVES, deaths - MOST_DEATHS);
  if (beyond < 0) return { kind: 'go', setbacks };
  const times = deaths >= MOST_DEATHS ? MOST_DEATHS : MOST_LIVES;
  return { kind: 'end', setbacks, reason: outOf(times, 'the worker crashed'), silent: beyond >= SILENT_LIVES };
}

/** Whether a worker that has other runs at hand may take one up. */
export type Seating =
  | { readonly kind: 'beside' }
  /** It is taken up, and nothing else until it got further. */
  | { readonly kind: 'alone' }
  /** Not while there are others. When its patience is `over` the worker begins nothing new until it has nothing else. */
  | { readonly kind: 'wait'; readonly isOver: boolean; readonly say: Waiting | undefined };

/** What is to be recorded of a run that waits for a worker of its own, and told to people if it `aloneTold`. */
interface Waiting {
  readonly reason: string;
  readonly setbacks: Setbacks;
}

/**
 * Decides how a run is taken up by a worker that has `others` at hand. Of the runs that were there when workers died, nobody can
 * tell which one it was; so the third life of each is its own, and a run is only given up for what it did by itself. A
 * person's stop does not wait: little is done for it.
 *
 * @param of.besideSuspect Whether what is at hand is there alone: then nothing may be done for this run that could be what kills.
 */
export function seating(
  run: Pick<Run, 'setbacks' | 'stop'>,
  of: { readonly others: number; readonly besideSuspect: boolean; readonly now: number },
): Seating {
  const setbacks = setbacksOf(run);
  if (!isSuspect(run) || run.stop !== undefined) return { kind: 'beside' };
  if (of.others === 0) return { kind: 'alone' };
  const { aloneSince = of.now, aloneTold = false, deaths } = setbacks;
  const waiting = { ...setbacks, aloneSince, aloneTold: aloneTold || !of.besideSuspect };
  const isSaid = setbacks.aloneSince !== undefined && aloneTold === waiting.aloneTold;
  const reason = `Its worker died ${deaths} times in a row, with this run and perhaps others at hand. It goes on by itself, as soon as a worker has nothing else to do: so it is seen which run it was. The work so far is kept.`;
  return {
    kind: 'wait',
    isOver: of.now >= aloneSince + PATIENCE_MS,
    say: isSaid ? undefined : { reason, setbacks: waiting },
  };
}

/** Whether a run may be what workers die of. */
export function isSuspect(run: Pick<Run, 'setbacks'>): boolean {
  return setbacksOf(run).deaths >= SUSPECT_DEATHS;
}

/** A run's setbacks once a session begins: how often one may be cut short is counted with the sessions. Undefined: no change. */
export function sessionBegins(run: Pick<Run, 'setbacks'>): Setbacks | undefined {
  const setbacks = setbacksOf(run);
  return setbacks.lives === 0 ? undefined : { ...setbacks, lives: 0 };
}

/** A run's setbacks after it got further under the worker that has it, which may yet die of it; undefined when nothing changes. */
export function gotFurther(run: Pick<Run, 'setbacks'>): Setbacks | undefined {
  const { tries, waits, lives, deaths } = setbacksOf(run);
  return tries + waits + lives === 0 && deaths === 1 ? undefined : { ...NO_SETBACKS, deaths: 1 };
}

/** How many workers in a row died with a run at hand before the one that has it now. */
export function deathsBefore(run: Pick<Run, 'setbacks'>): number {
  return Math.max(0, setbacksOf(run).deaths - 1);
}

/** A run's setbacks when a worker leaves it in good order: that worker did not die of it. */
export function handedBack(run: Pick<Run, 'setbacks'>): Setbacks {
  const { tries, waits, deaths } = setbacksOf(run);
  return { tries, waits, lives: 0, deaths: Math.max(0, deaths - 1) };
}

const NO_SETBACKS = { tries: 0, waits: 0, lives: 0, deaths: 0 } as const;

function setbacksOf({ setbacks }: Pick<Run, 'setbacks'>): Setbacks & { readonly deaths: number } {
  return { ...NO_SETBACKS, ...setbacks };
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
