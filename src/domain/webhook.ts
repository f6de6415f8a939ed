import type { Actor, Repository } from './repository.ts';

/**
 * What the app hears, freed from GitHub's payload shapes. Times are epoch milliseconds as GitHub states them in the event,
 * texts are as they were when it fired (promise P10), shas are full hex object names.
 */
export type WebhookEvent =
  | IssueLabelEvent
  | IssueClosedEvent
  | PullRequestClosedEvent
  | CommentEvent
  | CommentEditedEvent
  | PushEvent
  | AccessEvent;

/** The account that did something. `bot` is its type as GitHub states it: never guessed from the name. */
export interface Sender extends Actor {
  readonly bot: boolean;
}

/** An issue or pull request as the event carries it. Labels are in lower case: GitHub holds them equal without regard to it. */
export interface IssueSnapshot {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly open: boolean;
  readonly isPullRequest: boolean;
  readonly labels: readonly string[];
}

interface Heard {
  readonly repository: Repository;
  readonly sender: Sender;
  readonly at: number;
}

export interface IssueLabelEvent extends Heard {
  readonly kind: 'labeled' | 'unlabeled';
  readonly issue: IssueSnapshot;
  /** In lower case. */
  readonly label: string;
}

export interface IssueClosedEvent extends Heard {
  readonly kind: 'closed';
  readonly issue: IssueSnapshot;
}

/** A pull request was closed: merged, by hand, or because its branch was deleted. */
export interface PullRequestClosedEvent extends Heard {
  readonly kind: 'pull-request-closed';
  readonly number: number;
  readonly merged: boolean;
}

export interface CommentEvent extends Heard {
  readonly kind: 'comment';
  readonly issue: IssueSnapshot;
  readonly comment: { readonly id: number; readonly body: string };
}

export interface CommentEditedEvent extends Heard {
  readonly kind: 'comment-edited';
  readonly issue: IssueSnapshot;
  readonly comment: {
    readonly id: number;
    readonly authorId: number;
    readonly body: string;
    /** What it said before the edit. */
    readonly before: string;
  };
}

export interface PushEvent extends Heard {
  readonly kind: 'push';
  /** Full ref, `refs/heads/…`. */
  readonly ref: string;
  /** All zeros when the branch is new. */
  readonly before: string;
  /** All zeros when the branch was deleted. */
  readonly after: string;
  /** Messages of the pushed commits GitHub tells about (at most 2,048 of them). */
  readonly messages: readonly string[];
}

/** We were shut out of an installation or of some of its repositories. */
export interface AccessEvent {
  readonly kind: 'access-ended';
  readonly scope:
    | { readonly kind: 'installation'; readonly id: number }
    | { readonly kind: 'repositories'; readonly ids: readonly number[] };
  /** Login of who did it. */
  readonly by: string;
  /** For the run's page: `the App was uninstalled`. */
  readonly reason: string;
  readonly at: number;
}

/** Whose events count: our own never, a bot's only when its numeric id is allowed (threats S07, S08). */
export interface SenderRules {
  readonly selfId: number;
  readonly allowedBots: readonly number[];
}

/** Why a sender's events are dropped without an answer; undefined for a sender whose role is to be asked. */
export function ignoredSender(sender: Sender, rules: SenderRules): string | undefined {
  if (sender.id === rules.selfId) return 'own event';
  if (sender.bot && !rules.allowedBots.includes(sender.id)) return `bot ${sender.login} is not on the allow-list`;
  return undefined;
}

const ZERO_SHA = /^0+$/;

/** Whether a sha of a push event stands for "no commit". */
export function isZeroSha(sha: string): boolean {
  return ZERO_SHA.test(sha);
}

/** Why a push cannot start anything, whatever it changed; undefined for a push to look into (threats S08, S14). */
export function ignoredPush(push: PushEvent, branchPrefix: string): string | undefined {
  if (!push.ref.startsWith('refs/heads/')) return 'not a branch';
  const branch = push.ref.slice('refs/heads/'.length);
  if (branch.startsWith(branchPrefix)) return 'a branch of ours';
  if (branch !== push.repository.defaultBranch) return 'not the default branch';
  if (isZeroSha(push.after)) return 'the branch was deleted';
  return undefined;
}
