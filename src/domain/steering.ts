import type { Amount } from './budget.ts';
import type { TaskKey } from './ids.ts';

/** What a person asks of a run. Tasks are named by their position in the document, from 1. */
export type Order =
  | { readonly kind: 'pause' }
  /** Goes on: after a pause, before the end of a wait, or where the run ended with something left to do. */
  | { readonly kind: 'resume'; /** What the run may spend beyond its budget. */ readonly budget?: Amount }
  /** Words that go into the prompt of every task from now on. */
  | { readonly kind: 'steer'; readonly words: string }
  /** Does a task again that failed, was stopped or was skipped; with words for it alone, or none. */
  | { readonly kind: 'retry'; readonly task: number; readonly words: string }
  | { readonly kind: 'skip'; readonly task: number; readonly reason: string }
  /** Takes a task's commit back, with all that were made after it, and goes on from there; with words for it alone, or none. */
  | { readonly kind: 'redo'; readonly task: number; readonly words: string }
  /** One more task at the end of the run; the first line of its text is its title. */
  | { readonly kind: 'add'; readonly text: string }
  /** Answers a question of an agent's: the one with this id, or the open one. */
  | { readonly kind: 'answer'; readonly question: string | undefined; readonly words: string }
  /** Takes up the tasks that an agent proposed, as they were when they had this hash. */
  | { readonly kind: 'approve'; readonly hash: string }
  | ExecOrder;

/** Runs a command on the work so far, beside it, and says what came of it in `thread`, an issue's or pull request's number. */
export interface ExecOrder {
  readonly kind: 'exec';
  readonly command: string;
  readonly thread: number;
}

export interface GivenOrder {
  /** 1, 2, 3 … within its run. */
  readonly number: number;
  /** The same for every delivery of the comment it was given in. */
  readonly key: string;
  readonly by: string;
  readonly at: number;
  readonly order: Order;
}

/** What the orders taken in so far have come to. */
export interface Steering {
  /** Number of the last order that was taken in. */
  readonly taken: number;
  readonly paused?: { readonly by: string; readonly at: number };
  /** What people added to the run's budget, in all. */
  readonly budget?: Amount;
  /** What people added, oldest first; with `task`, for that task alone. */
  readonly words: readonly SteeringWords[];
}

export interface SteeringWords {
  readonly by: string;
  readonly text: string;
  readonly task?: TaskKey;
}
