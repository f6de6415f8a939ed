import type { RunId, SessionId, TaskKey } from './ids.ts';
import type { DefaultsUsed } from './defaults.ts';
import type { Steering } from './steering.ts';
import type { Check } from './evidence.ts';
import type { Outcome } from './outcome.ts';
import type { PlaybookSettings, PlaybookSource } from './playbook.ts';
import type { Question } from './question.ts';
import type { Actor, Repository } from './repository.ts';
import type { Trigger } from './trigger.ts';
import type { Usage } from './usage.ts';

/**
 * `queued` nobody works on it yet · `running` a worker holds its lease · `parked` waits until `parkedUntil`, holding nothing ·
 * the other three are final. `succeeded` means: every task was committed or had nothing to change.
 */
export type RunState = 'queued' | 'running' | 'parked' | 'succeeded' | 'failed' | 'stopped';

/** One execution of one playbook on one branch. Facts first, then what changes while it runs. */
export interface Run {
  readonly id: RunId;
  readonly naturalKey: string;
  readonly repository: Repository;
  readonly trigger: Trigger;
  readonly requester: Actor;
  readonly playbook: PlaybookSource;
  /** The playbook's, and for what it leaves open those of the defaults. */
  readonly settings: PlaybookSettings;
  /** The files of defaults that had a say in them. */
  readonly defaults?: readonly DefaultsUsed[];
  readonly title: string;
  readonly provider: string;
  /** Providers that take over, in this order, when `provider` can't go on; none when left out. */
  readonly fallbacks?: readonly string[];
  readonly model: string | undefined;
  /** Extra words of the person who asked, given to every task's prompt. */
  readonly instructions: string;
  /** The earlier conversation its first task goes on with, if it was asked to. */
  readonly resume?: Resume;
  /** The playbook file it is to write from an issue, for a run that does nothing else. */
  readonly plan?: { readonly path: string };
  /** Branch and commit the work starts from; `sha` is resolved when the trigger is accepted. */
  readonly base: { readonly ref: string; readonly sha: string };
  /** Always below `maestro/`. */
  readonly branch: string;
  readonly createdAt: number;

  readonly state: RunState;
  /** One sentence on why the run is in this state, where that needs saying. */
  readonly reason: string | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  readonly parkedUntil: number | undefined;
  /** What a parked run waits for beside the time: a person's answer to a question, or to what is to become of a task that failed. */
  readonly waitsFor?: 'answer' | undefined;
  /** The commit we last pushed to the branch; the base's before the first push. */
  readonly tip: string;
  /** Where the branch is on GitHub, while that is not `tip`: the run was rewound and the branch not yet. */
  readonly pushed?: string | undefined;
  readonly pullRequest: PullRequestRef | undefined;
  readonly statusCommentId: number | undefined;
  /** Set by a person; the worker ends the run at the next point where it can. */
  readonly stop: StopRequest | undefined;
  /** What has kept the run from getting further; undefined before it was first taken up. */
  readonly setbacks: Setbacks | undefined;
  /** How many orders people have given it, and what those taken in have come to. */
  readonly orders?: number;
  readonly steering?: Steering | undefined;
}

/** An earlier conversation of an agent, about the same repository. */
export interface Resume {
  /** Under which it is kept: the id of our session, or what it was imported as. */
  readonly session: string;
  /** The provider's own id of it. */
  readonly conversation: string;
}

/** Counted since a task of the run was last settled. */
export interface Setbacks {
  /** How often something nobody foresaw threw the run off its path. */
  readonly tries: number;
  /** How often in a row the run had to wait for GitHub or for our own side. */
  readonly waits: number;
  /** How often in a row a worker took the run up, began no session and left no word. The one at work counts. */
  readonly lives: number;
  /** How many workers in a row died while they had the run at hand. The one at work counts until it leaves word. Missing: none. */
  readonly deaths?: number;
  /** Since when the run waits for a worker that has nothing else at hand. Epoch milliseconds; missing while it does not. */
  readonly aloneSince?: number;
  /** Whether people were told so. */
  readonly aloneTold?: boolean;
}

export interface PullRequestRef {
  readonly number: number;
  readonly url: string;
  readonly draft: boolean;
}

export interface StopRequest {
  readonly by: string;
  readonly reason: string;
  readonly at: number;
}

/** One task of a run, with how far it got. `position` is 1-based in document order. */
export interface RunTask {
  readonly runId: RunId;
  readonly key: TaskKey;
  readonly position: number;
  readonly title: string;
  readonly text: string;
  readonly attempts: number;
  /** Attempts that do not count any more, because a person asked for the task again; none when omitted. */
  readonly since?: number;
  readonly outcome: Outcome | undefined;
  readonly usage: Usage;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
  /** Which provider took the task over, when the one asked for could not go on. */
  readonly handover?: Handover | undefined;
  /** What its agents asked of people, oldest first. */
  readonly questions?: readonly Question[];
  /** What its agents left for later tasks to know, oldest first. */
  readonly notes?: readonly string[];
  /** Who added it after the run began; undefined for a task of the playbook. */
  readonly added?: { readonly by: string };
}

/** That a task went to another provider than the one that was asked for, and why: `claude-code is out of quota until …`. */
export interface Handover {
  readonly provider: string;
  readonly reason: string;
}

/** One attempt at one task by one provider. Logs are in the file `log`, one JSON line per event. */
export interface Session {
  readonly id: SessionId;
  readonly runId: RunId;
  readonly taskKey: TaskKey;
  readonly attempt: number;
  readonly provider: string;
  readonly runner: string;
  /** The provider's own id of the conversation, once it has told us. */
  readonly conversation: string | undefined;
  /** Image by digest the session ran in; undefined outside a container. */
  readonly image: string | undefined;
  readonly log: string;
  /** Bytes on disk of the CLI's own files of the conversation; undefined when none are kept. */
  readonly kept?: number;
  readonly startedAt: number;
  readonly endedAt: number | undefined;
  readonly outcome: Outcome | undefined;
  readonly usage: Usage;
  /** The playbook's checks that were run on its work, up to the first that failed. */
  readonly checks?: readonly Check[];
}

/** Whether nothing more will happen to a run. */
export function isFinal(state: RunState): boolean {
  return state === 'succeeded' || state === 'failed' || state === 'stopped';
}

/** The verdict of a run whose tasks have all been looked at: true, or the state says otherwise (design §7, P3). */
export function verdict(tasks: readonly RunTask[], stop: StopRequest | undefined): 'succeeded' | 'failed' | 'stopped' {
  if (tasks.every(isThrough)) return 'succeeded';
  return stop === undefined ? 'failed' : 'stopped';
}

/** Whether nothing is left to do at a task: committed, nothing to change, or skipped because a person said so. */
export function isThrough({ outcome }: Pick<RunTask, 'outcome'>): boolean {
  return outcome?.kind === 'committed' || outcome?.kind === 'no-change' || outcome?.kind === 'skipped';
}

/** Tasks that are done: committed, or nothing to change. */
export function doneCount(tasks: readonly RunTask[]): number {
  return tasks.filter((task) => task.outcome?.kind === 'committed' || task.outcome?.kind === 'no-change').length;
}
