import type { Actor, Repository } from '../domain/repository.ts';
import type { IssueSnapshot, Sender } from '../domain/webhook.ts';
import type { PullRequestRef } from '../domain/run.ts';

/**
 * GitHub, through an installation token. Verbs that begin with `ensure` find what is there, by a key of ours, before they make
 * anything, so that doing them twice gives one thing. Every method rejects with `ForgeError` when GitHub says no.
 */
export interface Forge {
  /** The App's own bot account: what it writes is known by this id. */
  self(): Promise<Actor>;
  /** The repository as it is called now, by id. `ForgeError` of kind `gone` when the App can't see it any more. */
  repository(repository: Repository): Promise<Repository>;
  /** A text without the values of any secret we hold, in the spellings they may leak in: for what leaves by another way than this. */
  redact(text: string): string;
  /** The repository's page, for people. */
  webUrl(repository: Repository): string;
  /** How much may be written to GitHub now that could as well be left out, from 1 to 0 (nothing: it would take the place of what must be said). */
  writeRoom(): number;
  /** The role GitHub gives a user there. Anything but a clear answer rejects: whoever asks must then refuse. */
  role(repository: Repository, login: string): Promise<Role>;
  /** What the repository takes on GitHub's disks, in bytes: a little behind the truth, and good enough to tell giants by. */
  size(repository: Repository): Promise<number>;
  /** The commit a branch points to; undefined when there is no such branch. */
  branchHead(repository: Repository, branch: string): Promise<string | undefined>;
  /** A file's text at a commit; undefined when there is none. Rejects with kind `invalid` if it is no UTF-8 text or over 1 MB. */
  readFile(repository: Repository, path: string, sha: string): Promise<FileContent | undefined>;
  /** Files below `directory` at a commit, with their blobs. */
  listFiles(repository: Repository, directory: string, sha: string): Promise<readonly FileEntry[]>;
  /** The repository `.github` of the same owner, for what an organisation says of all its repositories; undefined where the App can't read it. */
  dotGithub(repository: Repository): Promise<Repository | undefined>;
  /** An issue or pull request as it is now. */
  issue(repository: Repository, number: number): Promise<IssueState | undefined>;
  /** Replaces an issue's body if it still is `expected`; says whether it did. */
  replaceIssueBody(repository: Repository, number: number, expected: string, body: string): Promise<boolean>;

  /** Finds the pull request we opened from a head branch whatever its state, or opens it. */
  ensurePullRequest(repository: Repository, request: PullRequestRequest): Promise<PullRequestState>;
  /** The pull request we opened from a branch, whatever its state; not one that somebody else opened from it. */
  findPullRequest(repository: Repository, branch: string): Promise<PullRequestState | undefined>;
  /** Replaces title and body. */
  describePullRequest(
    repository: Repository,
    number: number,
    text: { readonly title: string; readonly body: string; readonly record?: unknown },
  ): Promise<void>;
  /** Takes a pull request out of draft; fine if it is out, or closed. */
  markReady(repository: Repository, number: number): Promise<void>;
  /** Makes a pull request a draft again; fine if it is one, or closed. */
  markDraft(repository: Repository, number: number): Promise<void>;
  /**
   * The one comment of ours with this key in a thread, made or edited to say `body`. Returns its id. `known` is the id it had before:
   * by that it is found whatever people have made of its text.
   */
  ensureComment(repository: Repository, thread: number, key: string, body: string, known?: number): Promise<number>;
  /** The one check run of ours with this key on a commit. */
  ensureCheck(repository: Repository, check: CheckRequest): Promise<void>;
  /** Gives an issue or pull request exactly this one of our state labels; undefined takes them all off. */
  setStateLabel(repository: Repository, number: number, state: StateLabel | undefined): Promise<void>;
  react(repository: Repository, target: ReactionTarget, content: Reaction): Promise<void>;

  /** Where to fetch from and push to, with a fresh short-lived token for this one repository. Never stored, never logged. */
  gitAccess(repository: Repository): Promise<GitAccess>;
}

/** What GitHub remembers of the webhook deliveries it made to the App, which is about the last three days. */
export interface HookLog {
  /** A page of delivery attempts, newest first, and the cursor of the next; `cursor` is undefined for the first. */
  hookAttempts(cursor: string | undefined): Promise<HookPage>;
  /** Asks GitHub to make an attempt again, under the same GUID. */
  redeliver(attempt: HookAttempt['id']): Promise<void>;
}

export interface HookPage {
  readonly attempts: readonly HookAttempt[];
  readonly next: string | undefined;
}

/** One attempt of GitHub at delivering one event; all attempts at it share `guid`. */
export interface HookAttempt {
  /** A number of up to 64 bits, in decimal digits. */
  readonly id: string;
  readonly guid: string;
  /** Epoch milliseconds on GitHub's clock. */
  readonly at: number;
  /** Whether the App answered with success. */
  readonly ok: boolean;
  readonly event: string;
  readonly action: string | undefined;
}

/** How the App is registered with GitHub, which people can change there at any time. */
export interface Registration {
  registration(): Promise<AppFacts>;
}

export interface AppFacts {
  readonly name: string;
  /** Level by permission, `read` or `write`, as in the App's manifest. */
  readonly permissions: Readonly<Record<string, string>>;
  readonly events: readonly string[];
  readonly webhook: {
    readonly url: string | undefined;
    readonly contentType: string | undefined;
    readonly verifiesTls: boolean;
  };
  /** The first 100. Each keeps the permissions it was granted until its owner grants new ones. */
  readonly installations: readonly {
    readonly id: number;
    readonly account: string;
    readonly suspended: boolean;
    readonly permissions: Readonly<Record<string, string>>;
  }[];
  /** How far our clock is ahead of GitHub's, in milliseconds, to about a second; undefined when GitHub did not say its time. */
  readonly clockAhead: number | undefined;
}

/** What happened in repositories while nobody told us. Times are epoch milliseconds on GitHub's clock. */
export interface Survey {
  /** The repositories of every installation that is neither suspended nor archived, each with when the App was installed. */
  installedRepositories(): Promise<readonly InstalledRepository[]>;
  /** Open issues, without pull requests, that changed at `since` or later. */
  changedIssues(repository: Repository, since: number): Promise<readonly SurveyedIssue[]>;
  /** One issue or pull request; undefined when it is gone. */
  surveyedIssue(repository: Repository, number: number): Promise<SurveyedIssue | undefined>;
  /** Every label that was put on an issue or taken off it, and by whom, oldest first. */
  labelings(repository: Repository, issue: number): Promise<readonly Labeling[]>;
  /** Comments made at `since` or later and never edited, oldest first. */
  newComments(repository: Repository, since: number): Promise<readonly SurveyedComment[]>;
  /** A comment's text as it is now; undefined when it is gone. */
  commentBody(repository: Repository, id: number): Promise<string | undefined>;
  /** Pushes to a branch at `since` or later, oldest first. */
  pushesTo(repository: Repository, branch: string, since: number): Promise<readonly SurveyedPush[]>;
  /** Pull requests the App opened from branches of the repository itself: all that are open, and others that changed since. */
  ourPullRequests(repository: Repository, since: number): Promise<readonly OurPullRequest[]>;
  /** Commits from a head back along first parents to, and without, `until`; the oldest first, the newest 1,000 at most. */
  commitsOn(repository: Repository, head: string, until: string): Promise<readonly SurveyedCommit[]>;
  /** Messages of the commits between two commits, as far as GitHub shows them (250). */
  messagesBetween(repository: Repository, before: string, after: string): Promise<readonly string[]>;
}

export interface InstalledRepository {
  readonly repository: Repository;
  readonly installedAt: number;
}

export interface OurPullRequest extends PullRequestState {
  readonly branch: string;
  readonly title: string;
  /** As the App wrote and signed it; undefined when there is none, or somebody changed it. */
  readonly record: unknown;
}

export interface SurveyedCommit {
  readonly sha: string;
  readonly message: string;
}

export interface SurveyedIssue {
  readonly issue: IssueSnapshot;
  readonly author: Sender;
  readonly updatedAt: number;
  /** Who closed it, and when; undefined while it is open, and in a list. */
  readonly closed: { readonly by: Sender; readonly at: number } | undefined;
}

export interface Labeling {
  readonly kind: 'labeled' | 'unlabeled';
  readonly id: number;
  /** In lower case. */
  readonly label: string;
  readonly sender: Sender;
  readonly at: number;
}

export interface SurveyedComment {
  readonly id: number;
  readonly thread: number;
  readonly body: string;
  readonly sender: Sender;
  readonly at: number;
  /** Reactions there are, of anybody. */
  readonly reactions: readonly Reaction[];
}

export interface SurveyedPush {
  readonly before: string;
  readonly after: string;
  readonly sender: Sender;
  readonly at: number;
}

/** Roles in falling order of might, as in `role_name`; custom roles come as the base role they extend. */
export type Role = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';

/** Whether a role may start and steer runs (promise P9). */
export function mayWrite(role: Role): boolean {
  return role === 'admin' || role === 'maintain' || role === 'write';
}

export interface FileContent {
  readonly text: string;
  readonly blob: string;
}

export interface FileEntry {
  readonly path: string;
  readonly blob: string;
  readonly size: number;
}

export interface IssueState {
  readonly number: number;
  readonly title: string;
  readonly body: string;
  readonly open: boolean;
  readonly author: Actor;
  readonly isPullRequest: boolean;
  /** In lower case. */
  readonly labels: readonly string[];
}

export interface PullRequestRequest {
  readonly head: string;
  readonly base: string;
  readonly title: string;
  readonly body: string;
  readonly draft: boolean;
  /** JSON value that the body carries, hidden and signed; `ourPullRequests` gives it back. */
  readonly record?: unknown;
}

export interface PullRequestState extends PullRequestRef {
  readonly open: boolean;
  readonly merged: boolean;
  readonly headSha: string;
  readonly body: string;
}

export interface CheckRequest {
  readonly key: string;
  readonly name: string;
  readonly headSha: string;
  readonly status: 'queued' | 'in_progress' | 'completed';
  /** Given exactly when completed. */
  readonly conclusion?: 'success' | 'failure' | 'neutral' | 'cancelled' | 'action_required';
  readonly title: string;
  readonly summary: string;
  /** More to read below the summary; what an earlier request said stays when it is left out. */
  readonly text?: string;
  readonly detailsUrl?: string;
  readonly annotations?: readonly CheckAnnotation[];
  /** Brings the check up to date only if it is there. */
  readonly unlessAbsent?: true;
}

export interface CheckAnnotation {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** Derived, owned by us, at most one at a time. */
export type StateLabel =
  | 'maestro-queued'
  | 'maestro-running'
  | 'maestro-waiting'
  | 'maestro-done'
  | 'maestro-failed'
  | 'maestro-stopped';

export type Reaction = 'eyes' | 'rocket' | 'hooray' | 'confused' | '+1';

export type ReactionTarget =
  | { readonly kind: 'issue'; readonly number: number }
  | { readonly kind: 'comment'; readonly id: number };

export interface GitAccess {
  readonly url: string;
  /** Value of an `Authorization` header. */
  readonly authorization: string;
}

/**
 * What GitHub's refusal means to us. `gone` the thing or our access to it is no more · `denied` a permission is missing ·
 * `invalid` it would not take what we sent · `limited` we were told to wait until `retryAt` · `unavailable` no usable answer.
 */
export class ForgeError extends Error {
  override readonly name = 'ForgeError';
  readonly kind: 'gone' | 'denied' | 'invalid' | 'limited' | 'unavailable';
  /** Epoch milliseconds, for `limited`. */
  readonly retryAt: number | undefined;
  constructor(
    kind: ForgeError['kind'],
    message: string,
    options: { readonly cause?: unknown; readonly retryAt?: number } = {},
  ) {
    super(message, { cause: options.cause });
    this.kind = kind;
    this.retryAt = options.retryAt;
  }
}
