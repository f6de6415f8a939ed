import type { SessionId } from './ids.ts';

/**
 * What an agent asked of people, and what they said. A task has its questions in the order they were asked; at most the last one is
 * open. While it is, the run waits and holds nothing.
 */
export interface Question {
  /** `q1`, `q2` … within its run: what `/maestro answer` names. */
  readonly id: string;
  /** `replan`: the agent proposes other tasks in place of those that are left. `failure`: what is to become of a task that failed. */
  readonly kind: 'ask' | 'replan' | 'failure';
  readonly text: string;
  /** Answers it offers; none for an open question. */
  readonly options: readonly string[];
  /** The proposal, for `replan`: the tasks that are to take the place of this one and of all that are left. */
  readonly tasks?: readonly ProposedTask[];
  /** The session that asked, or that failed. */
  readonly session: SessionId;
  readonly at: number;
  /** Commit in the mirror that holds the work so far, on top of the run's tip of then, and the branch it was pushed to. */
  readonly work?: { readonly commit: string; readonly ref: string };
  /** How often people were reminded. */
  readonly reminders?: number;
  readonly answer?: Answer;
}

/** A task as an agent would have it. */
export interface ProposedTask {
  readonly title: string;
  readonly text: string;
}

/** `by` is a login; undefined when nobody answered in time and the playbook says to go on. */
export interface Answer {
  readonly by: string | undefined;
  readonly at: number;
  /** Empty: nobody said anything, and the agent is to choose itself. */
  readonly text: string;
  /** That the task is left as it is, and the run goes on with the next one, or ends. Undefined: the task goes on. */
  readonly leads?: 'leave' | 'end';
}
