/** What the server remembers besides git: plain JSON, so that a snapshot of it is a file. Times are ISO 8601 text. */
export interface World {
  nextId: number;
  app: AppRecord;
  accounts: Record<number, Account>;
  installations: Record<number, Installation>;
  repositories: Record<number, Repository>;
  labels: Record<number, Label>;
  issues: Record<number, Issue>;
  comments: Record<number, Comment>;
  reactions: Record<number, Reaction>;
  checkRuns: Record<number, CheckRun>;
  reviews: Record<number, Review>;
  issueEvents: IssueEvent[];
  activities: Activity[];
  tokens: Record<string, Token>;
  deliveries: Delivery[];
}

export type Role = 'admin' | 'maintain' | 'write' | 'triage' | 'read' | 'none';
export type Level = 'read' | 'write';
export type Permissions = Readonly<Record<string, Level>>;

export interface AppRecord {
  id: number;
  slug: string;
  name: string;
  ownerId: number;
  botUserId: number;
  privateKey: string;
  publicKey: string;
  webhookSecret: string;
  webhookUrl: string | null;
  hookId: number;
  permissions: Permissions;
  events: string[];
  createdAt: string;
}

export interface Account {
  id: number;
  login: string;
  type: 'User' | 'Bot' | 'Organization';
  name: string | null;
  createdAt: string;
}

export interface Installation {
  id: number;
  accountId: number;
  repositorySelection: 'all' | 'selected';
  /** Which ones, when selected. */
  repositoryIds: number[];
  permissions: Permissions;
  suspendedAt: string | null;
  suspendedById: number | null;
  createdAt: string;
  updatedAt: string;
}

export interface Repository {
  id: number;
  ownerId: number;
  name: string;
  /** `owner/name` of earlier days, lower case: GitHub redirects from them. */
  formerNames: string[];
  description: string | null;
  private: boolean;
  defaultBranch: string;
  /** Roles by account id. The owner is admin without an entry. */
  roles: Record<number, Role>;
  protectedBranches: string[];
  /** Kilobytes, as a test says it has; the real size is not measured. */
  size?: number;
  nextNumber: number;
  createdAt: string;
  updatedAt: string;
  pushedAt: string;
}

export interface Label {
  id: number;
  repositoryId: number;
  name: string;
  color: string;
  description: string | null;
}

/** An issue or, with `pull`, a pull request: GitHub numbers, labels and comments them alike. */
export interface Issue {
  id: number;
  repositoryId: number;
  number: number;
  title: string;
  body: string | null;
  state: 'open' | 'closed';
  stateReason: 'completed' | 'not_planned' | 'reopened' | null;
  userId: number;
  viaApp: boolean;
  labelIds: number[];
  assigneeIds: number[];
  createdAt: string;
  updatedAt: string;
  closedAt: string | null;
  closedById: number | null;
  pull: PullRequest | null;
}

export interface PullRequest {
  id: number;
  headRef: string;
  headSha: string;
  baseRef: string;
  baseSha: string;
  draft: boolean;
  mergedAt: string | null;
  mergedById: number | null;
  mergeCommitSha: string | null;
  requestedReviewerIds: number[];
}

export interface Comment {
  id: number;
  repositoryId: number;
  issueId: number;
  userId: number;
  viaApp: boolean;
  body: string;
  createdAt: string;
  updatedAt: string;
}

export interface Reaction {
  id: number;
  target: 'issue' | 'comment';
  targetId: number;
  userId: number;
  content: ReactionContent;
  createdAt: string;
}

export const REACTIONS = ['+1', '-1', 'laugh', 'confused', 'heart', 'hooray', 'rocket', 'eyes'] as const;
type ReactionContent = (typeof REACTIONS)[number];

export interface CheckRun {
  id: number;
  repositoryId: number;
  suiteId: number;
  name: string;
  headSha: string;
  externalId: string;
  detailsUrl: string | null;
  status: string;
  conclusion: string | null;
  startedAt: string;
  completedAt: string | null;
  title: string | null;
  summary: string | null;
  text: string | null;
  annotations: Annotation[];
}

interface Annotation {
  path: string;
  start_line: number;
  end_line: number;
  start_column?: number | undefined;
  end_column?: number | undefined;
  annotation_level: 'notice' | 'warning' | 'failure';
  message: string;
  title?: string | undefined;
  raw_details?: string | undefined;
}

export interface Review {
  id: number;
  issueId: number;
  userId: number;
  body: string;
  state: 'APPROVED' | 'CHANGES_REQUESTED' | 'COMMENTED' | 'PENDING';
  commitSha: string;
  submittedAt: string;
}

type Token = UserToken | InstallationToken;

export interface UserToken {
  kind: 'user';
  token: string;
  userId: number;
}

export interface InstallationToken {
  kind: 'installation';
  token: string;
  installationId: number;
  /** Undefined: every repository of the installation. */
  repositoryIds?: number[] | undefined;
  permissions: Permissions;
  expiresAt: number;
}

/** A label that came to a thread or went from it. */
export interface IssueEvent {
  id: number;
  issueId: number;
  event: 'labeled' | 'unlabeled';
  actorId: number;
  viaApp: boolean;
  createdAt: string;
  label: { name: string; color: string };
}

/** A branch that moved. */
export interface Activity {
  id: number;
  repositoryId: number;
  actorId: number;
  ref: string;
  before: string;
  after: string;
  type: 'push' | 'force_push' | 'branch_creation' | 'branch_deletion' | 'pr_merge';
  at: string;
}

/** One attempt to deliver one webhook. */
export interface Delivery {
  id: number;
  guid: string;
  event: string;
  action: string | null;
  deliveredAt: string;
  redelivery: boolean;
  /** Seconds. */
  duration: number;
  status: string;
  statusCode: number;
  installationId: number | null;
  repositoryId: number | null;
  request: { headers: Record<string, string>; payload: Record<string, unknown> };
  response: { headers: Record<string, string>; payload: string | null };
}

/** The next id: one sequence for everything, so that no two things share one by accident. */
export function takeId(world: World): number {
  world.nextId += 1;
  return world.nextId;
}
