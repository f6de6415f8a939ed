import type { Budget } from './budget.ts';
import type { TaskKey } from './ids.ts';

/**
 * Terms. A *playbook* is a markdown text with a checklist. A *task* is one checkbox that no other checkbox contains: the unit
 * that gets a session and a commit of its own. A *sub-step* is a checkbox inside a task: it belongs to the task's prompt and is
 * ticked with it. A *problem* is a positioned complaint about the text.
 */
export interface Playbook {
  /** The first heading, else undefined. */
  readonly title: string | undefined;
  readonly settings: PlaybookSettings;
  /** Tasks and sub-steps in document order. */
  readonly boxes: readonly Box[];
  /** Empty for a playbook that may run. */
  readonly problems: readonly Problem[];
}

/** One checkbox of the document. */
export interface Box {
  readonly key: TaskKey;
  /** Visible text of the box's first paragraph, on one line. */
  readonly title: string;
  /** The source of the whole list item, without its marker and outer indentation: what the agent is told. */
  readonly text: string;
  /** 1-based line and column of the `[` of the checkbox. */
  readonly line: number;
  readonly column: number;
  /** UTF-16 offset in the source of the character between the brackets: the only one ticking changes. */
  readonly offset: number;
  readonly checked: boolean;
  /** Key of the box that contains this one; undefined for a task. */
  readonly parent: TaskKey | undefined;
}

/** Something a person has to mend in a text of theirs. Lines and columns are 1-based. */
export interface Problem {
  readonly line: number;
  readonly column: number;
  /** What is wrong, in one sentence. */
  readonly message: string;
  /** What to write instead, in one sentence. */
  readonly fix: string;
}

/** Front matter of a playbook, validated (design §6). Durations are milliseconds. */
export interface PlaybookSettings {
  readonly provider?: string;
  /** Providers that take over, in this order, when `provider` can't go on. */
  readonly fallbacks?: readonly string[];
  readonly model?: string;
  readonly effort?: 'low' | 'medium' | 'high';
  readonly context?: 'fresh' | 'handoff' | 'document';
  /** Hosts its agents may reach, of those the operator allows; all of them when left out. */
  readonly hosts?: readonly string[];
  readonly setup?: readonly string[];
  readonly verify?: readonly string[];
  readonly parallel?: number;
  readonly after?: readonly string[];
  readonly loop?: boolean;
  readonly maxLoops?: number;
  readonly reset?: boolean;
  readonly budget?: Budget;
  readonly timeout?: number;
  readonly onFailure?: 'stop' | 'continue' | 'ask';
  /** What becomes of a question that nobody answers within `answerWithin`. */
  readonly onNoAnswer?: 'wait' | 'continue' | 'stop';
  readonly answerWithin?: number;
  readonly reviewers?: readonly string[];
  readonly schedule?: string;
}

/** Where a run's playbook comes from, with its text as it was when the trigger fired (promise P10). */
export type PlaybookSource =
  /** A committed markdown file; ticks land in the file, in the task's own commit. */
  | { readonly kind: 'file'; readonly path: string; readonly text: string }
  /** An issue whose body holds a checklist; ticks land in the issue body. */
  | { readonly kind: 'checklist'; readonly issue: number; readonly title: string; readonly text: string }
  /** An issue that is itself the one task. */
  | { readonly kind: 'issue'; readonly issue: number; readonly title: string; readonly text: string };

/** How long one session may take, by what the playbook says and the operator's limits. Milliseconds. */
export function sessionWallMs(
  { timeout }: Pick<PlaybookSettings, 'timeout'>,
  operator: { readonly wallMs: number; readonly mostWallMs: number },
): number {
  return Math.min(timeout ?? operator.wallMs, operator.mostWallMs);
}
