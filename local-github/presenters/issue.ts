import type { Hub } from '../hub.ts';
import { accountById, repositoryById, roleOf } from '../lookup.ts';
import { REACTIONS } from '../state.ts';
import type { Comment, Issue, Label, Reaction, Repository } from '../state.ts';
import { presentAccount, presentAccountId } from './account.ts';
import type { Payload } from './account.ts';
import { presentApp } from './app.ts';
import { nodeId } from './node-id.ts';
import { repositoryHtmlUrl, repositoryUrl } from './repository.ts';

/** `issue`; a pull request seen as one has a `pull_request` part. */
export function presentIssue(hub: Hub, issue: Issue): Payload {
  const repository = repositoryById(hub.world, issue.repositoryId);
  const repositoryApi = repositoryUrl(hub, repository);
  const url = `${repositoryApi}/issues/${issue.number}`;
  return {
    id: issue.id,
    node_id: nodeId(issue.pull === null ? 'issue' : 'pull', issue.id),
    url,
    repository_url: repositoryApi,
    labels_url: `${url}/labels{/name}`,
    comments_url: `${url}/comments`,
    events_url: `${url}/events`,
    html_url: issueHtmlUrl(hub, issue),
    number: issue.number,
    state: issue.state,
    state_reason: issue.stateReason,
    title: issue.title,
    body: issue.body,
    user: presentAccountId(hub, issue.userId),
    labels: presentLabels(hub, issue),
    assignee: presentAccountId(hub, issue.assigneeIds[0] ?? null),
    assignees: issue.assigneeIds.map((id) => presentAccountId(hub, id)),
    milestone: null,
    locked: false,
    active_lock_reason: null,
    comments: commentsOf(hub, issue).length,
    closed_at: issue.closedAt,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_by: presentAccountId(hub, issue.closedById),
    author_association: associationOf(hub, repository, issue.userId),
    reactions: presentReactionCounts(hub, 'issue', issue.id, `${url}/reactions`),
    timeline_url: `${url}/timeline`,
    performed_via_github_app: issue.viaApp ? presentApp(hub) : null,
    ...(issue.pull === null ? {} : { draft: issue.pull.draft, pull_request: presentPullLinks(hub, issue) }),
  };
}

function presentPullLinks(hub: Hub, issue: Issue): Payload {
  const repository = repositoryById(hub.world, issue.repositoryId);
  const html = issueHtmlUrl(hub, issue);
  return {
    url: `${repositoryUrl(hub, repository)}/pulls/${issue.number}`,
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    merged_at: issue.pull?.mergedAt ?? null,
  };
}

/** Web address of an issue or pull request. */
export function issueHtmlUrl(hub: Hub, issue: Issue): string {
  const repository = repositoryById(hub.world, issue.repositoryId);
  return `${repositoryHtmlUrl(hub, repository)}/${issue.pull === null ? 'issues' : 'pull'}/${issue.number}`;
}

/** Comments of a thread, oldest first. */
export function commentsOf(hub: Hub, issue: Issue): Comment[] {
  return Object.values(hub.world.comments).filter((comment) => comment.issueId === issue.id);
}

/** `issue-comment`. */
export function presentComment(hub: Hub, comment: Comment, issue: Issue): Payload {
  const repository = repositoryById(hub.world, comment.repositoryId);
  const url = `${repositoryUrl(hub, repository)}/issues/comments/${comment.id}`;
  return {
    id: comment.id,
    node_id: nodeId('comment', comment.id),
    url,
    html_url: `${issueHtmlUrl(hub, issue)}#issuecomment-${comment.id}`,
    issue_url: `${repositoryUrl(hub, repository)}/issues/${issue.number}`,
    user: presentAccountId(hub, comment.userId),
    created_at: comment.createdAt,
    updated_at: comment.updatedAt,
    body: comment.body,
    author_association: associationOf(hub, repository, comment.userId),
    reactions: presentReactionCounts(hub, 'comment', comment.id, `${url}/reactions`),
    performed_via_github_app: comment.viaApp ? presentApp(hub) : null,
  };
}

/** `label`. */
export function presentLabel(hub: Hub, label: Label): Payload {
  const repository = repositoryById(hub.world, label.repositoryId);
  return {
    id: label.id,
    node_id: nodeId('label', label.id),
    url: `${repositoryUrl(hub, repository)}/labels/${encodeURIComponent(label.name)}`,
    name: label.name,
    color: label.color,
    default: false,
    description: label.description,
  };
}

/** An issue's labels. */
export function presentLabels(hub: Hub, issue: Issue): Payload[] {
  return issue.labelIds.flatMap((id) => {
    const label = hub.world.labels[id];
    return label === undefined ? [] : [presentLabel(hub, label)];
  });
}

/** `reaction`. */
export function presentReaction(hub: Hub, reaction: Reaction): Payload {
  return {
    id: reaction.id,
    node_id: nodeId('reaction', reaction.id),
    user: presentAccount(hub, accountById(hub.world, reaction.userId)),
    content: reaction.content,
    created_at: reaction.createdAt,
  };
}

function presentReactionCounts(hub: Hub, target: Reaction['target'], id: number, url: string): Payload {
  const found = Object.values(hub.world.reactions).filter(
    (reaction) => reaction.target === target && reaction.targetId === id,
  );
  const counts = REACTIONS.map((content) => [content, found.filter((one) => one.content === content).length] as const);
  return { url, total_count: found.length, ...Object.fromEntries(counts) };
}

/** How GitHub describes an author's tie to a repository. */
export function associationOf(hub: Hub, repository: Repository, accountId: number): string {
  if (repository.ownerId === accountId) return 'OWNER';
  if (repository.roles[accountId] === undefined || repository.roles[accountId] === 'none') return 'NONE';
  return roleOf(hub.world, repository, accountId) === 'admin' ? 'MEMBER' : 'COLLABORATOR';
}
