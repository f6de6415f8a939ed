import { isDeepStrictEqual } from 'node:util';
import type { TaskKey } from '../domain/ids.ts';
import type { Run, RunTask, Session } from '../domain/run.ts';
import type { Lease, RunChange, Store, TaskChange } from '../store/store.ts';
import { around, type EffectName } from '../telemetry/failpoint.ts';

/**
 * A run under a lease, in memory and in the store at once: what it says is what was last written. Every write goes to the store
 * first, under the lease, and fails with `LeaseLostError` once the lease is not ours.
 */
export class Ledger {
  readonly lease: Lease;
  readonly #store: Store;
  readonly #onChange: () => void;
  #run: Run;
  #tasks: readonly RunTask[];

  constructor(of: {
    readonly store: Store;
    readonly lease: Lease;
    readonly run: Run;
    readonly tasks: readonly RunTask[];
    readonly onChange: () => void;
  }) {
    this.#store = of.store;
    this.lease = of.lease;
    this.#run = of.run;
    this.#tasks = of.tasks;
    this.#onChange = of.onChange;
  }

  get run(): Run {
    return this.#run;
  }

  get tasks(): readonly RunTask[] {
    return this.#tasks;
  }

  async changeRun(change: RunChange): Promise<void> {
    await this.#store.updateRun(this.lease, change);
    this.#run = { ...this.#run, ...change };
    this.#onChange();
  }

  async changeTask(key: TaskKey, change: TaskChange): Promise<void> {
    await this.#store.updateTask(this.lease, key, change);
    this.#tasks = this.#tasks.map((task) => (task.key === key ? { ...task, ...change } : task));
    this.#onChange();
  }

  async saveSession(session: Session): Promise<void> {
    await this.#store.saveSession(this.lease, session);
  }

  /** Takes in a stop request that a person made meanwhile. Returns whether there is one. */
  async refreshStop(): Promise<boolean> {
    const run = await this.#store.findRun(this.#run.id);
    if (run?.stop !== undefined) this.#run = { ...this.#run, stop: run.stop };
    return this.#run.stop !== undefined;
  }

  /**
   * Does something outside that must happen once: its intent is recorded before, its result after. `perform` must find what an
   * earlier try left. When the result is on record already, it is given back and nothing is done.
   */
  async effect<T>(
    effect: { readonly key: string; readonly name: EffectName; readonly intent: unknown },
    perform: () => Promise<T>,
  ): Promise<T> {
    const known = await this.#store.findEffect(this.#run.id, effect.key);
    if (known?.result !== undefined && known.result !== null) return known.result as T;
    return await around(effect.name, {
      intent: async () => await this.#store.recordIntent(this.lease, effect),
      perform,
      record: async (result) => await this.#store.recordResult(this.lease, effect.key, result ?? true),
    });
  }

  /** Appends to the audit log what is about to become true, unless an earlier life of the worker did and got no further. */
  async auditOnce(at: number, action: string, detail: unknown): Promise<void> {
    const entries = await this.#store.auditOf(this.#run.id);
    const known = entries.some((entry) => entry.action === action && isDeepStrictEqual(entry.detail, plain(detail)));
    if (!known) await this.audit(at, action, detail);
  }

  async audit(at: number, action: string, detail: unknown): Promise<void> {
    await this.#store.audit({ at, runId: this.#run.id, actor: this.lease.owner, action, detail });
  }
}

/** A value as it comes back from the store. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value)) as unknown;
}
