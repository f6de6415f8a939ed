import { timestamp } from './clock.ts';
import { emit, emitThread } from './events.ts';
import { isAncestor, NO_OBJECT, resolve } from './git/objects.ts';
import type { RefChange } from './git/refs.ts';
import { writeRef } from './git/ref-files.ts';
import { gitDirectory } from './hub.ts';
import type { Author, Hub } from './hub.ts';
import { fullNameOf } from './lookup.ts';
import { isPull } from './presenters/pull.ts';
import type { PullIssue } from './presenters/pull.ts';
import { presentPush } from './presenters/push.ts';
import { takeId, type Activity, type Repository } from './state.ts';

/**
 * Everything that follows when a ref has moved, whoever moved it and however: the record, `create`/`delete`, `push`, and for
 * pull requests a new head (`synchronize`), a closing with the branch gone, or a merge seen in the base. Call it under the
 * repository's lock, before the answer to whoever moved it ends.
 */
export async function refChanged(
  hub: Hub,
  repository: Repository,
  change: RefChange,
  cause: { readonly author: Author; readonly via: 'git' | 'rest'; readonly merge?: true },
): Promise<void> {
  const now = timestamp(hub.clock.now());
  const changed = repository;
  changed.pushedAt = now;
  changed.updatedAt = now;
  hub.audit.refUpdates.add({
    at: now,
    repository: fullNameOf(hub.world, repository),
    ...change,
    actor: cause.author.account.login,
    via: cause.via,
  });
  await recordActivity(hub, repository, change, cause);
  emitCreateOrDelete(hub, repository, change, cause.author);
  emit(hub, 'push', {
    repository,
    sender: cause.author.account,
    payload: await presentPush(hub, repository, change, cause.author),
  });
  if (!change.ref.startsWith('refs/heads/')) return;
  const branch = change.ref.slice('refs/heads/'.length);
  for (const issue of openPulls(hub, repository)) {
    if (issue.pull.headRef === branch) await headMoved(hub, issue, change, cause.author);
    else if (issue.pull.baseRef === branch) await baseMoved(hub, issue, change, cause.author);
  }
}

/** GitHub's activity view knows branches only. */
async function recordActivity(
  hub: Hub,
  repository: Repository,
  change: RefChange,
  cause: { readonly author: Author; readonly merge?: true },
): Promise<void> {
  if (!change.ref.startsWith('refs/heads/')) return;
  hub.world.activities.push({
    id: takeId(hub.world),
    repositoryId: repository.id,
    actorId: cause.author.account.id,
    ...change,
    type: cause.merge === true ? 'pr_merge' : await activityType(gitDirectory(hub, repository), change),
    at: timestamp(hub.clock.now()),
  });
}

async function activityType(directory: string, change: RefChange): Promise<Activity['type']> {
  if (change.before === NO_OBJECT) return 'branch_creation';
  if (change.after === NO_OBJECT) return 'branch_deletion';
  return (await isAncestor(directory, change.before, change.after)) ? 'push' : 'force_push';
}

function openPulls(hub: Hub, repository: Repository): PullIssue[] {
  return Object.values(hub.world.issues)
    .filter(isPull)
    .filter((issue) => issue.repositoryId === repository.id && issue.state === 'open');
}

function emitCreateOrDelete(hub: Hub, repository: Repository, change: RefChange, author: Author): void {
  const event = change.before === NO_OBJECT ? 'create' : change.after === NO_OBJECT ? 'delete' : undefined;
  if (event === undefined) return;
  const tag = change.ref.startsWith('refs/tags/');
  emit(hub, event, {
    repository,
    sender: author.account,
    payload: {
      ref: change.ref.replace(/^refs\/(heads|tags)\//, ''),
      ref_type: tag ? 'tag' : 'branch',
      ...(event === 'create' ? { master_branch: repository.defaultBranch, description: repository.description } : {}),
      pusher_type: 'user',
    },
  });
}

async function headMoved(hub: Hub, issue: PullIssue, change: RefChange, author: Author): Promise<void> {
  const now = timestamp(hub.clock.now());
  const thread = issue;
  thread.updatedAt = now;
  if (change.after === NO_OBJECT) {
    thread.state = 'closed';
    thread.closedAt = now;
    thread.closedById = author.account.id;
    await emitThread(hub, thread, { action: 'closed', author });
    return;
  }
  const directory = gitDirectory(hub, hub.world.repositories[issue.repositoryId] ?? neverMissing(issue));
  thread.pull.headSha = change.after;
  thread.pull.baseSha = (await resolve(directory, `refs/heads/${issue.pull.baseRef}`)) ?? issue.pull.baseSha;
  await pinHead(directory, thread);
  await emitThread(hub, thread, {
    action: 'synchronize',
    author,
    extra: { before: change.before, after: change.after },
  });
}

function neverMissing(issue: PullIssue): never {
  throw new Error(`Pull request ${issue.number} belongs to no repository: the saved state is inconsistent.`);
}

async function baseMoved(hub: Hub, issue: PullIssue, change: RefChange, author: Author): Promise<void> {
  if (change.after === NO_OBJECT) return;
  const directory = gitDirectory(hub, hub.world.repositories[issue.repositoryId] ?? neverMissing(issue));
  if (!(await isAncestor(directory, issue.pull.headSha, change.after))) return;
  await markMerged(hub, issue, { author, sha: change.after });
}

/** Records that a pull request's commits are in its base, and tells. */
export async function markMerged(
  hub: Hub,
  issue: PullIssue,
  merge: { readonly author: Author; readonly sha: string },
): Promise<void> {
  const now = timestamp(hub.clock.now());
  const thread = issue;
  thread.state = 'closed';
  thread.closedAt = now;
  thread.closedById = merge.author.account.id;
  thread.updatedAt = now;
  thread.pull.mergedAt = now;
  thread.pull.mergedById = merge.author.account.id;
  thread.pull.mergeCommitSha = merge.sha;
  await emitThread(hub, thread, { action: 'closed', author: merge.author });
}

/** Keeps `refs/pull/N/head` at the head, so that it can be fetched even with the branch gone. */
export async function pinHead(directory: string, issue: PullIssue): Promise<void> {
  await writeRef(directory, `refs/pull/${issue.number}/head`, issue.pull.headSha);
}
