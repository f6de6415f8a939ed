import type { GivenExec } from '../domain/exec.ts';
import type { TaskKey } from '../domain/ids.ts';
import { takeOrders } from '../domain/order.ts';
import { branchTip } from '../domain/redo.ts';
import type { Run, RunTask, Session } from '../domain/run.ts';
import type { GivenOrder } from '../domain/steering.ts';
import type { Lease, RunChange, Store, TaskChange } from '../store/store.ts';
import type { LeaseHold } from './lease-hold.ts';
import { around, type EffectName } from '../telemetry/failpoint.ts';

/**
 * A run that a worker holds the lease of, in memory and in the store at once: what it says is what was last written. Every write
 * goes to the store first, under the lease, and fails with `LeaseLostError` once the lease is not ours. Once we could not renew it
 * in time, nothing is even tried: `EndedEarly`.
 */
export class HeldRun {
  readonly lease: Lease;
  readonly #store: Store;
  readonly #hold: Pick<LeaseHold, 'assertOurs'>;
  readonly #onChange: () => void;
  #run: Run;
  #tasks: readonly RunTask[];
  /** The first session of each provider that worked on the run; undefined until somebody asks. */
  #byProvider: Map<string, Session> | undefined;

  constructor(of: {
    readonly store: Store;
    readonly lease: Lease;
    readonly run: Run;
    readonly tasks: readonly RunTask[];
    readonly hold: Pick<LeaseHold, 'assertOurs'>;
    readonly onChange: () => void;
  }) {
    this.#store = of.store;
    this.lease = of.lease;
    this.#run = of.run;
    this.#tasks = of.tasks;
    this.#hold = of.hold;
    this.#onChange = of.onChange;
  }

  get run(): Run {
    return this.#run;
  }

  get tasks(): readonly RunTask[] {
    return this.#tasks;
  }

  /**
   * A last look before something leaves this process.
   *
   * @throws EndedEarly when the lease was not renewed in time, even if no timer has had a chance to notice.
   */
  assertOurs(): void {
    this.#hold.assertOurs();
  }

  /** One session for each provider that worked on the run, first used first. Reads them all once, then goes along. */
  async sessionsByProvider(): Promise<readonly Session[]> {
    if (this.#byProvider === undefined) {
      const sessions = await this.#store.sessionsOf(this.#run.id);
      this.#byProvider ??= new Map();
      for (const session of sessions) this.#noteProvider(session);
    }
    return [...this.#byProvider.values()];
  }

  #noteProvider(session: Session): void {
    if (this.#byProvider?.has(session.provider) === false) this.#byProvider.set(session.provider, session);
  }

  async changeRun(change: RunChange): Promise<void> {
    this.#hold.assertOurs();
    await this.#store.updateRun(this.lease, change);
    this.#run = { ...this.#run, ...change };
    this.#onChange();
  }

  async changeTask(key: TaskKey, change: TaskChange): Promise<void> {
    this.#hold.assertOurs();
    await this.#store.updateTask(this.lease, key, change);
    this.#tasks = this.#tasks.map((task) => (task.key === key ? { ...task, ...change } : task));
    this.#onChange();
  }

  /** Adds tasks at the end of the run. */
  async addTasks(tasks: readonly RunTask[]): Promise<void> {
    this.#hold.assertOurs();
    await this.#store.addTasks(this.lease, tasks);
    this.#tasks = [...this.#tasks, ...tasks];
    this.#onChange();
  }

  async saveSession(session: Session): Promise<void> {
    this.#hold.assertOurs();
    await this.#store.saveSession(this.lease, session);
    this.#noteProvider(session);
  }

  /** Reads the run again: after a write whose answer was lost, the store knows better. */
  async reload(): Promise<void> {
    const [run, tasks] = await Promise.all([this.#store.findRun(this.#run.id), this.#store.tasksOf(this.#run.id)]);
    if (run === undefined) return;
    this.#run = run;
    this.#tasks = tasks;
  }

  /** Takes in a stop request that a person made meanwhile, and that there are orders. Returns whether there is a stop. */
  async refreshStop(): Promise<boolean> {
    const run = await this.#store.findRun(this.#run.id);
    if (run?.stop !== undefined) this.#run = { ...this.#run, stop: run.stop };
    if (run?.orders !== undefined) this.#run = { ...this.#run, orders: run.orders };
    return this.#run.stop !== undefined;
  }

  /**
   * Takes in the orders that people have given meanwhile. A crash in between takes them in again, to the same end.
   *
   * @param begun The task whose commit may be on the branch already.
   * @param of.ends The run ends now: nothing may be left to take in.
   * @returns What is to be run before those after it can be taken in.
   */
  async takeOrders(begun: TaskKey | undefined, of: { readonly ends?: boolean } = {}): Promise<GivenExec | undefined> {
    const orders = await this.#store.ordersOf(this.#run.id, this.#run.steering?.taken ?? 0);
    for (;;) {
      const { taken, exec } = await this.#takeSome(orders, begun, of);
      if (!taken) return exec;
    }
  }

  async #takeSome(
    orders: readonly GivenOrder[],
    begun: TaskKey | undefined,
    of: { readonly ends?: boolean },
  ): Promise<{ readonly taken: boolean; readonly exec?: GivenExec | undefined }> {
    const run = this.#run;
    const { steering, tip, added, tasks, exec } = takeOrders({ run, tasks: this.#tasks, begun, ...of }, orders);
    if (steering.taken === (run.steering?.taken ?? 0)) return { taken: false, exec };
    if (tip !== undefined) await this.changeRun({ tip, pushed: branchTip(run) });
    if (added.length > 0) await this.addTasks(added);
    for (const { key, outcome, since, ...questions } of tasks) {
      const before = this.#tasks.find((task) => task.key === key)?.outcome;
      // What was noted of work that is taken back is not true any more.
      const notes = before?.kind === 'committed' ? { notes: [] } : {};
      const times = { startedAt: undefined, endedAt: outcome && orders.at(-1)?.at };
      await this.changeTask(key, { outcome, since, ...times, ...notes, ...questions });
    }
    await this.changeRun({ steering });
    return { taken: true };
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
    this.#hold.assertOurs();
    return await around(effect.name, {
      intent: async () => await this.#store.recordIntent(this.lease, effect),
      perform: async () => {
        this.#hold.assertOurs();
        return await perform();
      },
      record: async (result) => await this.#store.recordResult(this.lease, effect.key, result ?? true),
    });
  }

  /** Appends to the audit log what is about to become true, unless an entry with this key is there: from an earlier life. */
  async auditOnce(key: string, at: number, action: string, detail: unknown): Promise<void> {
    const { lease } = this;
    await this.#store.audit({ at, runId: lease.runId, actor: lease.owner, action, detail, once: key });
  }

  async audit(at: number, action: string, detail: unknown): Promise<void> {
    await this.#store.audit({ at, runId: this.#run.id, actor: this.lease.owner, action, detail });
  }
}
