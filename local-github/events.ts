import { randomUUID } from 'node:crypto';
import type { Author, Hub } from './hub.ts';
import { accountById, installationOf, repositoryById } from './lookup.ts';
import { presentAccount } from './presenters/account.ts';
import type { Payload } from './presenters/account.ts';
import { presentCheckRun } from './presenters/check-run.ts';
import { presentComment, presentIssue, presentLabel } from './presenters/issue.ts';
import { nodeId } from './presenters/node-id.ts';
import { isPull, presentPull } from './presenters/pull.ts';
import { presentRepository } from './presenters/repository.ts';
import { pullNumbers } from './pull-numbers.ts';
import type { Account, CheckRun, Comment, Installation, Issue, Label, Repository } from './state.ts';

// Every App gets these without subscribing.
const ALWAYS_SENT: ReadonlySet<string> = new Set(['installation', 'installation_repositories']);

/** Tells the App that something happened in a repository, if it is installed there, not suspended, and subscribed. */
export function emit(
  hub: Hub,
  event: string,
  happening: { readonly repository: Repository; readonly sender: Account; readonly payload: Payload },
): void {
  const installation = installationOf(hub.world, happening.repository);
  if (installation === undefined || installation.suspendedAt !== null) return;
  send(hub, event, {
    installation,
    repositoryId: happening.repository.id,
    payload: {
      ...happening.payload,
      repository: happening.payload['repository'] ?? presentRepository(hub, happening.repository),
      ...organizationOf(hub, happening.repository),
      sender: presentAccount(hub, happening.sender),
      installation: { id: installation.id, node_id: nodeId('installation', installation.id) },
    },
  });
}

/** Tells the App about one of its installations. */
export function emitInstallation(
  hub: Hub,
  event: 'installation' | 'installation_repositories',
  happening: { readonly installation: Installation; readonly sender: Account; readonly payload: Payload },
): void {
  send(hub, event, {
    installation: happening.installation,
    repositoryId: null,
    payload: { ...happening.payload, sender: presentAccount(hub, happening.sender) },
  });
}

function send(
  hub: Hub,
  event: string,
  hook: { readonly installation: Installation; readonly repositoryId: number | null; readonly payload: Payload },
): void {
  if (!ALWAYS_SENT.has(event) && !hub.world.app.events.includes(event)) return;
  const action = hook.payload['action'];
  hub.hooks.enqueue({
    event,
    action: typeof action === 'string' ? action : null,
    guid: randomUUID(),
    installationId: hook.installation.id,
    repositoryId: hook.repositoryId,
    payload: hook.payload,
    redelivery: false,
  });
}

function organizationOf(hub: Hub, repository: Repository): Payload {
  const owner = accountById(hub.world, repository.ownerId);
  if (owner.type !== 'Organization') return {};
  const { login, id, node_id, url, avatar_url, repos_url } = presentAccount(hub, owner);
  return {
    organization: {
      login,
      id,
      node_id,
      url,
      avatar_url,
      repos_url,
      events_url: `${String(url)}/events`,
      hooks_url: `${String(url)}/hooks`,
      issues_url: `${String(url)}/issues`,
      members_url: `${String(url)}/members{/member}`,
      public_members_url: `${String(url)}/public_members{/member}`,
      description: '',
    },
  };
}

/** `issues` or `pull_request`, whichever the thread is. `extra` goes into the payload (`label`, `changes`, `before`…). */
export async function emitThread(
  hub: Hub,
  issue: Issue,
  happening: { readonly action: string; readonly author: Author; readonly extra?: Payload },
): Promise<void> {
  const repository = repositoryById(hub.world, issue.repositoryId);
  const sender = happening.author.account;
  const { action, extra = {} } = happening;
  if (isPull(issue)) {
    const pull = presentPull(hub, issue, await pullNumbers(hub, issue));
    emit(hub, 'pull_request', {
      repository,
      sender,
      payload: { action, number: issue.number, pull_request: pull, ...extra },
    });
    return;
  }
  emit(hub, 'issues', { repository, sender, payload: { action, issue: presentIssue(hub, issue), ...extra } });
}

/** `issue_comment`. */
export function emitComment(
  hub: Hub,
  comment: Comment,
  happening: { readonly issue: Issue; readonly action: string; readonly author: Author; readonly extra?: Payload },
): void {
  emit(hub, 'issue_comment', {
    repository: repositoryById(hub.world, comment.repositoryId),
    sender: happening.author.account,
    payload: {
      action: happening.action,
      issue: presentIssue(hub, happening.issue),
      comment: presentComment(hub, comment, happening.issue),
      ...happening.extra,
    },
  });
}

/** `label`, for labels of a repository. */
export function emitLabel(
  hub: Hub,
  label: Label,
  happening: { readonly action: string; readonly author: Author; readonly extra?: Payload },
): void {
  emit(hub, 'label', {
    repository: repositoryById(hub.world, label.repositoryId),
    sender: happening.author.account,
    payload: { action: happening.action, label: presentLabel(hub, label), ...happening.extra },
  });
}

/** `check_run`. */
export function emitCheckRun(hub: Hub, check: CheckRun, action: 'created' | 'completed', author: Author): void {
  emit(hub, 'check_run', {
    repository: repositoryById(hub.world, check.repositoryId),
    sender: author.account,
    payload: { action, check_run: presentCheckRun(hub, check, true) },
  });
}
