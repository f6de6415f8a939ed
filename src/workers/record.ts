import type { SessionId, TaskKey } from '../domain/ids.ts';
import type { Asks } from '../domain/asking.ts';
import type { Failure, Outcome } from '../domain/outcome.ts';
import type { Handover, RunTask, Session } from '../domain/run.ts';
import type { Word } from '../domain/talk.ts';
import type { ModelEndpoint } from '../gateway/gateway.ts';
import type { Masked } from '../git/mask.ts';
import type { Mirror } from '../git/mirror.ts';
import type { Provider } from '../providers/provider.ts';
import type { ImageChoice, LaneRef } from '../runners/runner.ts';
import type { Log } from '../telemetry/log.ts';
import type { Announcer } from './announce.ts';
import type { WorkerDeps } from './deps.ts';
import type { Ticker } from '../playbook/ticker.ts';
import type { HeldRun } from './held-run.ts';
import type { SessionLog } from './session-log.ts';
import type { SessionWire } from './talk.ts';

/** What all stages of a run share. */
export interface RunScope {
  readonly deps: WorkerDeps;
  readonly held: HeldRun;
  readonly announcer: Announcer;
  /** The one the task at hand is given to; between tasks, the most preferred. */
  readonly provider: Provider;
  /** The endpoint that goes with it; undefined for a provider that needs none, or when none is configured. */
  readonly endpoint: ModelEndpoint | undefined;
  /** Why the task at hand is not given to the provider that was asked for. */
  readonly handover: Handover | undefined;
  readonly mirror: Mirror;
  readonly lane: LaneRef;
  /** What its jobs run in, when that is not the runner's usual. */
  readonly image: ImageChoice | undefined;
  /** Ticks tasks of the run's playbook. */
  readonly ticker: Ticker;
  readonly ahead: Ahead;
  readonly log: Log;
  /** Aborted with an `EndedEarly` when the work has to end before the tasks do. */
  readonly signal: AbortSignal;
  /** The same, but deaf to a person's stop: saving what was done goes on. */
  readonly saving: AbortSignal;
}

/** Makes the next session's wire and container while the last one's agent waits for its model, or its work is put away. */
export interface Ahead {
  /** Begins with those of a session at `task`, unless that is being done. */
  begin(scope: RunScope, session: SessionId, task: TaskKey): void;
  /** Begins with those of the task that comes after this one, if one does. */
  beginAfter(record: TaskRecord, scope: RunScope): void;
  /** The wire made for a session of that provider, which is the caller's from now on; undefined when none was. */
  take(session: string, provider: string): Promise<SessionWire | undefined>;
}

/** What a lane is made ready for: what names its jobs, and the log that their output goes into. */
export interface LaneUse {
  /** `[a-z0-9-]`; a session's id, or what else is done on the lane. */
  readonly session: { readonly id: string };
  readonly sessionLog: SessionLog;
}

/** What one attempt at a task has come to. Each stage takes one and gives the next. */
export interface TaskRecord {
  readonly task: RunTask;
  readonly session: Session;
  readonly sessionLog: SessionLog;
  /** Sessions the task has had before. */
  readonly earlier: readonly Session[];
  /** What the working copy showed the agent, once it is brought there. */
  readonly seen?: Seen;
  /** What the agent said at the end. */
  readonly summary?: string;
  /** What it said to Maestro while it worked, in order. */
  readonly words?: readonly Word[];
  /** What it asks people, so that its task waits for them. */
  readonly asks?: Asks;
  /** Why the attempt can't be committed; the first one stays. */
  readonly failure?: Failure;
  /** Where the work of an attempt that was not committed is kept, and the commit that holds it. */
  readonly keptRef?: string;
  readonly kept?: string;
  /** A person ended it. */
  readonly stopped?: true;
  /** The tree the agent left, once it has been looked at and taken in. */
  readonly work?: Work;
  /** The commit that holds the work and the tick. */
  readonly commit?: string;
  /** What that commit stands on, once it is pushed. */
  readonly parent?: string;
  /** What the task has come to; undefined while it is to be tried again. */
  readonly outcome?: Outcome;
  /** When it is tried again, and why not before. */
  readonly again?: { readonly at: number; readonly reason: string };
}

/** What a session's working copy shows. */
export interface Seen {
  /** The run's tip, or a commit on top of it that differs in the masked paths, and in what an earlier session left. */
  readonly commit: string;
  /** Whether it shows what an earlier session left. */
  readonly goesOn?: boolean;
  readonly masked: readonly Masked[];
}

export interface Work {
  readonly tree: string;
  /** Whether the agent changed anything beside the playbook's own boxes. */
  readonly changed: boolean;
  /** Whether that is configuration of agents as well. */
  readonly configures: boolean;
}

/** Whether an attempt left work that may be committed, as far as is known. */
export function isComplete(record: TaskRecord): record is TaskRecord & { readonly work: Work } {
  const { failure, stopped, asks, work } = record;
  return failure === undefined && stopped === undefined && asks === undefined && work?.changed === true;
}

export type Stage = (record: TaskRecord, scope: RunScope) => Promise<TaskRecord>;
