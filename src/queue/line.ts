import type { Job, JobsOptions, PgPool, WorkerOptions } from 'bullmq';
import type { RunId } from '../domain/ids.ts';

/** What a job carries: ids only (design §5). */
export interface RunJob {
  readonly runId: RunId;
}

/** Where BullMQ keeps the jobs: one implementation for Redis, one for Postgres. Nothing connects before it is asked for. */
export interface Line {
  /** Makes ready what must be there before jobs can be; safe to call from several processes at once. */
  prepare(): Promise<void>;
  /** Rejects, with what to do about it, when jobs would not be safe here. */
  check(): Promise<void>;
  openQueue(): LineQueue;
  openWorker(process: (job: Job<RunJob>, token?: string) => Promise<void>, options: LineWorkerOptions): LineWorker;
  /** Lets go of the connections that queue and worker share. */
  close(): Promise<void>;
}

/** The part of BullMQ's Queue we use, whatever its backend. */
export interface LineQueue {
  add(name: string, data: RunJob, options: JobsOptions): Promise<unknown>;
  getJob(id: string): Promise<Pick<Job<RunJob>, 'isDelayed' | 'promote'> | undefined>;
  getJobCounts(...states: ('wait' | 'prioritized' | 'delayed' | 'active')[]): Promise<Record<string, number>>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  close(): Promise<void>;
}

/** The part of BullMQ's Worker we use, whatever its backend. */
export interface LineWorker {
  waitUntilReady(): Promise<unknown>;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'stalled', listener: (jobId: string) => void): unknown;
  on(event: 'lockRenewalFailed', listener: (jobIds: string[]) => void): unknown;
  close(): Promise<void>;
  disconnect(): Promise<void>;
}

type LineWorkerOptions = Pick<WorkerOptions, 'concurrency' | 'lockDuration' | 'stalledInterval' | 'maxStalledCount'>;

/** A `pg.Pool`, or something of its shape, whose search path is the schema {@link POSTGRES_SCHEMA}. */
export type PoolLike = PgPool;

/** BullMQ's tables are in this schema; with a pool of ours it knows no other. */
export const POSTGRES_SCHEMA = 'bullmq';
