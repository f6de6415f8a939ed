import type { Repository } from '../domain/repository.ts';
import type {
  CommentEvent,
  IssueClosedEvent,
  IssueLabelEvent,
  IssueSnapshot,
  PullRequestClosedEvent,
  PushEvent,
  Sender,
} from '../domain/webhook.ts';

/** What may be found by looking through a repository, rather than told. */
export type FoundEvent = IssueLabelEvent | IssueClosedEvent | PullRequestClosedEvent | CommentEvent | PushEvent;

/** A found event in the shape GitHub would have told it in, as far as `readPayload` reads it: what that gives is the same again. */
export function asPayload(event: FoundEvent): {
  readonly event: string;
  readonly action: string | undefined;
  readonly payload: Readonly<Record<string, unknown>>;
} {
  const common = { ...installed(event.repository), sender: asAccount(event.sender) };
  switch (event.kind) {
    case 'labeled':
    case 'unlabeled': {
      const payload = { issue: asIssue(event.issue, event.at), label: { name: event.label }, ...common };
      return { event: 'issues', action: event.kind, payload: { action: event.kind, ...payload } };
    }
    case 'closed': {
      const payload = { issue: asIssue(event.issue, event.at), ...common };
      return { event: 'issues', action: 'closed', payload: { action: 'closed', ...payload } };
    }
    case 'pull-request-closed': {
      const { number, merged, at } = event;
      const payload = { pull_request: { number, merged, updated_at: iso(at) }, ...common };
      return { event: 'pull_request', action: 'closed', payload: { action: 'closed', ...payload } };
    }
    case 'comment': {
      const comment = { id: event.comment.id, body: event.comment.body, created_at: iso(event.at) };
      const payload = { issue: asIssue(event.issue, event.at), comment, ...common };
      return { event: 'issue_comment', action: 'created', payload: { action: 'created', ...payload } };
    }
    case 'push': {
      const { ref, before, after, messages } = event;
      const repository = { ...common.repository, pushed_at: Math.floor(event.at / 1000) };
      const commits = messages.map((message) => ({ message }));
      const payload = { ref, before, after, commits, head_commit: null, ...common, repository };
      return { event: 'push', action: undefined, payload };
    }
  }
}

function installed({ id, name, owner, defaultBranch, installationId }: Repository) {
  return {
    repository: { id, name, owner: { login: owner }, default_branch: defaultBranch },
    installation: { id: installationId },
  };
}

function asAccount({ id, login, bot }: Sender) {
  return { id, login, type: bot ? 'Bot' : 'User' };
}

function asIssue({ number, title, body, open, isPullRequest, labels }: IssueSnapshot, at: number) {
  return {
    number,
    title,
    body,
    state: open ? 'open' : 'closed',
    labels: labels.map((name) => ({ name })),
    updated_at: iso(at),
    ...(isPullRequest ? { pull_request: {} } : {}),
  };
}

function iso(at: number): string {
  return new Date(at).toISOString();
}
