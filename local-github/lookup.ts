import type { Account, Installation, Issue, Label, Repository, Role, World } from './state.ts';

/** An account by id. Throws when the world is inconsistent. */
export function accountById(world: World, id: number): Account {
  const account = world.accounts[id];
  if (account === undefined) throw new Error(`No account ${id}: the saved state is inconsistent.`);
  return account;
}

/** An account by login, whatever the case. */
export function accountByLogin(world: World, login: string): Account | undefined {
  const wanted = login.toLowerCase();
  return Object.values(world.accounts).find((account) => account.login.toLowerCase() === wanted);
}

/** A repository by id. Throws when the world is inconsistent. */
export function repositoryById(world: World, id: number): Repository {
  const repository = world.repositories[id];
  if (repository === undefined) throw new Error(`No repository ${id}: the saved state is inconsistent.`);
  return repository;
}

/** `owner/name` as it is now. */
export function fullNameOf(world: World, repository: Repository): string {
  return `${accountById(world, repository.ownerId).login}/${repository.name}`;
}

/** A repository by `owner/name`, whatever the case; `moved` when it was found by a former name. */
export function repositoryByName(
  world: World,
  fullName: string,
): { readonly repository: Repository; readonly moved: boolean } | undefined {
  const wanted = fullName.toLowerCase();
  const all = Object.values(world.repositories);
  const current = all.find((repository) => fullNameOf(world, repository).toLowerCase() === wanted);
  if (current !== undefined) return { repository: current, moved: false };
  const former = all.find((repository) => repository.formerNames.includes(wanted));
  return former === undefined ? undefined : { repository: former, moved: true };
}

/** What an account may do in a repository: `read` for anyone where it is public. */
export function roleOf(world: World, repository: Repository, accountId: number): Role {
  if (repository.ownerId === accountId) return 'admin';
  const role = repository.roles[accountId] ?? 'none';
  return role === 'none' && !repository.private ? 'read' : role;
}

const RANK: readonly Role[] = ['none', 'read', 'triage', 'write', 'maintain', 'admin'];

/** Whether `role` is `needed` or more. */
export function atLeast(role: Role, needed: Role): boolean {
  return RANK.indexOf(role) >= RANK.indexOf(needed);
}

/** The installation that covers a repository, if any. */
export function installationOf(world: World, repository: Repository): Installation | undefined {
  return Object.values(world.installations).find((installation) => covers(installation, repository));
}

/** Whether an installation covers a repository. */
export function covers(installation: Installation, repository: Repository): boolean {
  if (installation.accountId !== repository.ownerId) return false;
  return installation.repositorySelection === 'all' || installation.repositoryIds.includes(repository.id);
}

/** The repositories an installation covers, by id. */
export function repositoriesOf(world: World, installation: Installation): Repository[] {
  return Object.values(world.repositories).filter((repository) => covers(installation, repository));
}

/** An issue or pull request by number. */
export function issueByNumber(world: World, repository: Repository, number: number): Issue | undefined {
  return Object.values(world.issues).find((issue) => issue.repositoryId === repository.id && issue.number === number);
}

/** Labels of a repository, by id. */
export function labelsOf(world: World, repository: Repository): Label[] {
  return Object.values(world.labels).filter((label) => label.repositoryId === repository.id);
}

/** A label by name: GitHub's label names differ in more than case. */
export function labelByName(world: World, repository: Repository, name: string): Label | undefined {
  const wanted = name.toLowerCase();
  return labelsOf(world, repository).find((label) => label.name.toLowerCase() === wanted);
}
