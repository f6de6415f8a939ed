import type { Clock } from '../domain/clock.ts';
import { ForgeError, type HookAttempt, type HookLog } from '../forge/forge.ts';
import type { Store } from '../store/store.ts';
import { around } from '../telemetry/failpoint.ts';
import type { Log } from '../telemetry/log.ts';
import { eventName } from './payload.ts';

export interface MissedDeps {
  readonly store: Pick<Store, 'knownDeliveries' | 'findMarks' | 'setMark' | 'pruneMarks'>;
  readonly hookLog: HookLog;
  readonly clock: Clock;
  readonly log: Log;
}

/** How far back GitHub makes deliveries again ("Redelivering webhooks": the past 3 days). Milliseconds. */
const WINDOW_MS = 3 * 24 * 3_600_000;
/** A delivery that fails however often it is asked for is left to a person. */
const MOST_TIMES = 5;
/** Pause before a delivery that was asked for and failed again is asked for again; each further one is four times as long. */
const FIRST_PAUSE_MS = 5 * 60_000;
/** GitHub lists an attempt when it is over, at the time it began, and clocks differ: what is this close is looked at again. */
const OVERLAP_MS = 10 * 60_000;

const SEEN = 'deliveries/seen';
const ASKED = 'redelivery/';

/**
 * Asks GitHub for the deliveries that did not reach us: every event of ours whose attempts all failed and which the inbox does not
 * hold. Each is asked for once, and again only if that failed too, with growing pauses. Says how many were asked for. Rejects with
 * `ForgeError`; the next look then goes over the same ground.
 */
export async function askForMissed(deps: MissedDeps): Promise<number> {
  const { store, clock, log } = deps;
  const now = clock.now();
  const seen = (await store.findMarks([SEEN])).get(SEEN)?.value;
  const since = Math.max(now - WINDOW_MS, typeof seen === 'number' ? seen - OVERLAP_MS : 0);
  const failed = failedAttempts(await attemptsSince(deps.hookLog, since));
  const known = await store.knownDeliveries(failed.map(({ guid }) => guid));
  const missed = failed.filter(({ guid }) => !known.has(guid));
  const marks = await store.findMarks(missed.map(({ guid }) => ASKED + guid));

  let asked = 0;
  let open: number | undefined;
  const askForEach = async (): Promise<void> => {
    for (const attempt of missed) {
      const name = ASKED + attempt.guid;
      const mark = marks.get(name);
      const times = typeof mark?.value === 'number' ? mark.value : 0;
      if (times >= MOST_TIMES) continue;
      open ??= attempt.at;
      if (mark !== undefined && now < mark.at + FIRST_PAUSE_MS * 4 ** (times - 1)) continue;
      const isMade = await around('redeliver', {
        // Written first: a crash between the two costs a pause, never a loop.
        intent: async () => await store.setMark(name, { value: times + 1, at: now }),
        perform: async () => await redeliver(deps, attempt),
      });
      if (isMade) asked += 1;
    }
  };
  await around('sweep', {
    perform: askForEach,
    record: async () => await store.setMark(SEEN, { value: Math.min(now, open ?? now), at: now }),
  });
  await store.pruneMarks(ASKED, now - 2 * WINDOW_MS);
  if (missed.length > 0) log.info({ missed: missed.length, asked }, 'missed deliveries asked for again');
  return asked;
}

/** Every attempt GitHub made since then, newest first. */
async function attemptsSince(hookLog: HookLog, since: number): Promise<readonly HookAttempt[]> {
  const found: HookAttempt[] = [];
  let cursor: string | undefined;
  do {
    const page = await hookLog.hookAttempts(cursor);
    found.push(...page.attempts.filter(({ at }) => at >= since));
    cursor = page.attempts.some(({ at }) => at < since) ? undefined : page.next;
  } while (cursor !== undefined);
  return found;
}

/** The newest attempt at each event of ours of which no attempt reached us; oldest event first, as they happened. */
export function failedAttempts(newestFirst: readonly HookAttempt[]): readonly HookAttempt[] {
  const newest = new Map<string, HookAttempt>();
  const reached = new Set(newestFirst.filter(({ ok }) => ok).map(({ guid }) => guid));
  for (const attempt of newestFirst) {
    if (reached.has(attempt.guid) || newest.has(attempt.guid)) continue;
    if (eventName(attempt.event, attempt.action) !== undefined) newest.set(attempt.guid, attempt);
  }
  return [...newest.values()].toReversed();
}

/** False for a delivery GitHub does not make again; a limit or an outage is thrown on. */
async function redeliver(deps: MissedDeps, attempt: HookAttempt): Promise<boolean> {
  try {
    await deps.hookLog.redeliver(attempt.id);
    return true;
  } catch (error) {
    if (!(error instanceof ForgeError) || (error.kind !== 'gone' && error.kind !== 'invalid')) throw error;
    deps.log.warn({ err: error, guid: attempt.guid, event: attempt.event }, 'GitHub does not deliver this again');
    return false;
  }
}
