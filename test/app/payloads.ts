/** Webhook payloads as GitHub sends them, cut down to what anybody here reads plus some that nobody does. */

export const REPOSITORY = {
  id: 42,
  name: 'orchestra',
  full_name: 'acme/orchestra',
  owner: { id: 7, login: 'acme', type: 'Organization' },
  default_branch: 'main',
  private: true,
};
const INSTALLATION = { id: 5, node_id: 'x' };
export const WRITER = { id: 11, login: 'wanda', type: 'User' };
export const READER = { id: 12, login: 'rita', type: 'User' };

/** Epoch milliseconds of every event that doesn't say otherwise. */
export const NOON = Date.parse('2026-03-01T12:00:00Z');

export interface IssueOptions {
  readonly number?: number;
  readonly title?: string;
  readonly body?: string | null;
  readonly labels?: readonly string[];
  readonly state?: 'open' | 'closed';
  readonly pullRequest?: boolean;
  readonly at?: number;
}

export function issuePayload(options: IssueOptions = {}): Record<string, unknown> {
  return {
    id: 9000 + (options.number ?? 1),
    number: options.number ?? 1,
    title: options.title ?? 'Tune the violins',
    body: options.body === undefined ? 'They are a quarter tone low.' : options.body,
    state: options.state ?? 'open',
    labels: (options.labels ?? []).map((name, index) => ({ id: index, name, color: 'ededed' })),
    user: READER,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: new Date(options.at ?? NOON).toISOString().replace('.000Z', 'Z'),
    ...(options.pullRequest ? { pull_request: { url: 'https://api.github.com/x' } } : {}),
  };
}

export function labelPayload(
  action: 'labeled' | 'unlabeled',
  label: string,
  options: IssueOptions & { readonly sender?: unknown } = {},
): Record<string, unknown> {
  const labels = options.labels ?? (action === 'labeled' ? [label] : []);
  return {
    action,
    issue: issuePayload({ ...options, labels }),
    label: { id: 77, name: label, color: 'ededed' },
    repository: REPOSITORY,
    installation: INSTALLATION,
    sender: options.sender ?? WRITER,
  };
}

export function closedPayload(options: IssueOptions & { readonly sender?: unknown } = {}): Record<string, unknown> {
  return {
    action: 'closed',
    issue: issuePayload({ ...options, state: 'closed' }),
    repository: REPOSITORY,
    installation: INSTALLATION,
    sender: options.sender ?? WRITER,
  };
}

export function pullClosedPayload(
  options: { readonly number?: number; readonly merged?: boolean; readonly sender?: unknown } = {},
): Record<string, unknown> {
  const { number = 2, merged = false, sender = WRITER } = options;
  return {
    action: 'closed',
    pull_request: { ...issuePayload({ number, state: 'closed' }), merged },
    repository: REPOSITORY,
    installation: INSTALLATION,
    sender,
  };
}

export function commentPayload(
  body: string,
  options: IssueOptions & { readonly sender?: unknown; readonly commentId?: number } = {},
): Record<string, unknown> {
  return {
    action: 'created',
    issue: issuePayload(options),
    comment: {
      id: options.commentId ?? 501,
      body,
      user: options.sender ?? WRITER,
      created_at: new Date(options.at ?? NOON).toISOString(),
    },
    repository: REPOSITORY,
    installation: INSTALLATION,
    sender: options.sender ?? WRITER,
  };
}

/** Somebody edits a comment: of our bot, unless said otherwise. */
export function editedPayload(
  before: string,
  after: string,
  options: IssueOptions & { readonly sender?: unknown; readonly commentId?: number; readonly author?: unknown } = {},
): Record<string, unknown> {
  const payload = commentPayload(after, options);
  const { comment } = payload as { readonly comment: object };
  const updated_at = new Date(options.at ?? NOON).toISOString();
  const user = options.author ?? { id: 1000, login: 'maestro[bot]', type: 'Bot' };
  return {
    ...payload,
    action: 'edited',
    comment: { ...comment, user, updated_at },
    changes: { body: { from: before } },
  };
}

export function pushPayload(options: {
  readonly before: string;
  readonly after: string;
  readonly ref?: string;
  readonly messages?: readonly string[];
  readonly sender?: unknown;
  readonly at?: number;
}): Record<string, unknown> {
  const commits = (options.messages ?? ['Write it down']).map((message) => ({
    id: options.after,
    message,
    timestamp: '2026-03-01T11:59:00Z',
    added: [],
    removed: [],
    modified: [],
  }));
  return {
    ref: options.ref ?? 'refs/heads/main',
    before: options.before,
    after: options.after,
    created: /^0+$/.test(options.before),
    deleted: /^0+$/.test(options.after),
    forced: false,
    commits,
    head_commit: commits.at(-1) ?? null,
    repository: { ...REPOSITORY, pushed_at: (options.at ?? NOON) / 1000 },
    installation: INSTALLATION,
    pusher: { name: 'wanda' },
    sender: options.sender ?? WRITER,
  };
}

/** A sha that reads as what it stands for. */
export function sha(name: string): string {
  return Buffer.from(name).toString('hex').padEnd(40, '0').slice(0, 40);
}

export const NO_COMMIT = '0'.repeat(40);
