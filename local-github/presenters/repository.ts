import { apiUrl } from '../hub.ts';
import type { Actor, Hub } from '../hub.ts';
import { accountById, atLeast, fullNameOf, roleOf } from '../lookup.ts';
import type { Repository } from '../state.ts';
import { presentAccount } from './account.ts';
import type { Payload } from './account.ts';
import { nodeId } from './node-id.ts';

// Links GitHub lists that are the repository's URL and a suffix.
const LINKS: Readonly<Record<string, string>> = {
  archive_url: '/{archive_format}{/ref}',
  assignees_url: '/assignees{/user}',
  blobs_url: '/git/blobs{/sha}',
  branches_url: '/branches{/branch}',
  collaborators_url: '/collaborators{/collaborator}',
  comments_url: '/comments{/number}',
  commits_url: '/commits{/sha}',
  compare_url: '/compare/{base}...{head}',
  contents_url: '/contents/{+path}',
  contributors_url: '/contributors',
  deployments_url: '/deployments',
  downloads_url: '/downloads',
  events_url: '/events',
  forks_url: '/forks',
  git_commits_url: '/git/commits{/sha}',
  git_refs_url: '/git/refs{/sha}',
  git_tags_url: '/git/tags{/sha}',
  hooks_url: '/hooks',
  issue_comment_url: '/issues/comments{/number}',
  issue_events_url: '/issues/events{/number}',
  issues_url: '/issues{/number}',
  keys_url: '/keys{/key_id}',
  labels_url: '/labels{/name}',
  languages_url: '/languages',
  merges_url: '/merges',
  milestones_url: '/milestones{/number}',
  notifications_url: '/notifications{?since,all,participating}',
  pulls_url: '/pulls{/number}',
  releases_url: '/releases{/id}',
  stargazers_url: '/stargazers',
  statuses_url: '/statuses/{sha}',
  subscribers_url: '/subscribers',
  subscription_url: '/subscription',
  tags_url: '/tags',
  teams_url: '/teams',
  trees_url: '/git/trees{/sha}',
};

/** REST address of a repository. */
export function repositoryUrl(hub: Hub, repository: Repository): string {
  return `${apiUrl(hub)}/repos/${fullNameOf(hub.world, repository)}`;
}

/** Web address of a repository. */
export function repositoryHtmlUrl(hub: Hub, repository: Repository): string {
  return `${hub.url()}/${fullNameOf(hub.world, repository)}`;
}

/** `repository`, which is also what webhooks carry. */
export function presentRepository(hub: Hub, repository: Repository): Payload {
  const url = repositoryUrl(hub, repository);
  const html = repositoryHtmlUrl(hub, repository);
  const fullName = fullNameOf(hub.world, repository);
  const open = Object.values(hub.world.issues).filter(
    (issue) => issue.repositoryId === repository.id && issue.state === 'open',
  ).length;
  return {
    id: repository.id,
    node_id: nodeId('repository', repository.id),
    name: repository.name,
    full_name: fullName,
    private: repository.private,
    owner: presentAccount(hub, accountById(hub.world, repository.ownerId)),
    html_url: html,
    description: repository.description,
    fork: false,
    url,
    ...Object.fromEntries(Object.entries(LINKS).map(([name, suffix]) => [name, url + suffix])),
    created_at: repository.createdAt,
    updated_at: repository.updatedAt,
    pushed_at: repository.pushedAt,
    git_url: `git://${new URL(html).host}/${fullName}.git`,
    ssh_url: `git@${new URL(html).hostname}:${fullName}.git`,
    clone_url: `${html}.git`,
    svn_url: html,
    homepage: null,
    size: repository.size ?? 0,
    stargazers_count: 0,
    watchers_count: 0,
    language: null,
    has_issues: true,
    has_projects: false,
    has_downloads: true,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    forks_count: 0,
    mirror_url: null,
    archived: false,
    disabled: false,
    open_issues_count: open,
    license: null,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    visibility: repository.private ? 'private' : 'public',
    forks: 0,
    open_issues: open,
    watchers: 0,
    default_branch: repository.defaultBranch,
  };
}

/** `full-repository`: what asking for one repository gives, with what the asker may do there. */
export function presentFullRepository(hub: Hub, repository: Repository, actor: Actor): Payload {
  return {
    ...presentReachedRepository(hub, repository, actor),
    temp_clone_token: null,
    allow_squash_merge: true,
    allow_merge_commit: true,
    allow_rebase_merge: true,
    allow_auto_merge: false,
    delete_branch_on_merge: false,
    subscribers_count: 0,
    network_count: 0,
  };
}

/** `repository` with what the asker may do there. */
export function presentReachedRepository(hub: Hub, repository: Repository, actor: Actor): Payload {
  return { ...presentRepository(hub, repository), permissions: presentPermissions(hub, repository, actor) };
}

function presentPermissions(hub: Hub, repository: Repository, actor: Actor): Payload {
  if (actor.kind === 'installation') {
    const writes = actor.token.permissions['contents'] === 'write';
    return { admin: false, maintain: false, push: writes, triage: writes, pull: true };
  }
  const role = actor.kind === 'user' ? roleOf(hub.world, repository, actor.account.id) : 'read';
  return {
    admin: atLeast(role, 'admin'),
    maintain: atLeast(role, 'maintain'),
    push: atLeast(role, 'write'),
    triage: atLeast(role, 'triage'),
    pull: atLeast(role, 'read'),
  };
}

/** The five fields installation events give of a repository. */
export function presentRepositoryName(hub: Hub, repository: Repository): Payload {
  return {
    id: repository.id,
    node_id: nodeId('repository', repository.id),
    name: repository.name,
    full_name: fullNameOf(hub.world, repository),
    private: repository.private,
  };
}
