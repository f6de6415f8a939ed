import { z } from 'zod';
import type { WebhookEvent } from '../domain/webhook.ts';

/**
 * Reads GitHub's webhook payloads, as far as we use them, into what the app hears. This is the only place that knows their shape.
 */

/** Postgres takes neither NUL nor lone surrogates; what replaces them has the same length, so that offsets stay true. */
const text = z.string().transform((value) => value.replaceAll('\0', '\u{fffd}').toWellFormed());
const id = z.number().int().nonnegative();
const time = z.iso.datetime({ offset: true }).transform((value) => Date.parse(value));
const sha = z.string().regex(/^(?:[0-9a-f]{40}|[0-9a-f]{64})$/);

const sender = z
  .object({ id, login: text, type: z.string() })
  .transform((account) => ({ id: account.id, login: account.login, bot: account.type !== 'User' }));

const repository = z.object({
  id,
  name: text,
  owner: z.object({ login: text }),
  default_branch: text,
});

const heard = z
  .object({ repository, installation: z.object({ id }), sender })
  .transform(({ repository, installation, sender }) => ({
    sender,
    repository: {
      id: repository.id,
      owner: repository.owner.login,
      name: repository.name,
      installationId: installation.id,
      defaultBranch: repository.default_branch,
    },
  }));

const issue = z
  .object({
    number: id,
    title: text,
    body: text.nullish(),
    state: z.string(),
    pull_request: z.unknown().optional(),
    labels: z.array(z.object({ name: text })).default([]),
    updated_at: time,
  })
  .transform((issue) => ({
    at: issue.updated_at,
    issue: {
      number: issue.number,
      title: issue.title,
      body: issue.body ?? '',
      open: issue.state === 'open',
      isPullRequest: issue.pull_request !== undefined && issue.pull_request !== null,
      labels: issue.labels.map((label) => label.name.toLowerCase()),
    },
  }));

/** A pull request where an issue is expected: GitHub tells of its labels in an event of their own. */
const pullRequest = z
  .record(z.string(), z.unknown())
  .transform((pull): unknown => ({ ...pull, pull_request: {} }))
  .pipe(issue);

const pullLabelPayload = z.object({ pull_request: pullRequest, label: z.object({ name: text }) });
const labelPayload = z.object({ issue, label: z.object({ name: text }) });
const closedPayload = z.object({ issue });
const pullClosedPayload = z.object({
  pull_request: z.object({ number: id, merged: z.boolean(), updated_at: time }),
});
const commentPayload = z.object({ issue, comment: z.object({ id, body: text, created_at: time }) });
const editedPayload = z.object({
  issue,
  comment: z.object({ id, body: text, updated_at: time, user: z.object({ id }).nullish() }),
  changes: z.object({ body: z.object({ from: text }).optional() }).optional(),
});
const pushPayload = z.object({
  ref: text,
  before: sha,
  after: sha,
  commits: z.array(z.object({ message: text })).default([]),
  head_commit: z.object({ message: text, timestamp: time }).nullish(),
  repository: z.object({ pushed_at: z.union([z.number().transform((seconds) => seconds * 1_000), time]).nullish() }),
});
const accessPayload = z.object({ sender });
const installationPayload = z.object({ installation: z.object({ id }) });
const removedPayload = z.object({ repositories_removed: z.array(z.object({ id })) });
const repositoryPayload = z.object({ repository: z.object({ id }) });

/** A payload that lacks what its event must have. The message names the fields. */
export class BadPayload extends Error {
  override readonly name = 'BadPayload';
}

/** The events we subscribe to, as `event.action`, as Probot names them. */
export const EVENTS = [
  'issues.labeled',
  'issues.unlabeled',
  'issues.closed',
  'pull_request.labeled',
  'pull_request.closed',
  'issue_comment.created',
  'issue_comment.edited',
  'push',
  'installation.deleted',
  'installation.suspend',
  'installation_repositories.removed',
  'repository.deleted',
] as const;

export type EventName = (typeof EVENTS)[number];

/** The one of our events a delivery is; undefined for those we have no use for. */
export function eventName(event: string, action: string | undefined): EventName | undefined {
  const name = action === undefined ? event : `${event}.${action}`;
  return EVENTS.find((known) => known === name);
}

/**
 * What a payload says. `receivedAt` (epoch milliseconds) stands in where the event itself carries no time. Throws `BadPayload`
 * when it lacks something.
 */
export function readPayload(name: EventName, payload: unknown, receivedAt: number): WebhookEvent {
  switch (name) {
    case 'issues.labeled':
    case 'issues.unlabeled': {
      const { issue, label } = read(name, labelPayload, payload);
      const kind = name === 'issues.labeled' ? 'labeled' : 'unlabeled';
      return { kind, ...read(name, heard, payload), ...issue, label: label.name.toLowerCase() };
    }
    case 'pull_request.labeled': {
      const { pull_request, label } = read(name, pullLabelPayload, payload);
      return { kind: 'labeled', ...read(name, heard, payload), ...pull_request, label: label.name.toLowerCase() };
    }
    case 'issues.closed':
      return { kind: 'closed', ...read(name, heard, payload), ...read(name, closedPayload, payload).issue };
    case 'pull_request.closed': {
      const { number, merged, updated_at: at } = read(name, pullClosedPayload, payload).pull_request;
      return { kind: 'pull-request-closed', ...read(name, heard, payload), number, merged, at };
    }
    case 'issue_comment.created': {
      const { issue, comment } = read(name, commentPayload, payload);
      return {
        kind: 'comment',
        ...read(name, heard, payload),
        issue: issue.issue,
        comment: { id: comment.id, body: comment.body },
        at: comment.created_at,
      };
    }
    case 'issue_comment.edited': {
      const { issue, comment, changes } = read(name, editedPayload, payload);
      const { id, body } = comment;
      return {
        kind: 'comment-edited',
        ...read(name, heard, payload),
        issue: issue.issue,
        // Of an account that is gone the author is missing; without a change of the text it said the same before.
        comment: { id, body, authorId: comment.user?.id ?? 0, before: changes?.body?.from ?? body },
        at: comment.updated_at,
      };
    }
    case 'push': {
      const push = read(name, pushPayload, payload);
      const messages = push.commits.map((commit) => commit.message);
      return {
        kind: 'push',
        ...read(name, heard, payload),
        ref: push.ref,
        before: push.before,
        after: push.after,
        messages: push.head_commit ? [...messages, push.head_commit.message] : messages,
        at: push.repository.pushed_at ?? push.head_commit?.timestamp ?? receivedAt,
      };
    }
    case 'installation.deleted':
    case 'installation.suspend':
    case 'installation_repositories.removed':
    case 'repository.deleted':
      return readAccessEvent(name, payload, receivedAt);
  }
}

type AccessEventName = Extract<EventName, `${'installation' | 'installation_repositories' | 'repository'}.${string}`>;

function readAccessEvent(name: AccessEventName, payload: unknown, at: number): WebhookEvent {
  const by = read(name, accessPayload, payload).sender.login;
  const kind = 'access-ended';
  switch (name) {
    case 'installation.deleted':
    case 'installation.suspend': {
      const { installation } = read(name, installationPayload, payload);
      const reason = name === 'installation.deleted' ? 'the App was uninstalled' : 'the App was suspended';
      return { kind, scope: { kind: 'installation', id: installation.id }, by, reason, at };
    }
    case 'installation_repositories.removed': {
      const ids = read(name, removedPayload, payload).repositories_removed.map((repository) => repository.id);
      return { kind, scope: { kind: 'repositories', ids }, by, reason: 'the repository was taken from the App', at };
    }
    case 'repository.deleted': {
      const ids = [read(name, repositoryPayload, payload).repository.id];
      return { kind, scope: { kind: 'repositories', ids }, by, reason: 'the repository was deleted', at };
    }
  }
}

function read<T>(name: EventName, schema: z.ZodType<T>, payload: unknown): T {
  const result = schema.safeParse(payload);
  if (result.success) return result.data;
  throw new BadPayload(`the ${name} payload is not what GitHub documents: ${z.prettifyError(result.error)}`);
}
