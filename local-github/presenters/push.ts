import { touchedPaths } from '../git/diff.ts';
import { isAncestor, listCommits, NO_OBJECT, objectType, readCommit } from '../git/objects.ts';
import type { Commit } from '../git/objects.ts';
import type { RefChange } from '../git/refs.ts';
import { gitDirectory } from '../hub.ts';
import type { Author, Hub } from '../hub.ts';
import { accountById } from '../lookup.ts';
import type { Repository } from '../state.ts';
import type { Payload } from './account.ts';
import { accountOfEmail, noreplyAddress } from './git.ts';
import { presentRepository, repositoryHtmlUrl } from './repository.ts';

// GitHub lists at most 2,048 commits in a push payload.
const MOST_COMMITS = 2048;

/** What a `push` event carries, before sender and installation. */
export async function presentPush(
  hub: Hub,
  repository: Repository,
  change: RefChange,
  author: Author,
): Promise<Payload> {
  const directory = gitDirectory(hub, repository);
  const html = repositoryHtmlUrl(hub, repository);
  const created = change.before === NO_OBJECT;
  const deleted = change.after === NO_OBJECT;
  const commits = deleted ? [] : await newCommits(directory, repository, change);
  const newest = commits.at(-1);
  const head = deleted || newest?.sha === change.after ? newest : await readCommit(directory, change.after);
  const range =
    created || deleted ? change.after.slice(0, 12) : `${change.before.slice(0, 12)}...${change.after.slice(0, 12)}`;
  return {
    ref: change.ref,
    before: change.before,
    after: change.after,
    base_ref: null,
    created,
    deleted,
    forced: !created && !deleted && !(await isAncestor(directory, change.before, change.after)),
    compare: created || deleted ? `${html}/commit/${range}` : `${html}/compare/${range}`,
    commits: await Promise.all(commits.map(async (commit) => await presentPushed(hub, directory, html, commit))),
    head_commit: head === undefined ? null : await presentPushed(hub, directory, html, head),
    pusher: { name: author.account.login, email: noreplyAddress(author.account) },
    repository: presentPushedRepository(hub, repository),
  };
}

async function newCommits(directory: string, repository: Repository, change: RefChange): Promise<Commit[]> {
  // A tag may name something that is no commit; git lets no branch do so.
  if (!change.ref.startsWith('refs/heads/') && (await objectType(directory, change.after)) !== 'commit') return [];
  const known = change.before === NO_OBJECT ? await baseOfNew(directory, repository, change) : [`^${change.before}`];
  const commits = await listCommits(directory, [`-${MOST_COMMITS}`, '--topo-order', change.after, ...known]);
  return commits.toReversed();
}

async function baseOfNew(directory: string, repository: Repository, change: RefChange): Promise<string[]> {
  const trunk = `refs/heads/${repository.defaultBranch}`;
  if (change.ref === trunk) return [];
  return (await readCommit(directory, trunk)) === undefined ? [] : [`^${trunk}`];
}

async function presentPushed(hub: Hub, directory: string, html: string, commit: Commit): Promise<Payload> {
  return {
    id: commit.sha,
    tree_id: commit.tree,
    distinct: true,
    message: commit.message,
    timestamp: commit.committer.date,
    url: `${html}/commit/${commit.sha}`,
    author: presentPerson(hub, commit.author),
    committer: presentPerson(hub, commit.committer),
    ...(await touchedPaths(directory, commit.sha)),
  };
}

function presentPerson(hub: Hub, person: Commit['author']): Payload {
  const account = accountOfEmail(hub, person.email);
  return {
    name: person.name,
    email: person.email,
    date: person.date,
    ...(account === undefined ? {} : { username: account.login }),
  };
}

// In push events alone, GitHub writes these two times as seconds since 1970, and the owner with name and e-mail.
function presentPushedRepository(hub: Hub, repository: Repository): Payload {
  const presented = presentRepository(hub, repository);
  const owner = accountById(hub.world, repository.ownerId);
  return {
    ...presented,
    owner: { ...(presented['owner'] as Payload), name: owner.login, email: null },
    created_at: Date.parse(repository.createdAt) / 1000,
    pushed_at: Date.parse(repository.pushedAt) / 1000,
    stargazers: 0,
    master_branch: repository.defaultBranch,
  };
}
