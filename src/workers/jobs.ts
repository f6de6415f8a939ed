import type { Writable } from 'node:stream';
import type { Job, JobResult } from '../runners/runner.ts';
import { tailSink } from './lines.ts';
import type { RunScope } from './record.ts';

export interface LaneJob {
  /** What it is for, `[a-z]+`; with the session's id it names the job. */
  readonly purpose: string;
  readonly session: string;
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  readonly socket?: string;
  readonly stdin?: string;
  readonly stdout: Writable;
  readonly stderr?: Writable;
  readonly wallMs?: number;
  /** Jobs that save work go on when a person has stopped the run. */
  readonly signal?: AbortSignal;
}

/** Bytes of a job's error output remembered for the person. */
const TAIL = 8 * 1024;

/** Runs one job on the run's lane, under the session's limits. Gives its result and the tail of its error output. */
export async function runOnLane(scope: RunScope, spec: LaneJob): Promise<JobResult & { readonly stderr: string }> {
  const { session } = scope.deps.settings;
  const stderr = tailSink(TAIL);
  const job: Job = {
    name: `${spec.session}-${spec.purpose}`,
    owner: { runId: scope.ledger.run.id, epoch: scope.ledger.lease.epoch },
    lane: scope.lane,
    argv: spec.argv,
    env: spec.env ?? {},
    ...(spec.files === undefined ? {} : { files: spec.files }),
    ...(spec.socket === undefined ? {} : { socket: spec.socket }),
    limits: {
      idleMs: session.idleMs,
      wallMs: spec.wallMs ?? session.wallMs,
      memoryBytes: session.memoryBytes,
      cpus: session.cpus,
      pids: session.pids,
      outputBytes: session.outputBytes,
    },
  };
  scope.ledger.assertOurs();
  const result = await scope.deps.runner.run(job, {
    stdin: spec.stdin ?? '',
    stdout: spec.stdout,
    stderr: spec.stderr ?? stderr.sink,
    signal: spec.signal ?? scope.signal,
  });
  return { ...result, stderr: stderr.text() };
}
