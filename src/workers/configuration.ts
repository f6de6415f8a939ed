import { FILE_MODE } from '../domain/file-mode.ts';
import path from 'node:path';
import { withValues, type RepositoryServer } from '../domain/mcp.ts';
import { fullName } from '../domain/repository.ts';
import { codeSpan } from '../domain/report/untrusted-text.ts';
import { configFileAt, matchesRepository, trustedIn, withheldNote, type Withheld } from '../domain/trust.ts';
import { maskedCommit, type Masked } from '../git/mask.ts';
import { differences, readBlob, writeBlob, type Entry, type TreeFile } from '../git/tree.ts';
import { readServers, SERVER_FILES } from '../playbook/mcp-servers.ts';
import { showConfig } from '../playbook/repository-config.ts';
import { defaultBranchOf, type DefaultBranch } from './default-branch.ts';
import type { HeldRun } from './held-run.ts';
import type { RunScope, Seen } from './record.ts';

/** What of a repository's own agent configuration is in effect for a run: the default branch's, as far as it is trusted. */
export interface Configuration {
  /** How each of its files is shown; undefined for not at all. A path that is not here was not there. */
  readonly shown: ReadonlyMap<string, { readonly entry: Entry; readonly whole: boolean }>;
  readonly servers: ReadonlyMap<string, RepositoryServer>;
}

/** Decided once a run: the commit never changes. */
const known = new WeakMap<HeldRun, Promise<Configuration>>();

/** The configuration of a run's agents. Notes for people what was left out of it. */
export async function configurationOf(scope: RunScope): Promise<Configuration> {
  const before = known.get(scope.held);
  if (before !== undefined) return await before;
  const reading = readConfiguration(scope);
  known.set(scope.held, reading);
  reading.catch(() => known.delete(scope.held));
  return await reading;
}

/**
 * What the next session finds at the tip of the run's branch, or at a commit of ours on top of it: configuration that an earlier
 * session wrote is there, for people to review, but not in effect.
 */
export async function seenAt(scope: RunScope, tip: string): Promise<Seen> {
  const last = lastSeen.get(scope.held);
  if (last?.tip === tip) return last.seen;
  const seen = await lookFor(scope, tip);
  lastSeen.set(scope.held, { tip, seen });
  return seen;
}

/** What was found last for a run, and where. */
const lastSeen = new WeakMap<HeldRun, { readonly tip: string; readonly seen: Seen }>();

/** Tells of a commit on the run's tip that changes no configuration: as long as none was masked before, none is there. */
export function noteUnconfigured({ held }: RunScope, commit: string): void {
  const last = lastSeen.get(held);
  if (last?.tip === held.run.tip && last.seen.masked.length === 0)
    lastSeen.set(held, { tip: commit, seen: { commit, masked: [] } });
}

async function lookFor(scope: RunScope, tip: string): Promise<Seen> {
  const { mirror, held } = scope;
  const { base, createdAt } = held.run;
  const { shown } = await configurationOf(scope);
  const branch = await defaultBranchOf(scope);
  const there = new Map(branch.files.filter(isConfiguration).map((file) => [file.path, file]));
  const changes = tip === base.sha ? [] : await differences(mirror, base.sha, tip);
  for (const change of changes.filter(isConfiguration)) {
    if (change.status === 'removed') there.delete(change.path);
    else there.set(change.path, change);
  }
  const masked = [...new Set([...shown.keys(), ...there.keys()])].flatMap((path): readonly Masked[] => {
    const now = entryOf(there.get(path));
    const wanted = shown.get(path);
    if (now?.oid === wanted?.entry?.oid && now?.mode === wanted?.entry?.mode) return [];
    return [{ path, there: now, shown: wanted?.entry, whole: wanted?.whole ?? false }];
  });
  if (masked.length === 0) return { commit: tip, masked };
  return { commit: await maskedCommit(mirror, tip, masked, createdAt), masked };
}

/** Whether a file is one of those that tell agents what to do or to run. */
export function isConfiguration({ path }: { readonly path: string }): boolean {
  return configFileAt(path) !== undefined;
}

function entryOf(file: TreeFile | undefined): Entry {
  return file === undefined ? undefined : { mode: file.mode, oid: file.oid };
}

async function readConfiguration(scope: RunScope): Promise<Configuration> {
  const { deps, held, announcer } = scope;
  const repository = fullName(held.run.repository);
  const branch = await defaultBranchOf(scope);
  const trusted = trustedIn(deps.settings.trust, repository);
  const shown = new Map<string, { readonly entry: Entry; readonly whole: boolean }>();
  const withheld: Withheld[] = [];
  for (const file of branch.files) {
    const kind = configFileAt(file.path);
    if (kind === undefined) continue;
    const real = await realFile(scope, branch, file);
    const text = real.oid === undefined ? undefined : new TextDecoder().decode(await readBlob(scope.mirror, real.oid));
    const how = showConfig(kind, text, trusted);
    if (how.needs.length > 0) withheld.push({ path: file.path, needs: how.needs });
    const entry =
      how.text === null
        ? undefined
        : how.text === undefined
          ? real.entry
          : { mode: FILE_MODE.file, oid: await writeBlob(scope.mirror, Buffer.from(how.text)) };
    shown.set(file.path, { entry, whole: how.text === undefined });
  }
  if (withheld.length > 0) announcer.note(withheldNote(withheld, repository, codeSpan));
  const servers = trusted.has('mcp') ? await serversOf(scope, branch, repository) : new Map<string, RepositoryServer>();
  return { shown, servers };
}

/**
 * What a file of the configuration holds. A link to another file of the repository (`CLAUDE.md` to `docs/guide.md`) is shown as a
 * file with what that held on the default branch: what the link leads to on the run's branch is anybody's.
 */
async function realFile(
  { mirror }: RunScope,
  branch: DefaultBranch,
  file: TreeFile,
): Promise<{ readonly entry: Entry; readonly oid: string | undefined }> {
  const itself = { mode: file.mode, oid: file.oid };
  if (file.mode !== FILE_MODE.link) return { entry: itself, oid: file.oid };
  const target = Buffer.from(await readBlob(mirror, file.oid)).toString('utf8');
  const at = path.posix.normalize(path.posix.join(path.posix.dirname(file.path), target));
  const found = branch.files.find((one) => one.path === at && one.mode !== FILE_MODE.link);
  if (found === undefined) return { entry: undefined, oid: undefined };
  // A link to what is masked itself shows what that shows.
  return { entry: configFileAt(at) === undefined ? { mode: FILE_MODE.file, oid: found.oid } : itself, oid: found.oid };
}

async function serversOf(
  scope: RunScope,
  branch: DefaultBranch,
  repository: string,
): Promise<ReadonlyMap<string, RepositoryServer>> {
  const values = new Map(
    scope.deps.settings.mcpSecrets
      .filter(({ repositories }) => matchesRepository(repositories, repository))
      .map(({ name, value }) => [name, value]),
  );
  const servers = new Map<string, RepositoryServer>();
  for (const [file, key] of SERVER_FILES) {
    const text = await branch.read(file);
    for (const [name, server] of readServers(text ?? '', key)) {
      if (servers.has(name)) continue;
      const filled = withValues(server, values);
      if ('server' in filled) servers.set(name, filled.server);
      else {
        const missing = filled.missing.map(codeSpan).join(', ');
        scope.announcer.note(
          `The MCP server ${codeSpan(name)} was left out: there is no value for ${missing}. Whoever operates Maestro can give one in ${codeSpan('MAESTRO_MCP_SECRETS')}.`,
        );
      }
    }
  }
  return servers;
}

/** Hosts of servers that are reached over HTTPS. */
export function serverHosts(servers: ReadonlyMap<string, RepositoryServer>): readonly string[] {
  return [...servers.values()].flatMap((server) => {
    const url = server.kind === 'http' ? URL.parse(server.url) : null;
    return url?.protocol === 'https:' && (url.port === '' || url.port === '443') ? [url.hostname] : [];
  });
}
