import { DelayedError, type Job } from 'bullmq';
import type { RunId } from '../domain/ids.ts';
import { around } from '../telemetry/failpoint.ts';
import type { Log } from '../telemetry/log.ts';
import type { Line, LineQueue, LineWorker, PoolLike, RunJob } from './line.ts';
import { postgresLine } from './postgres.ts';
import { QueueUnavailableError, type RunHandler, type RunQueue, type Word } from './queue.ts';
import { redisLine } from './redis.ts';

/** Where the queue is kept. */
export type QueueConnection =
  | { readonly kind: 'redis'; readonly url: string }
  | { readonly kind: 'postgres'; readonly pool: PoolLike };

/** Times in milliseconds; the defaults are what production runs with. */
export interface QueueTiming {
  /** How long a job's lock lives without being renewed; it is renewed at half of it. */
  readonly lockMs: number;
  /** How often jobs are looked for whose worker died. A crash is noticed after at most the lock and two of these (promise P4). */
  readonly stalledMs: number;
  /** When a run is handed out again whose handler threw. */
  readonly retryMs: number;
  /** How long `close` waits for handlers before it aborts them. */
  readonly closeMs: number;
}

const TIMING: QueueTiming = { lockMs: 20_000, stalledMs: 10_000, retryMs: 5000, closeMs: 30_000 };

/** How long aborted handlers may take to end when the queue closes. */
const ABORT_GRACE_MS = 2000;

/** How long connections may take to close; one that broke at the wrong moment may never say that it did. */
const DISCONNECT_MS = 5000;

/** Never reached, and fits the `integer` columns of BullMQ's Postgres backend: how often a run may crash or fail is not BullMQ's to say. */
const UNLIMITED = 1_000_000_000;

/**
 * The run queue on BullMQ. A job's id is the run's, and jobs are removed when they end: so a run is in line at most once, and
 * may come again later. Enqueuing a run that is held back, without a delay, brings it forward.
 *
 * @param options.prefix Keeps apart the queues of several installations on one server.
 */
export function createRunQueue(options: {
  readonly connection: QueueConnection;
  readonly log: Log;
  readonly prefix?: string;
  readonly timing?: Partial<QueueTiming>;
}): RunQueue {
  const { connection, log, prefix = 'maestro' } = options;
  const line =
    connection.kind === 'redis'
      ? redisLine({ url: connection.url, prefix, name: 'runs', log })
      : postgresLine(connection.pool, `${prefix}-runs`);
  return new BullRunQueue(line, log, { ...TIMING, ...options.timing });
}

class BullRunQueue implements RunQueue {
  private readonly line: Line;
  private readonly log: Log;
  private readonly timing: QueueTiming;
  /** One per run being worked on here. */
  private readonly aborts = new Map<string, AbortController>();
  private prepared: Promise<void> | undefined;
  private queue: LineQueue | undefined;
  private worker: LineWorker | undefined;
  private closing: Promise<void> | undefined;

  constructor(line: Line, log: Log, timing: QueueTiming) {
    this.line = line;
    this.log = log;
    this.timing = timing;
  }

  async enqueue(id: RunId, options: { readonly delayMs?: number } = {}): Promise<void> {
    const queue = await this.openQueue();
    try {
      await this.add(queue, id, options);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new QueueUnavailableError(`the queue did not take run ${id}: ${reason}`, { cause: error });
    }
  }

  private async add(queue: LineQueue, id: RunId, options: { readonly delayMs?: number }): Promise<void> {
    // Asked before the job is added: one added here may be worked on and held back by its handler before we could ask.
    if (options.delayMs === undefined && (await this.bringForward(queue, id))) return;
    const job = {
      jobId: id,
      removeOnComplete: true,
      removeOnFail: true,
      // Only for a failure of the queue itself: what a handler throws never gets to BullMQ.
      attempts: UNLIMITED,
      backoff: { type: 'fixed', delay: this.timing.retryMs },
      ...(options.delayMs === undefined ? {} : { delay: options.delayMs }),
    } as const;
    await around('enqueue', { perform: async () => await queue.add('run', { runId: id }, job) });
  }

  async process(handler: RunHandler, options: { readonly concurrency: number }): Promise<void> {
    await this.prepare();
    if (this.worker !== undefined) throw new Error('the queue is being processed already: call process once');
    if (this.closing !== undefined) throw new Error('the queue is closed');
    this.worker = this.line.openWorker(async (job, token) => this.handle(job, token, handler), {
      concurrency: options.concurrency,
      lockDuration: this.timing.lockMs,
      stalledInterval: this.timing.stalledMs,
      maxStalledCount: UNLIMITED,
    });
    this.worker.on('error', (error) => this.log.warn({ err: error }, 'queue worker error'));
    this.worker.on('stalled', (runId) => this.log.warn({ runId }, 'run handed out again: its worker is gone'));
    this.worker.on('lockRenewalFailed', (runIds) => {
      for (const runId of runIds)
        this.aborts.get(runId)?.abort(new Error(`the queue has lost the lock of run ${runId}`));
    });
    await this.worker.waitUntilReady();
  }

  async counts(): Promise<{ readonly waiting: number; readonly delayed: number; readonly active: number }> {
    const queue = await this.openQueue();
    const counts = await queue.getJobCounts('wait', 'prioritized', 'delayed', 'active');
    const of = (state: string): number => counts[state] ?? 0;
    return { waiting: of('wait') + of('prioritized'), delayed: of('delayed'), active: of('active') };
  }

  async check(): Promise<void> {
    await this.line.check();
    await this.prepare();
  }

  async close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  /** Ends the wait of a run that is held back; false when there is none, or it became due in between. */
  private async bringForward(queue: LineQueue, id: RunId): Promise<boolean> {
    const job = await queue.getJob(id);
    if (job === undefined || !(await job.isDelayed())) return false;
    try {
      await job.promote();
      return true;
    } catch (error) {
      this.log.debug({ runId: id, err: error }, 'run not brought forward');
      return false;
    }
  }

  private async prepare(): Promise<void> {
    this.prepared ??= this.line.prepare().catch((error: unknown) => {
      this.prepared = undefined;
      throw error;
    });
    return this.prepared;
  }

  private async openQueue(): Promise<LineQueue> {
    await this.prepare();
    if (this.closing !== undefined) throw new Error('the queue is closed');
    if (this.queue === undefined) {
      this.queue = this.line.openQueue();
      this.queue.on('error', (error) => this.log.warn({ err: error }, 'queue error'));
    }
    return this.queue;
  }

  private async handle(job: Job<RunJob>, token: string | undefined, handler: RunHandler): Promise<void> {
    const { runId } = job.data;
    const abort = new AbortController();
    this.aborts.set(runId, abort);
    try {
      const word = await this.ask(handler, runId, abort.signal);
      if (word.kind === 'done') return;
      await job.moveToDelayed(Date.now() + word.delayMs, token);
    } finally {
      // A run whose lock was lost may have been handed out here a second time already.
      if (this.aborts.get(runId) === abort) this.aborts.delete(runId);
    }
    throw new DelayedError();
  }

  /** What the handler says; one that throws is asked again after a while. */
  private async ask(handler: RunHandler, runId: RunId, signal: AbortSignal): Promise<Word> {
    try {
      return await handler(runId, signal);
    } catch (error) {
      this.log.error({ runId, err: error }, 'run handler failed; the run is handed out again');
      return { kind: 'again', delayMs: this.timing.retryMs };
    }
  }

  private async shutDown(): Promise<void> {
    const { worker } = this;
    if (worker !== undefined) {
      const ended = worker.close();
      if (!(await within(ended, this.timing.closeMs))) {
        this.log.warn({ runIds: [...this.aborts.keys()] }, 'handlers did not end in time and are aborted');
        for (const abort of this.aborts.values()) abort.abort(new Error('the queue is closing'));
        if (!(await within(ended, ABORT_GRACE_MS))) await within(worker.disconnect(), DISCONNECT_MS);
      }
    }
    const closed = Promise.allSettled([this.queue?.close()]).then(async () => this.line.close());
    if (!(await within(closed, DISCONNECT_MS))) this.log.warn('queue connections did not close in time');
  }
}

/** Whether `promise` settles within `ms`; leaves no timer behind. */
async function within(promise: Promise<unknown>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([promise.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}
