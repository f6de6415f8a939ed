import { timestamp } from './clock.ts';
import { emit, emitInstallation } from './events.ts';
import type { RefUpdateRecord, RequestRecord } from './audit.ts';
import type { FaultRule } from './faults.ts';
import { removeBare, writeProtection, writeRefusal } from './git/bare.ts';
import { gitDirectory } from './hub.ts';
import type { Hub } from './hub.ts';
import { accountById, accountByLogin, fullNameOf, repositoriesOf, repositoryByName } from './lookup.ts';
import { presentInstallation } from './presenters/app.ts';
import { presentAccount } from './presenters/account.ts';
import { presentRepository, presentRepositoryName } from './presenters/repository.ts';
import { ensureRepository, ensureUser, install } from './seed.ts';
import type { SeedRepository, SeedUser } from './seed.ts';
import type { Account, Delivery, Installation, Permissions, Repository, Role } from './state.ts';

/** Everything a test can do to the server that no user of GitHub could. Repositories are named `owner/name`. */
export interface Control {
  setWebhookUrl(url: string | null): void;
  addFault(rule: FaultRule): void;
  clearFaults(): void;
  faults(): readonly FaultRule[];
  /** Makes every installation token expire now. */
  expireTokens(): void;
  advanceClock(milliseconds: number): void;
  setClock(epochMilliseconds: number): void;
  setRole(change: { readonly repository: string; readonly login: string; readonly role: Role }): void;
  createUser(user: SeedUser): { readonly id: number; readonly login: string; readonly token: string };
  createRepository(repository: SeedRepository): Promise<{ readonly id: number; readonly fullName: string }>;
  renameRepository(change: { readonly repository: string; readonly name: string }): void;
  deleteRepository(repository: string): Promise<void>;
  protectBranch(change: { readonly repository: string; readonly branch: string }): Promise<void>;
  unprotectBranch(change: { readonly repository: string; readonly branch: string }): Promise<void>;
  /** Refuses every push to a repository with these words, as push protection does; takes them again without. */
  refusePushes(change: { readonly repository: string; readonly text?: string | undefined }): Promise<void>;
  /** What a repository's size is said to be, in kilobytes. */
  setSize(change: { readonly repository: string; readonly kilobytes: number }): void;
  suspendInstallation(id?: number): void;
  unsuspendInstallation(id?: number): void;
  /** Removes the installation; its tokens die with it. */
  uninstall(id?: number): void;
  /** Installs the App on all repositories of an account; gives the installation's id. */
  install(owner: string): number;
  /** Which repositories the installation covers, by `owner/name`, or `all`. */
  selectRepositories(repositories: 'all' | readonly string[], id?: number): void;
  /** What the installation grants from now on; tokens that were issued keep theirs. */
  setPermissions(permissions: Permissions, id?: number): void;
  /** Those that are kept, or all since there had been so many. Throws when some of these are not kept any more. */
  requests(since?: number): readonly RequestRecord[];
  /** As `requests`. */
  refUpdates(since?: number): readonly RefUpdateRecord[];
  /** How many there have been. */
  counts(): { readonly requests: number; readonly refUpdates: number };
  /** Every installation token there has been. */
  issuedTokens(): readonly string[];
  deliveries(): readonly Delivery[];
  redeliver(id: number): void;
  /** Resolves when every webhook has been sent and answered. Rejects after `timeout` milliseconds (30,000 when omitted). */
  hooksQuiet(timeout?: number): Promise<void>;
}

/** Control over a server. Functions throw when what they name is not there. */
export function createControl(hub: Hub): Control {
  const { world, faults, clock, audit } = hub;
  return {
    setWebhookUrl(url) {
      world.app.webhookUrl = url;
    },
    addFault: (rule) => faults.add(rule),
    clearFaults: () => faults.clear(),
    faults: () => faults.list(),
    expireTokens() {
      for (const token of Object.values(world.tokens)) {
        if (token.kind === 'installation') token.expiresAt = clock.now();
      }
    },
    advanceClock: (milliseconds) => clock.advance(milliseconds),
    setClock: (epochMilliseconds) => clock.set(epochMilliseconds),
    setRole: (change) => setRole(hub, change),
    createUser(user) {
      const { id, login } = ensureUser(hub, user);
      return { id, login, token: userToken(hub, login) };
    },
    async createRepository(seed) {
      const owner = seed.owner ?? accountById(world, installationNamed(hub).accountId).login;
      const repository = await ensureRepository(hub, { ...seed, owner }, []);
      return { id: repository.id, fullName: fullNameOf(world, repository) };
    },
    renameRepository: (change) => renameRepository(hub, change),
    deleteRepository: async (repository) => await deleteRepository(hub, repository),
    protectBranch: async ({ repository, branch }) =>
      await protect(hub, repository, (known) => [...new Set([...known, branch])]),
    unprotectBranch: async ({ repository, branch }) =>
      await protect(hub, repository, (known) => known.filter((one) => one !== branch)),
    refusePushes: async ({ repository, text }) =>
      await writeRefusal(gitDirectory(hub, repositoryNamed(hub, repository)), text),
    setSize({ repository, kilobytes }) {
      repositoryNamed(hub, repository).size = kilobytes;
    },
    suspendInstallation: (id) => suspend(hub, installationNamed(hub, id), true),
    unsuspendInstallation: (id) => suspend(hub, installationNamed(hub, id), false),
    uninstall: (id) => uninstall(hub, installationNamed(hub, id)),
    install: (owner) => installOn(hub, owner),
    selectRepositories: (repositories, id) => selectRepositories(hub, installationNamed(hub, id), repositories),
    setPermissions(permissions, id) {
      installationNamed(hub, id).permissions = permissions;
    },
    requests: (since) => (since === undefined ? audit.requests.kept() : audit.requests.since(since)),
    refUpdates: (since) => (since === undefined ? audit.refUpdates.kept() : audit.refUpdates.since(since)),
    counts: () => ({ requests: audit.requests.total(), refUpdates: audit.refUpdates.total() }),
    issuedTokens: () => [...audit.tokens],
    deliveries: () => [...world.deliveries],
    redeliver(id) {
      const delivery = world.deliveries.find((one) => one.id === id);
      if (delivery === undefined) throw new Error(`There is no delivery ${id}.`);
      hub.hooks.redeliver(delivery);
    },
    hooksQuiet: async (timeout = 30_000) => await within(hub.hooks.quiet(), timeout),
  };
}

async function within(task: Promise<void>, timeout: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`Webhooks were still being sent after ${timeout} ms.`)), timeout);
  });
  try {
    await Promise.race([task, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** The repository called `owner/name`. Throws when there is none. */
function repositoryNamed(hub: Hub, fullName: string): Repository {
  const found = repositoryByName(hub.world, fullName);
  if (found === undefined) throw new Error(`There is no repository ${fullName}.`);
  return found.repository;
}

/** An installation by id, or the first. Throws when there is none. */
export function installationNamed(hub: Hub, id?: number): Installation {
  const all = Object.values(hub.world.installations);
  const installation = id === undefined ? all[0] : hub.world.installations[id];
  if (installation === undefined)
    throw new Error(id === undefined ? 'The App is not installed.' : `There is no installation ${id}.`);
  return installation;
}

/** A user's personal token. Throws when there is no such user. */
export function userToken(hub: Hub, login: string): string {
  const account = accountByLogin(hub.world, login);
  const tokens = Object.values(hub.world.tokens);
  const token = tokens.find((one) => one.kind === 'user' && one.userId === account?.id);
  if (token === undefined) throw new Error(`There is no user ${login} with a token.`);
  return token.token;
}

// Whoever administers things here: GitHub names a person as the sender of such events.
function administrator(hub: Hub): Account {
  return (
    Object.values(hub.world.accounts).find((account) => account.type === 'User') ??
    accountById(hub.world, hub.world.app.ownerId)
  );
}

function setRole(hub: Hub, change: { readonly repository: string; readonly login: string; readonly role: Role }): void {
  const account = accountByLogin(hub.world, change.login);
  if (account === undefined) throw new Error(`There is no user ${change.login}.`);
  repositoryNamed(hub, change.repository).roles[account.id] = change.role;
}

function renameRepository(hub: Hub, change: { readonly repository: string; readonly name: string }): void {
  const repository = repositoryNamed(hub, change.repository);
  const from = repository.name;
  repository.formerNames.push(fullNameOf(hub.world, repository).toLowerCase());
  repository.name = change.name;
  emit(hub, 'repository', {
    repository,
    sender: administrator(hub),
    payload: { action: 'renamed', changes: { repository: { name: { from } } } },
  });
}

async function deleteRepository(hub: Hub, fullName: string): Promise<void> {
  const repository = repositoryNamed(hub, fullName);
  emit(hub, 'repository', {
    repository,
    sender: administrator(hub),
    payload: { action: 'deleted', repository: presentRepository(hub, repository) },
  });
  const { world } = hub;
  for (const table of [world.labels, world.issues, world.comments, world.checkRuns]) {
    for (const row of Object.values(table)) if (row.repositoryId === repository.id) delete table[row.id];
  }
  delete world.repositories[repository.id];
  await hub.lock(repository.id, async () => await removeBare(gitDirectory(hub, repository)));
}

async function protect(hub: Hub, fullName: string, change: (known: string[]) => string[]): Promise<void> {
  const repository = repositoryNamed(hub, fullName);
  repository.protectedBranches = change(repository.protectedBranches);
  await writeProtection(gitDirectory(hub, repository), repository.protectedBranches);
}

function suspend(hub: Hub, target: Installation, suspended: boolean): void {
  const installation = target;
  const sender = administrator(hub);
  installation.suspendedAt = suspended ? timestamp(hub.clock.now()) : null;
  installation.suspendedById = suspended ? sender.id : null;
  const action = suspended ? 'suspend' : 'unsuspend';
  tellInstallation(hub, installation, action);
}

function tellInstallation(hub: Hub, installation: Installation, action: string): void {
  const repositories = repositoriesOf(hub.world, installation).map((one) => presentRepositoryName(hub, one));
  emitInstallation(hub, 'installation', {
    installation,
    sender: administrator(hub),
    payload: { action, installation: presentInstallation(hub, installation), repositories },
  });
}

function uninstall(hub: Hub, installation: Installation): void {
  tellInstallation(hub, installation, 'deleted');
  delete hub.world.installations[installation.id];
  for (const token of Object.values(hub.world.tokens)) {
    if (token.kind === 'installation' && token.installationId === installation.id) delete hub.world.tokens[token.token];
  }
}

function installOn(hub: Hub, owner: string): number {
  const account = accountByLogin(hub.world, owner);
  if (account === undefined) throw new Error(`There is no account ${owner}.`);
  const installation = install(hub, account);
  tellInstallation(hub, installation, 'created');
  return installation.id;
}

function selectRepositories(hub: Hub, target: Installation, wanted: 'all' | readonly string[]): void {
  const installation = target;
  const before = repositoriesOf(hub.world, installation);
  installation.repositorySelection = wanted === 'all' ? 'all' : 'selected';
  installation.repositoryIds = wanted === 'all' ? [] : wanted.map((name) => repositoryNamed(hub, name).id);
  const after = repositoriesOf(hub.world, installation);
  const added = after.filter((repository) => !before.includes(repository));
  const removed = before.filter((repository) => !after.includes(repository));
  for (const [action, changed] of [
    ['added', added],
    ['removed', removed],
  ] as const) {
    if (changed.length === 0) continue;
    emitInstallation(hub, 'installation_repositories', {
      installation,
      sender: administrator(hub),
      payload: {
        action,
        installation: presentInstallation(hub, installation),
        repository_selection: installation.repositorySelection,
        repositories_added: action === 'added' ? changed.map((one) => presentRepositoryName(hub, one)) : [],
        repositories_removed: action === 'removed' ? changed.map((one) => presentRepositoryName(hub, one)) : [],
        requester: action === 'added' ? presentAccount(hub, administrator(hub)) : null,
      },
    });
  }
}
