import { sessionIdFor, type SessionId, type TaskKey } from '../domain/ids.ts';
import { placeOf } from './jobs.ts';
import type { Ahead, RunScope, TaskRecord } from './record.ts';
import type { SessionWire } from './talk.ts';
import { openWire } from './wire.ts';

/** What names the agent's job, started ahead or not. */
export const AGENT = 'agent';

/**
 * Makes them without being waited for: starting a container takes longer than all we
 * do between two sessions. It only saves time: whatever goes wrong here is made good, or told, when the session begins.
 */
export class SessionAhead implements Ahead, AsyncDisposable {
  #next:
    | { readonly session: string; readonly provider: string; readonly ready: Promise<SessionWire | undefined> }
    | undefined;
  readonly #release: () => Promise<void>;

  /** `release` removes what is kept ready on the lane. */
  constructor(release: () => Promise<void>) {
    this.#release = release;
  }

  begin(scope: RunScope, session: SessionId, task: TaskKey): void {
    if (this.#next?.session === session && this.#next.provider === scope.provider.id) return;
    const before = this.#drop();
    const ready = before
      .then(async () => await openWire(scope, session, task))
      .then((wire) => {
        if (wire === undefined) return undefined;
        const socket = wire.socket === undefined ? {} : { socket: wire.socket };
        void scope.deps.runner.seat(placeOf(scope, { purpose: AGENT, session, ...socket }));
        return wire;
      })
      .catch((error: unknown) => {
        scope.log.debug({ err: error, sessionId: session }, 'nothing could be made ahead for a session');
        return undefined;
      });
    this.#next = { session, provider: scope.provider.id, ready };
  }

  beginAfter(record: TaskRecord, scope: RunScope): void {
    if (record.failure !== undefined || record.stopped || scope.signal.aborted) return;
    const task = scope.held.tasks.find((one) => one.outcome === undefined && one.key !== record.task.key);
    if (task === undefined) return;
    this.begin(scope, sessionIdFor(task.runId, task.position, task.attempts + 1), task.key);
  }

  async take(session: string, provider: string): Promise<SessionWire | undefined> {
    if (this.#next?.session !== session) return undefined;
    if (this.#next.provider !== provider) {
      await this.#drop();
      return undefined;
    }
    const { ready } = this.#next;
    this.#next = undefined;
    return await ready;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#drop();
    await this.#release();
  }

  async #drop(): Promise<void> {
    const next = this.#next;
    this.#next = undefined;
    const wire = await next?.ready;
    await wire?.[Symbol.asyncDispose]();
  }
}
