import type { Hub } from '../hub.ts';
import { accountById, fullNameOf, repositoryById } from '../lookup.ts';
import type { PullNumbers } from '../pull-numbers.ts';
import type { Issue, PullRequest, Repository, Review } from '../state.ts';
import { presentAccount, presentAccountId } from './account.ts';
import type { Payload } from './account.ts';
import { associationOf, commentsOf, issueHtmlUrl, presentLabels } from './issue.ts';
import { nodeId } from './node-id.ts';
import { presentRepository, repositoryUrl } from './repository.ts';

/** A pull request, known to be one. */
export type PullIssue = Issue & { readonly pull: PullRequest };

/** `pull-request-simple`: as lists show it. */
export function presentPullSimple(hub: Hub, issue: PullIssue): Payload {
  const repository = repositoryById(hub.world, issue.repositoryId);
  const { pull } = issue;
  const api = repositoryUrl(hub, repository);
  const url = `${api}/pulls/${issue.number}`;
  const html = issueHtmlUrl(hub, issue);
  const links = {
    self: url,
    html,
    issue: `${api}/issues/${issue.number}`,
    comments: `${api}/issues/${issue.number}/comments`,
    review_comments: `${url}/comments`,
    review_comment: `${api}/pulls/comments{/number}`,
    commits: `${url}/commits`,
    statuses: `${api}/statuses/${pull.headSha}`,
  };
  return {
    url,
    id: pull.id,
    node_id: nodeId('pull', issue.id),
    html_url: html,
    diff_url: `${html}.diff`,
    patch_url: `${html}.patch`,
    issue_url: links.issue,
    commits_url: links.commits,
    review_comments_url: links.review_comments,
    review_comment_url: links.review_comment,
    comments_url: links.comments,
    statuses_url: links.statuses,
    number: issue.number,
    state: issue.state,
    locked: false,
    title: issue.title,
    user: presentAccountId(hub, issue.userId),
    body: issue.body,
    labels: presentLabels(hub, issue),
    milestone: null,
    active_lock_reason: null,
    created_at: issue.createdAt,
    updated_at: issue.updatedAt,
    closed_at: issue.closedAt,
    merged_at: pull.mergedAt,
    merge_commit_sha: pull.mergeCommitSha,
    assignee: presentAccountId(hub, issue.assigneeIds[0] ?? null),
    assignees: issue.assigneeIds.map((id) => presentAccountId(hub, id)),
    requested_reviewers: pull.requestedReviewerIds.map((id) => presentAccountId(hub, id)),
    requested_teams: [],
    head: presentSide(hub, repository, pull.headRef, pull.headSha),
    base: presentSide(hub, repository, pull.baseRef, pull.baseSha),
    _links: Object.fromEntries(Object.entries(links).map(([name, href]) => [name, { href }])),
    author_association: associationOf(hub, repository, issue.userId),
    auto_merge: null,
    draft: pull.draft,
  };
}

function presentSide(hub: Hub, repository: Repository, ref: string, sha: string): Payload {
  const owner = accountById(hub.world, repository.ownerId);
  return {
    label: `${owner.login}:${ref}`,
    ref,
    sha,
    user: presentAccount(hub, owner),
    repo: presentRepository(hub, repository),
  };
}

/** `pull-request`: the whole of one, for `GET` and for webhooks. */
export function presentPull(hub: Hub, issue: PullIssue, numbers: PullNumbers): Payload {
  return {
    ...presentPullSimple(hub, issue),
    merged: issue.pull.mergedAt !== null,
    mergeable: numbers.mergeable,
    rebaseable: numbers.mergeable,
    mergeable_state: mergeableState(issue, numbers),
    merged_by: presentAccountId(hub, issue.pull.mergedById),
    comments: commentsOf(hub, issue).length,
    review_comments: 0,
    maintainer_can_modify: false,
    commits: numbers.commits,
    additions: numbers.additions,
    deletions: numbers.deletions,
    changed_files: numbers.changedFiles,
  };
}

function mergeableState(issue: PullIssue, numbers: PullNumbers): string {
  if (numbers.mergeable === null) return 'unknown';
  if (!numbers.mergeable) return 'dirty';
  return issue.pull.draft ? 'draft' : 'clean';
}

/** `pull-request-minimal`: as check runs name it. */
export function presentPullMinimal(hub: Hub, issue: PullIssue): Payload {
  const repository = repositoryById(hub.world, issue.repositoryId);
  const repo = { id: repository.id, url: repositoryUrl(hub, repository), name: repository.name };
  return {
    id: issue.pull.id,
    number: issue.number,
    url: `${repo.url}/pulls/${issue.number}`,
    head: { ref: issue.pull.headRef, sha: issue.pull.headSha, repo },
    base: { ref: issue.pull.baseRef, sha: issue.pull.baseSha, repo },
  };
}

/** `pull-request-review`. */
export function presentReview(hub: Hub, review: Review, issue: PullIssue): Payload {
  const repository = repositoryById(hub.world, issue.repositoryId);
  const html = `${issueHtmlUrl(hub, issue)}#pullrequestreview-${review.id}`;
  const pull = `${repositoryUrl(hub, repository)}/pulls/${issue.number}`;
  return {
    id: review.id,
    node_id: nodeId('review', review.id),
    user: presentAccountId(hub, review.userId),
    body: review.body,
    state: review.state,
    html_url: html,
    pull_request_url: pull,
    author_association: associationOf(hub, repository, review.userId),
    _links: { html: { href: html }, pull_request: { href: pull } },
    submitted_at: review.submittedAt,
    commit_id: review.commitSha,
  };
}

/** Narrows an issue to a pull request. */
export function isPull(issue: Issue): issue is PullIssue {
  return issue.pull !== null;
}

/** `owner:branch`, as `head` filters write it. */
export function headLabel(hub: Hub, issue: PullIssue): string {
  const [owner = ''] = fullNameOf(hub.world, repositoryById(hub.world, issue.repositoryId)).split('/');
  return `${owner}:${issue.pull.headRef}`;
}
