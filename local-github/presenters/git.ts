import type { FileChange } from '../git/diff.ts';
import type { Commit, Person, TreeEntry } from '../git/objects.ts';
import type { Hub } from '../hub.ts';
import type { Account, Repository } from '../state.ts';
import { presentAccount } from './account.ts';
import type { Payload } from './account.ts';
import { nodeId } from './node-id.ts';
import { repositoryHtmlUrl, repositoryUrl } from './repository.ts';

const UNSIGNED = { verified: false, reason: 'unsigned', signature: null, payload: null, verified_at: null };

/** An account's e-mail address for commits, the kind GitHub makes up: `ID+login@users.noreply.github.com`. */
export function noreplyAddress(account: Account): string {
  return `${account.id}+${account.login}@users.noreply.github.com`;
}

/** Whose account a commit's e-mail address belongs to. */
export function accountOfEmail(hub: Hub, email: string): Account | undefined {
  const [, id] = /^(\d+)\+[^@]*@users\.noreply\.github\.com$/.exec(email) ?? [];
  return id === undefined ? undefined : hub.world.accounts[Number(id)];
}

/** GitHub writes commit dates in UTC. */
function utc(date: string): string {
  return `${new Date(date).toISOString().slice(0, 19)}Z`;
}

function presentPerson(person: Person): Payload {
  return { name: person.name, email: person.email, date: utc(person.date) };
}

/** `git-commit`, from the git database. */
export function presentGitCommit(hub: Hub, repository: Repository, commit: Commit): Payload {
  const api = repositoryUrl(hub, repository);
  const html = repositoryHtmlUrl(hub, repository);
  return {
    sha: commit.sha,
    node_id: nodeId('commit', `${repository.id}:${commit.sha}`),
    url: `${api}/git/commits/${commit.sha}`,
    html_url: `${html}/commit/${commit.sha}`,
    author: presentPerson(commit.author),
    committer: presentPerson(commit.committer),
    tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
    message: commit.message,
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/git/commits/${sha}`,
      html_url: `${html}/commit/${sha}`,
    })),
    verification: UNSIGNED,
  };
}

/** `commit`, as lists and comparisons show it. */
export function presentCommit(hub: Hub, repository: Repository, commit: Commit): Payload {
  const api = repositoryUrl(hub, repository);
  const html = repositoryHtmlUrl(hub, repository);
  const author = accountOfEmail(hub, commit.author.email);
  const committer = accountOfEmail(hub, commit.committer.email);
  return {
    sha: commit.sha,
    node_id: nodeId('commit', `${repository.id}:${commit.sha}`),
    commit: {
      author: presentPerson(commit.author),
      committer: presentPerson(commit.committer),
      message: commit.message,
      tree: { sha: commit.tree, url: `${api}/git/trees/${commit.tree}` },
      url: `${api}/git/commits/${commit.sha}`,
      comment_count: 0,
      verification: UNSIGNED,
    },
    url: `${api}/commits/${commit.sha}`,
    html_url: `${html}/commit/${commit.sha}`,
    comments_url: `${api}/commits/${commit.sha}/comments`,
    author: author === undefined ? null : presentAccount(hub, author),
    committer: committer === undefined ? null : presentAccount(hub, committer),
    parents: commit.parents.map((sha) => ({
      sha,
      url: `${api}/commits/${sha}`,
      html_url: `${html}/commit/${sha}`,
    })),
  };
}

/** `diff-entry`, relative to the commit `sha`. */
export function presentChange(hub: Hub, repository: Repository, change: FileChange, sha: string): Payload {
  const html = repositoryHtmlUrl(hub, repository);
  const path = encodePath(change.path);
  return {
    sha: change.sha,
    filename: change.path,
    status: change.status,
    additions: change.additions,
    deletions: change.deletions,
    changes: change.additions + change.deletions,
    blob_url: `${html}/blob/${sha}/${path}`,
    raw_url: `${html}/raw/${sha}/${path}`,
    contents_url: `${repositoryUrl(hub, repository)}/contents/${path}?ref=${sha}`,
    ...(change.patch === undefined ? {} : { patch: change.patch }),
    ...(change.previousPath === undefined ? {} : { previous_filename: change.previousPath }),
  };
}

/** An entry of `git-tree`. */
export function presentTreeEntry(hub: Hub, repository: Repository, entry: TreeEntry): Payload {
  const kind = entry.type === 'tree' ? 'trees' : 'blobs';
  return {
    path: entry.path,
    mode: entry.mode,
    type: entry.type,
    sha: entry.sha,
    ...(entry.size === undefined ? {} : { size: entry.size }),
    ...(entry.type === 'commit' ? {} : { url: `${repositoryUrl(hub, repository)}/git/${kind}/${entry.sha}` }),
  };
}

/** `git-ref`. */
export function presentRef(
  hub: Hub,
  repository: Repository,
  ref: { readonly name: string; readonly sha: string; readonly type: string },
): Payload {
  const api = repositoryUrl(hub, repository);
  return {
    ref: ref.name,
    node_id: nodeId('ref', `${repository.id}:${ref.name}`),
    url: `${api}/git/${ref.name.split('/').map(encodeURIComponent).join('/')}`,
    object: { sha: ref.sha, type: ref.type, url: `${api}/git/${ref.type}s/${ref.sha}` },
  };
}

/** Entry of a directory, or with `file` the head of a file's own answer. */
export function presentContentEntry(
  hub: Hub,
  repository: Repository,
  entry: { readonly entry: TreeEntry; readonly path: string; readonly ref: string },
): Payload {
  const api = repositoryUrl(hub, repository);
  const html = repositoryHtmlUrl(hub, repository);
  const path = encodePath(entry.path);
  const type = contentType(entry.entry);
  const self = `${api}/contents/${path}?ref=${encodeURIComponent(entry.ref)}`;
  const gitUrl = `${api}/git/${type === 'dir' ? 'trees' : 'blobs'}/${entry.entry.sha}`;
  const page = `${html}/${type === 'dir' ? 'tree' : 'blob'}/${encodePath(entry.ref)}/${path}`;
  return {
    name: entry.path.split('/').at(-1) ?? entry.path,
    path: entry.path,
    sha: entry.entry.sha,
    size: entry.entry.size ?? 0,
    url: self,
    html_url: page,
    git_url: gitUrl,
    download_url: type === 'file' ? `${html}/raw/${encodePath(entry.ref)}/${path}` : null,
    type,
    _links: { self, git: gitUrl, html: page },
  };
}

function contentType(entry: TreeEntry): 'file' | 'dir' | 'symlink' | 'submodule' {
  if (entry.type === 'tree') return 'dir';
  if (entry.type === 'commit') return 'submodule';
  return entry.mode === '120000' ? 'symlink' : 'file';
}

/** A path for a URL: every part percent-encoded, slashes kept. */
function encodePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}
