import path from 'node:path';
import type { Writable } from 'node:stream';
import { cacheVariables } from '../domain/setup.ts';
import type { Inside, Job, JobFiles, JobLimits, JobResult, Place } from '../runners/runner.ts';
import { tailSink } from './lines.ts';
import type { RunScope } from './record.ts';

/** What is known of a job before its session is. */
export interface LanePlace {
  /** What it is for, `[a-z]+`; with the session's id it names the job. */
  readonly purpose: string;
  readonly session: string;
  readonly socket?: string;
  readonly wallMs?: number;
}

export interface LaneJob extends LanePlace {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: JobFiles;
  readonly stdin?: string;
  readonly stdout: Writable;
  readonly stderr?: Writable;
  /** Ends the job when aborted; the run's own signal when omitted. */
  readonly signal?: AbortSignal;
}

/** Something of ours to be done on a lane, by its keeper. */
export interface LaneErrand {
  readonly argv: readonly string[];
  readonly stdout: Writable;
  /** Errands that save work go on when a person has stopped the run. */
  readonly signal?: AbortSignal;
}

/** Where package managers keep what they fetched, for a job that sees the lane like this. */
export function cachesOf(inside: Pick<Inside, 'repo'>): Readonly<Record<string, string>> {
  return cacheVariables(path.join(path.dirname(inside.repo), 'cache'));
}

/** Bytes of a job's error output remembered for the person. */
const TAIL = 8 * 1024;

/** Where a session's job runs on the run's lane, under the session's limits. */
export function placeOf(scope: RunScope, spec: LanePlace): Place {
  return {
    name: `${spec.session}-${spec.purpose}`,
    owner: { runId: scope.held.run.id, epoch: scope.held.lease.epoch },
    lane: scope.lane,
    ...(spec.socket === undefined ? {} : { socket: spec.socket }),
    ...(scope.image === undefined ? {} : { image: scope.image }),
    limits: limitsOf(scope, spec.wallMs),
  };
}

/** Runs one job on the run's lane. Gives its result and the tail of its error output. */
export async function runOnLane(scope: RunScope, spec: LaneJob): Promise<JobResult & { readonly stderr: string }> {
  const stderr = tailSink(TAIL);
  const job: Job = {
    ...placeOf(scope, spec),
    argv: spec.argv,
    env: spec.env ?? {},
    ...(spec.files === undefined ? {} : { files: spec.files }),
  };
  scope.held.assertOurs();
  const result = await scope.deps.runner.run(job, {
    stdin: spec.stdin ?? '',
    stdout: spec.stdout,
    stderr: spec.stderr ?? stderr.sink,
    signal: spec.signal ?? scope.signal,
  });
  return { ...result, stderr: stderr.text() };
}

/** Has the keeper of the run's lane do something of ours. Gives its result and the tail of its error output. */
export async function tendLane(scope: RunScope, spec: LaneErrand): Promise<JobResult & { readonly stderr: string }> {
  const stderr = tailSink(TAIL);
  const result = await scope.deps.runner.tend(
    {
      lane: scope.lane,
      owner: { runId: scope.held.run.id, epoch: scope.held.lease.epoch },
      argv: spec.argv,
      limits: limitsOf(scope, undefined),
    },
    { stdout: spec.stdout, stderr: stderr.sink, signal: spec.signal ?? scope.signal },
  );
  return { ...result, stderr: stderr.text() };
}

function limitsOf(scope: RunScope, wallMs: number | undefined): JobLimits {
  const { session } = scope.deps.settings;
  return {
    idleMs: session.idleMs,
    wallMs: wallMs ?? session.wallMs,
    memoryBytes: session.memoryBytes,
    cpus: session.cpus,
    pids: session.pids,
    outputBytes: session.outputBytes,
  };
}
