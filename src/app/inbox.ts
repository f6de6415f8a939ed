import type { Probot } from 'probot';
import type { Clock } from '../domain/clock.ts';
import { ForgeError } from '../forge/forge.ts';
import { QueueUnavailableError } from '../queue/queue.ts';
import type { Delivery, Store } from '../store/store.ts';
import type { Log } from '../telemetry/log.ts';
import { laneOf } from './delivery-lane.ts';
import type { DeliveryNotes } from './notes.ts';
import { eventName } from './payload.ts';

/**
 * The pump from the inbox to the event handlers. Deliveries of one repository, a lane, are handled one after the other, oldest
 * first; lanes go side by side, a few deliveries at a turn, and who waited longest for a turn has the next, so that a flood from
 * however many repositories does not hold up another (threat S17).
 */
export interface Inbox {
  /** Takes up what was left from before, then whatever comes. */
  start(): void;
  /**
   * Looks for deliveries now; fine at any time. Told which payload was saved, it looks only if that payload's repository is not
   * being handled: the end of its lane looks anyway, and reading the line anew for each of a thousand deliveries is what a burst
   * would cost most by.
   */
  wake(saved?: unknown): void;
  /** Resolves when nothing due is left. */
  idle(): Promise<void>;
  /** Takes up nothing more and waits for the deliveries being handled. */
  stop(): Promise<void>;
}

export interface InboxDeps {
  readonly store: Pick<Store, 'pendingDeliveries' | 'lanesDue' | 'settleDelivery' | 'failDelivery'>;
  readonly probot: Pick<Probot, 'receive'>;
  readonly notes: DeliveryNotes;
  readonly clock: Clock;
  readonly log: Log;
  /** Repositories handled at the same time. */
  readonly concurrency?: number;
  /** How often to look for deliveries whose retry has come due, or that another process saved. Milliseconds. */
  readonly pollMs?: number;
}

/** First pause before a delivery is tried again; each further one is twice as long, up to `LONGEST_PAUSE_MS`. */
const FIRST_PAUSE_MS = 2_000;
const LONGEST_PAUSE_MS = 5 * 60_000;
/** A delivery that failed this often is kept for a person: our handling of it is broken. */
const MAX_ATTEMPTS = 10;
/** While GitHub or the queue does not answer, a delivery is tried for this long however often it failed (promise P1). */
const OUTAGE_MS = 24 * 3_600_000;
/** Deliveries of a lane at one turn. */
const TURN = 10;
/** Lanes whose last turn is remembered. */
const REMEMBERED = 10_000;

interface Payload {
  readonly installation?: { readonly id?: unknown } | null;
}

/** Makes a pump, standing still until `start` or `wake`. */
export function createInbox(deps: InboxDeps): Inbox {
  const concurrency = deps.concurrency ?? 4;
  const lanes = new Map<string, Promise<void>>();
  /** Lanes by their last turn, the longest ago first. */
  const served = new Set<string>();
  let scanning: Promise<void> | undefined;
  /** Lanes asked for while scanning; undefined stands for any. */
  const wanted = new Set<string | undefined>();
  let stopping = false;
  let timer: NodeJS.Timeout | undefined;

  function wake(saved?: unknown): void {
    if (stopping) return;
    const lane = saved === undefined ? undefined : laneOf(saved);
    if (lane !== undefined && lanes.has(lane)) return;
    if (scanning !== undefined) {
      wanted.add(lane);
      return;
    }
    wanted.clear();
    scanning = scan()
      .catch((error: unknown) => deps.log.error({ err: error }, 'inbox could not be read'))
      .finally(() => {
        scanning = undefined;
        if ([...wanted].some((lane) => lane === undefined || !lanes.has(lane))) wake();
      });
  }

  /** Starts lanes that have deliveries due and are not being handled. */
  async function scan(): Promise<void> {
    if (lanes.size >= concurrency) return;
    // A lane that ends while we read looks anyway.
    const busy = new Set(lanes.keys());
    const free = (await deps.store.lanesDue(deps.clock.now())).filter((lane) => !busy.has(lane));
    const turns = [...free.filter((lane) => !served.has(lane)), ...[...served].filter((lane) => free.includes(lane))];
    for (const lane of turns.slice(0, concurrency - lanes.size)) startLane(lane);
  }

  function startLane(lane: string): void {
    served.delete(lane);
    served.add(lane);
    for (const oldest of [...served].slice(0, Math.max(0, served.size - REMEMBERED))) served.delete(oldest);
    const work = runLane(lane)
      .catch((error: unknown) => deps.log.error({ err: error }, 'inbox could not be read'))
      .then((isRecorded) => {
        lanes.delete(lane);
        // What could not be recorded is still due: looking at once would spin, the next poll takes it up.
        if (isRecorded === true) wake();
      });
    lanes.set(lane, work);
  }

  /** Handles the first of a lane's deliveries; false when what became of one of them could not be recorded. */
  async function runLane(lane: string): Promise<boolean> {
    for (const delivery of await deps.store.pendingDeliveries(deps.clock.now(), TURN, lane)) {
      if (stopping || !(await handleDelivery(deps, delivery))) return false;
    }
    return true;
  }

  async function idle(): Promise<void> {
    for (;;) {
      if (scanning === undefined && lanes.size === 0) return;
      await Promise.all([scanning, ...lanes.values()]);
    }
  }

  return {
    start: () => {
      timer = setInterval(() => wake(), deps.pollMs ?? 3_000);
      wake();
    },
    wake,
    idle,
    stop: async () => {
      stopping = true;
      clearInterval(timer);
      await idle();
    },
  };
}

/** Gives one delivery to its handlers and records how that went. Never rejects; false when it could not be recorded. */
async function handleDelivery(deps: InboxDeps, delivery: Delivery): Promise<boolean> {
  const { guid, event, action } = delivery;
  const log = deps.log.child({ guid, event, action });
  const settle = await attempt(deps, delivery, log);
  try {
    await settle();
    return true;
  } catch (error) {
    log.error({ err: error }, 'what became of a delivery could not be recorded');
    return false;
  }
}

/** Tries to handle a delivery, and says what is to be recorded of it. Never rejects. */
async function attempt(deps: InboxDeps, delivery: Delivery, log: Log): Promise<() => Promise<void>> {
  const { guid, event, action } = delivery;
  const payload = JSON.parse(delivery.body) as Payload;
  if (eventName(event, action) === undefined) {
    return () => deps.store.settleDelivery(guid, 'ignored: not an event of ours');
  }
  // Probot can't make a client for an event without one, and would fail at every attempt.
  if (!isInstallationId(payload.installation?.id)) {
    log.error('delivery names no installation');
    return () => deps.store.settleDelivery(guid, 'malformed: the payload names no installation of the App');
  }
  const received = { id: guid, name: event, payload } as Parameters<Probot['receive']>[0];
  try {
    const note = (await deps.notes.during(guid, () => deps.probot.receive(received))).join('; ') || 'ignored';
    log.info({ note }, 'delivery handled');
    return () => deps.store.settleDelivery(guid, note);
  } catch (thrown) {
    const error = firstCause(thrown);
    const retryAt = nextAttempt(delivery, error, deps.clock.now());
    if (retryAt === undefined) log.error({ err: error }, 'delivery given up');
    else log.warn({ err: error, retryAt }, 'delivery failed, to be tried again');
    return () => deps.store.failDelivery(guid, error.message, retryAt);
  }
}

function isInstallationId(id: unknown): boolean {
  return typeof id === 'number' && Number.isSafeInteger(id) && id > 0;
}

/** When to try a delivery again whose handling just failed with `error`; undefined to give up. Epoch milliseconds. */
export function nextAttempt(
  delivery: Pick<Delivery, 'attempts' | 'receivedAt'>,
  error: Error,
  now: number,
): number | undefined {
  const isOutage =
    error instanceof QueueUnavailableError ||
    (error instanceof ForgeError && (error.kind === 'unavailable' || error.kind === 'limited'));
  const isHopeless = isOutage ? now - delivery.receivedAt > OUTAGE_MS : delivery.attempts + 1 >= MAX_ATTEMPTS;
  if (isHopeless) return undefined;
  const pause = Math.min(FIRST_PAUSE_MS * 2 ** delivery.attempts, LONGEST_PAUSE_MS);
  const told = error instanceof ForgeError ? (error.retryAt ?? 0) : 0;
  return Math.max(now + pause, told);
}

/** Probot gathers what its handlers throw in an `AggregateError`; we have one handler per event. */
function firstCause(error: unknown): Error {
  if (error instanceof AggregateError && error.errors.length > 0) return firstCause(error.errors[0]);
  return error instanceof Error ? error : new Error(String(error));
}
