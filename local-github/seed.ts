import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { issueUserToken } from './auth/tokens.ts';
import { timestamp } from './clock.ts';
import { createBare } from './git/bare.ts';
import { git } from './git/process.ts';
import { gitDirectory } from './hub.ts';
import type { Hub } from './hub.ts';
import { accountByLogin, repositoryByName } from './lookup.ts';
import { noreplyAddress } from './presenters/git.ts';
import { addLabel } from './rest/labels.ts';
import { takeId } from './state.ts';
import type { Account, Repository, Role } from './state.ts';

/** What a server starts with. */
export interface Seed {
  /** Login of the account that owns the repositories; `acme` when omitted. */
  readonly owner?: string;
  /** `Organization` when omitted. */
  readonly ownerType?: 'User' | 'Organization';
  readonly users?: readonly SeedUser[];
  readonly repositories?: readonly SeedRepository[];
}

export interface SeedUser {
  readonly login: string;
  readonly name?: string | undefined;
  /** Role in every seeded repository. */
  readonly role?: Role | undefined;
}

export interface SeedRepository {
  readonly name: string;
  /** The seed's owner when omitted. */
  readonly owner?: string | undefined;
  /** False when omitted. */
  readonly private?: boolean | undefined;
  /** `main` when omitted. */
  readonly defaultBranch?: string | undefined;
  readonly description?: string | undefined;
  /** Files of the first commit by path. Neither files nor directory: a repository without commits. */
  readonly files?: Readonly<Record<string, string>> | undefined;
  /** A directory whose files make the first commit; its `.git` is left out. */
  readonly directory?: string | undefined;
  readonly labels?: readonly (string | { readonly name: string; readonly color?: string | undefined })[] | undefined;
  /** Roles by login, over those of the users. */
  readonly roles?: Readonly<Record<string, Role>> | undefined;
}

/** One person for each role, and one stranger. */
export const EVERY_ROLE: readonly SeedUser[] = [
  { login: 'ada', name: 'Ada Admin', role: 'admin' },
  { login: 'mira', name: 'Mira Maintain', role: 'maintain' },
  { login: 'will', name: 'Will Write', role: 'write' },
  { login: 'tess', name: 'Tess Triage', role: 'triage' },
  { login: 'rory', name: 'Rory Read', role: 'read' },
  { login: 'nell', name: 'Nell Nobody' },
];

const DEFAULT_REPOSITORIES: readonly SeedRepository[] = [
  { name: 'demo', files: { 'README.md': '# Demo\n\nA repository to try things in.\n' } },
];
const DEFAULT_OWNER = 'acme';

/** Puts into the world what is not there yet: accounts, an installation for each owner, repositories. Nothing is told. */
export async function plant(hub: Hub, seed: Seed): Promise<void> {
  const repositories = seed.repositories ?? DEFAULT_REPOSITORIES;
  const owner = seed.owner ?? DEFAULT_OWNER;
  for (const login of new Set([owner, ...repositories.map((one) => one.owner ?? owner)])) {
    ensureOwner(hub, login, seed.ownerType ?? 'Organization');
  }
  for (const user of seed.users ?? EVERY_ROLE) ensureUser(hub, user);
  for (const repository of repositories) {
    await ensureRepository(hub, { ...repository, owner: repository.owner ?? owner }, seed.users ?? EVERY_ROLE);
  }
}

function ensureOwner(hub: Hub, login: string, type: 'User' | 'Organization'): void {
  const account = accountByLogin(hub.world, login) ?? addAccount(hub, { login, type, name: login });
  if (type === 'User') ensureToken(hub, account);
  if (Object.values(hub.world.installations).some((one) => one.accountId === account.id)) return;
  install(hub, account);
}

/** Installs the App on all repositories of an account. Nothing is told. */
export function install(hub: Hub, account: Account) {
  const now = timestamp(hub.clock.now());
  const installation = {
    id: takeId(hub.world),
    accountId: account.id,
    repositorySelection: 'all' as const,
    repositoryIds: [],
    permissions: hub.world.app.permissions,
    suspendedAt: null,
    suspendedById: null,
    createdAt: now,
    updatedAt: now,
  };
  hub.world.installations[installation.id] = installation;
  return installation;
}

function addAccount(hub: Hub, account: Pick<Account, 'login' | 'type' | 'name'>): Account {
  const added: Account = { id: takeId(hub.world), createdAt: timestamp(hub.clock.now()), ...account };
  hub.world.accounts[added.id] = added;
  return added;
}

/** A user with a personal token, made unless there is one of that login. */
export function ensureUser(hub: Hub, user: SeedUser): Account {
  const account =
    accountByLogin(hub.world, user.login) ??
    addAccount(hub, { login: user.login, type: 'User', name: user.name ?? null });
  ensureToken(hub, account);
  return account;
}

function ensureToken(hub: Hub, account: Account): void {
  const has = Object.values(hub.world.tokens).some((token) => token.kind === 'user' && token.userId === account.id);
  if (!has) issueUserToken(hub.world, account.id);
}

/** A repository with its first commit, labels and roles, made unless there is one of that name. */
export async function ensureRepository(
  hub: Hub,
  wanted: SeedRepository & { readonly owner: string },
  users: readonly SeedUser[],
): Promise<Repository> {
  const known = repositoryByName(hub.world, `${wanted.owner}/${wanted.name}`);
  if (known !== undefined && !known.moved) return known.repository;
  const owner = accountByLogin(hub.world, wanted.owner);
  if (owner === undefined)
    throw new Error(`The repository ${wanted.name} is to belong to ${wanted.owner}, who is not there.`);
  const now = timestamp(hub.clock.now());
  const repository: Repository = {
    id: takeId(hub.world),
    ownerId: owner.id,
    name: wanted.name,
    formerNames: [],
    description: wanted.description ?? null,
    private: wanted.private ?? false,
    defaultBranch: wanted.defaultBranch ?? 'main',
    roles: rolesOf(hub, wanted, users),
    protectedBranches: [],
    nextNumber: 1,
    createdAt: now,
    updatedAt: now,
    pushedAt: now,
  };
  await createBare(gitDirectory(hub, repository), repository.defaultBranch);
  const files = await filesOf(wanted);
  if (files.length > 0) await commitFirst(hub, repository, { files, owner });
  for (const label of wanted.labels ?? []) {
    const { name, color = 'ededed' } = typeof label === 'string' ? { name: label } : label;
    addLabel(hub, repository, { name, color, description: null });
  }
  hub.world.repositories[repository.id] = repository;
  return repository;
}

function rolesOf(hub: Hub, wanted: SeedRepository, users: readonly SeedUser[]): Record<number, Role> {
  const byLogin = new Map(users.map((user) => [user.login, user.role ?? 'none']));
  for (const [login, role] of Object.entries(wanted.roles ?? {})) byLogin.set(login, role);
  return Object.fromEntries(
    [...byLogin].map(([login, role]) => {
      const account = accountByLogin(hub.world, login);
      if (account === undefined) throw new Error(`${login} has a role in ${wanted.name} but is no user of the seed.`);
      return [account.id, role];
    }),
  );
}

interface SeedFile {
  readonly path: string;
  readonly content: Buffer;
  readonly executable: boolean;
}

async function filesOf(wanted: SeedRepository): Promise<SeedFile[]> {
  const listed = Object.entries(wanted.files ?? {}).map(([path, text]) => ({
    path,
    content: Buffer.from(text),
    executable: false,
  }));
  return [...listed, ...(wanted.directory === undefined ? [] : await filesBelow(wanted.directory))];
}

async function filesBelow(directory: string): Promise<SeedFile[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => !relative(directory, path).split(sep).includes('.git'))
    .sort();
  return await Promise.all(
    paths.map(async (path) => ({
      path: relative(directory, path).split(sep).join('/'),
      content: await readFile(path),
      // Any execute bit makes git's 100755.
      executable: ((await stat(path)).mode & 0o111) !== 0,
    })),
  );
}

async function commitFirst(
  hub: Hub,
  repository: Repository,
  first: { readonly files: readonly SeedFile[]; readonly owner: Account },
): Promise<void> {
  const person = `${first.owner.login} <${noreplyAddress(first.owner)}> ${Math.floor(hub.clock.now() / 1000)} +0000`;
  const message = 'Initial commit\n';
  const head = `commit refs/heads/${repository.defaultBranch}\nauthor ${person}\ncommitter ${person}\ndata ${message.length}\n${message}`;
  const files = first.files.flatMap((file) => [
    Buffer.from(
      `M ${file.executable ? '100755' : '100644'} inline ${JSON.stringify(file.path)}\ndata ${file.content.length}\n`,
    ),
    file.content,
    Buffer.from('\n'),
  ]);
  const input = Buffer.concat([Buffer.from(head), ...files]);
  await git(gitDirectory(hub, repository), ['fast-import', '--quiet', '--date-format=raw'], { input });
}

/** The repositories of a seed directory: `DIR/<owner>/<repository>/…`. */
export async function readSeedDirectory(directory: string): Promise<SeedRepository[]> {
  const owners = await directoriesIn(directory);
  const found = await Promise.all(
    owners.map(async (owner) =>
      (await directoriesIn(join(directory, owner))).map((name) => ({
        owner,
        name,
        directory: join(directory, owner, name),
      })),
    ),
  );
  const repositories = found.flat();
  if (repositories.length === 0) {
    throw new Error(`The seed directory ${directory} holds no <owner>/<repository> directories.`);
  }
  return repositories;
}

async function directoriesIn(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => entry.name)
    .sort();
}
