import { SETTINGS_FILE, type Defaults } from '../domain/defaults.ts';
import type { Problem } from '../domain/playbook.ts';
import { fullName, type Repository } from '../domain/repository.ts';
import { ForgeError, type FileContent, type Forge } from '../forge/forge.ts';
import { parseSettingsFile, type SettingsFile } from '../playbook/settings-file.ts';
import type { Store } from '../store/store.ts';
import type { Clock } from '../domain/clock.ts';

export interface DefaultsDeps {
  readonly forge: Pick<Forge, 'readFile' | 'dotGithub'>;
  readonly store: Pick<Store, 'findMarks' | 'setMark'>;
  readonly clock: Clock;
}

/** A version of the file that was found. */
interface Version extends SettingsFile {
  readonly blob: string;
  /** Undefined for one that is no text. */
  readonly text: string | undefined;
}

/**
 * The defaults in effect for a run that starts from the commit `head` of a repository's default branch, the nearest first: its own, and
 * those of its owner. Where the newest version of a file has problems, the last one without goes on to count. Rejects with `ForgeError`
 * when GitHub gives no answer: nothing runs with half its settings.
 */
export async function defaultsOf(
  deps: DefaultsDeps,
  repository: Repository,
  head: string,
): Promise<readonly Defaults[]> {
  return await bothLevels(deps, repository, head, rememberGood);
}

/** The same for a run that began in the past: what counted then is nothing to go back to. */
export async function defaultsBack(
  deps: DefaultsDeps,
  repository: Repository,
  head: string,
): Promise<readonly Defaults[]> {
  return await bothLevels(deps, repository, head, async () => {});
}

async function bothLevels(
  deps: DefaultsDeps,
  repository: Repository,
  head: string,
  remember: typeof rememberGood,
): Promise<readonly Defaults[]> {
  const own = await inForce(deps, { level: 'repository', repository, ref: head }, remember);
  const shared = await deps.forge.dotGithub(repository);
  if (shared === undefined || shared.id === repository.id) return [own];
  const place = { level: 'organisation', repository: shared, ref: shared.defaultBranch } as const;
  return [own, await inForce(deps, place, remember)];
}

interface Place {
  readonly level: Defaults['level'];
  readonly repository: Repository;
  readonly ref: string;
}

async function inForce(
  deps: DefaultsDeps,
  { level, repository, ref }: Place,
  remember: typeof rememberGood,
): Promise<Defaults> {
  const found = await readVersion(deps.forge, repository, ref);
  const where = { level, repository: fullName(repository) };
  if (found === undefined || found.problems.length === 0) {
    await remember(deps, repository, found);
    return { ...where, blob: found?.blob, settings: found?.settings ?? {} };
  }
  const last = await lastGood(deps, repository);
  return { ...where, blob: last?.blob, settings: last?.settings ?? {}, problems: found.problems };
}

/** The file at a commit or branch, parsed; undefined when there is none. */
export async function readVersion(
  forge: Pick<Forge, 'readFile'>,
  repository: Repository,
  ref: string,
): Promise<Version | undefined> {
  try {
    const file = await forge.readFile(repository, SETTINGS_FILE, ref);
    return file && { blob: file.blob, text: file.text, ...parseSettingsFile(file.text) };
  } catch (error) {
    if (!(error instanceof ForgeError) || error.kind !== 'invalid') throw error;
    return { blob: 'unreadable', text: undefined, settings: {}, problems: [UNREADABLE] };
  }
}

const UNREADABLE: Problem = {
  line: 1,
  column: 1,
  message: "The file can't be read: it is not UTF-8, or it is larger than 1 MB.",
  fix: 'Save it as UTF-8 text, and keep only settings in it.',
};

/** Remembers the version of a repository's file that has no problems, and that there is none. */
export async function rememberGood(
  deps: Pick<DefaultsDeps, 'store' | 'clock'>,
  repository: Repository,
  version: Version | undefined,
): Promise<void> {
  if (await isRemembered(deps, repository, version)) return;
  const value = version === undefined ? null : { blob: version.blob, text: version.text };
  const name = markOf(repository);
  await deps.store.setMark(name, { value, at: deps.clock.now() });
}

/** Whether this version, or that there is none, is the last one without problems that is known. */
export async function isRemembered(
  deps: Pick<DefaultsDeps, 'store'>,
  repository: Repository,
  version: Version | undefined,
): Promise<boolean> {
  return (await remembered(deps, repository))?.blob === version?.blob;
}

/** As it was remembered, read with today's eyes; undefined when there was none. */
async function lastGood(
  deps: Pick<DefaultsDeps, 'store'>,
  repository: Repository,
): Promise<{ readonly blob: string; readonly settings: Defaults['settings'] } | undefined> {
  const known = await remembered(deps, repository);
  if (known === undefined) return undefined;
  const { settings, problems } = parseSettingsFile(known.text);
  return problems.length === 0 ? { blob: known.blob, settings } : undefined;
}

async function remembered(
  { store }: Pick<DefaultsDeps, 'store'>,
  repository: Repository,
): Promise<FileContent | undefined> {
  const name = markOf(repository);
  const found = (await store.findMarks([name])).get(name)?.value as FileContent | null | undefined;
  return found ?? undefined;
}

function markOf({ id }: Repository): string {
  return `defaults/${id}`;
}
