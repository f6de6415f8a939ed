import type { Repository } from '../domain/repository.ts';
import type { CommentEvent, IssueLabelEvent, IssueSnapshot, PushEvent, Sender } from '../domain/webhook.ts';

/** What may be found by looking through a repository, rather than told. */
export type FoundEvent = IssueLabelEvent | CommentEvent | PushEvent;

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
