import type { Writable } from 'node:stream';
import type { RunId } from '../domain/ids.ts';

/**
 * Terms. A *lane* is a branch's working copy; it is kept across tasks. A *job* is one command that runs on a lane in a place of
 * its own (a fresh container, or a process group) and is gone, with everything it started, when it ends. An *errand* is a command
 * of ours that runs in the lane's *keeper*, a place that outlives it and never runs anything of an agent's. A runner is a dumb
 * executor: it knows nothing of providers, git or GitHub.
 */
export interface Runner {
  readonly name: 'docker' | 'local';
  /** How a job reaches the gateway: over a socket mounted in, or over a port on loopback. */
  readonly wire: 'socket' | 'loopback';
  /** One sentence for people: what this runner isolates, and what not. */
  readonly isolation: string;

  /** Rejects, with what to do about it, when jobs can't run here. Returns what ran them: image by digest, engine version. */
  check(image?: ImageChoice): Promise<RunnerFacts>;
  /**
   * Makes the lane if it is not there, from a prepared tree when `base` is given and one can be had. Doing it twice changes nothing.
   * Says whether it was made now, from a tree: then it holds that and nothing else, and nobody has been on it.
   */
  ensureLane(lane: LaneRef, base?: LaneBase): Promise<boolean>;
  /** Releases the lane and removes it and all on it; fine if it is not there. */
  removeLane(lane: Pick<LaneRef, 'name'>): Promise<void>;
  /** Names of the lanes that exist here, of this installation of Maestro. */
  listLanes(): Promise<readonly string[]>;
  /** Where things are, as a job on this lane sees them. */
  inside(lane: LaneRef): Inside;
  /**
   * Runs one job to its end and cleans up after it. Never rejects for what the command did: that is in the result. Rejects with
   * `InfrastructureError` when our side broke. A leftover of the same name from an earlier try is removed first.
   */
  run(job: Job, io: JobIo): Promise<JobResult>;
  /**
   * Makes and starts a job's place ahead of time: `run` of a job with the same place finds it waiting. Only saves time, so it never
   * rejects; a seat that no job takes is removed by `release`.
   */
  seat(place: Place): Promise<void>;
  /**
   * Runs a command of ours in the lane's keeper, which is made when there is none, or only another owner's. One at a time on a
   * lane. Rejects and ends like `run`; a command that is ended takes the keeper, and all that was kept, with it.
   */
  tend(errand: Errand, io: ErrandIo): Promise<JobResult>;
  /** Removes all that is kept ready for a lane beside the lane itself: keeper, seats, and places of jobs that have ended. */
  release(lane: Pick<LaneRef, 'name'>): Promise<void>;
  /** Removes the jobs `keep` does not vouch for, never touching what is not ours. Returns their names. */
  reap(keep: (owner: JobOwner) => boolean): Promise<readonly string[]>;
  /** Releases every lane. Nothing may be asked of it any more. */
  close(): Promise<void>;
}

/** What a job runs in, when it is not what the runner was made with. The local runner knows no images. */
export interface ImageChoice {
  /** An image of ours, by tag or digest. */
  readonly agents?: string;
  /** An image of the repository's own, to which is added what `agents`, or the runner's image, has and it lacks. */
  readonly own?: string;
}

export interface RunnerFacts {
  /** What commands run in, by digest; undefined on the bare machine. */
  readonly image: string | undefined;
  readonly engine: string;
}

export interface LaneRef {
  /** `[a-z0-9-]`, at most 60 characters. */
  readonly name: string;
  /** Directory on the host of the bare repository the lane borrows objects from; mounted read-only. */
  readonly mirror: string;
}

/** How a lane may start from a checkout that is finished already, instead of empty. */
export interface LaneBase {
  readonly owner: JobOwner;
  readonly limits: JobLimits;
  /** What may share trees: a repository. `[a-z0-9-]`, at most 40 characters. */
  readonly group: string;
  /** Names a tree made now, `[a-z0-9-]`, at most 64 characters: the commit. */
  readonly name: string;
  /** Which of these trees is near enough to start from; `none` for no tree at all; undefined when one should be made. */
  nearest(names: readonly string[]): Promise<string | undefined>;
  /** The command that makes the tree in an empty place and prints its size in kB. */
  plant(inside: Inside): readonly string[];
  /** What else is done before lanes start from it. Trees of one group that have this are made one after another. */
  readonly furnishing?: Furnishing;
}

/** What is put into a new tree beside the checkout. */
export interface Furnishing {
  /** Runs jobs that see the tree as their lane. When it rejects there is no tree, and `ensureLane` rejects with the same. */
  furnish(run: (job: Omit<Job, 'lane'>, io: JobIo) => Promise<JobResult>): Promise<void>;
  /** The command that finishes the tree afterwards and prints its size in kB. */
  seal(inside: Inside): readonly string[];
}

export interface Inside {
  /** The working copy's directory. It may not exist before the first job makes it. */
  readonly repo: string;
  readonly mirror: string;
  /** Where the tree the lane was started from is, read-only, with what is kept of it; there may be none. */
  readonly tree: string | undefined;
  /** A directory only errands see, kept from one to the next for as long as the keeper lives. It may not exist. */
  readonly keep: string;
  /** Where the gateway listens for a job with a socket; with `loopback` the gateway itself knows. */
  readonly gatewayUrl: string | undefined;
}

export interface JobOwner {
  readonly runId: RunId;
  readonly epoch: number;
}

/** What must be known of a job before its place can be made. */
export interface Place {
  /** `[a-z0-9-]`, the same at every retry. */
  readonly name: string;
  readonly owner: JobOwner;
  readonly lane: LaneRef;
  /** Socket file of the gateway on the host; without it the job has no wire at all. */
  readonly socket?: string;
  readonly limits: JobLimits;
  /** Another image than the runner's. */
  readonly image?: ImageChoice;
}

export interface Job extends Place {
  /** Started in the lane's working copy (`Inside.repo`) if that is there, else in the directory that will hold it. */
  readonly argv: readonly string[];
  /**
   * All of the job's environment beside PATH, HOME and LANG: nothing of ours is inherited. PATH and LANG given here win. The local
   * runner adds the one variable it knows its processes by, MAESTRO_JOB.
   */
  readonly env: Readonly<Record<string, string>>;
  /** Files put below the job's fresh HOME before it starts, by relative path of at most 100 bytes; private and executable. */
  readonly files?: JobFiles;
}

/** Text or bytes, by path. */
export type JobFiles = Readonly<Record<string, string | Uint8Array>>;

/** A command of ours on a lane. It gets no wire, no input and no environment beside PATH, HOME and LANG. */
export interface Errand {
  readonly lane: LaneRef;
  readonly owner: JobOwner;
  readonly argv: readonly string[];
  /** Memory, processors and processes are the keeper's: those of the errand it was made for. */
  readonly limits: JobLimits;
}

/** Limits are enforced from outside. `idleMs` counts from the last byte the job printed. */
export interface JobLimits {
  readonly idleMs: number;
  readonly wallMs: number;
  readonly memoryBytes: number;
  readonly cpus: number;
  readonly pids: number;
  /** Bytes of output after which the job is ended. */
  readonly outputBytes: number;
}

export interface JobIo {
  /** Written to the job's standard input, which is then closed. */
  readonly stdin: string;
  /** Back-pressure of these holds the job's output back. They are not ended by the runner. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Ends the job when aborted. */
  readonly signal: AbortSignal;
}

/** Where an errand's output goes. Works like a job's. */
export type ErrandIo = Omit<JobIo, 'stdin'>;

/** How a job ended. The first reason wins: a job killed for silence is `idle`, whatever code that gave. */
export interface JobResult {
  readonly ending: 'exited' | 'idle' | 'wall' | 'output' | 'memory' | 'aborted';
  /** Exit code; 128 + n after signal n; undefined when it is not known. */
  readonly code: number | undefined;
  readonly durationMs: number;
}

/** Our side broke: engine gone, image missing, disk full. Worth another try later. */
export class InfrastructureError extends Error {
  override readonly name = 'InfrastructureError';
}
