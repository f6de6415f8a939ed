import { open, readdir, readFile, realpath } from 'node:fs/promises';
import path from 'node:path';
import type { ConversationFacts, Provider, SessionLayout } from '../../providers/provider.ts';
import { readOpencodeDatabase } from './opencode-database.ts';
import { repositoryOf } from './repository-of.ts';

/** A conversation of somebody's desk. */
export interface FoundConversation {
  readonly provider: string;
  readonly id: string;
  /** `owner/name`, as far as the conversation or its directory tells. */
  readonly repository: string | undefined;
  readonly cwd: string | undefined;
  /** Epoch milliseconds of the last change. */
  readonly at: number;
  readonly bytes: number;
  readonly words: string | undefined;
  /** Where it lies. */
  readonly file: string;
  /** The CLI's directory of conversations it lies below. */
  readonly root: string;
}

export interface Discovery {
  readonly conversations: readonly FoundConversation[];
  /** What is there and could not be read. */
  readonly problems: readonly Problem[];
}

interface Problem {
  readonly file: string;
  readonly message: string;
}

/** A conversation, or why there is none where one should be; undefined for what is a part of another. */
type Look = FoundConversation | Problem | undefined;

/** A home directory, and what of it lies elsewhere: by path below it, as `.claude`. */
export interface Home {
  readonly directory: string;
  readonly moved?: Readonly<Record<string, string>>;
}

/** Bytes read of a file's beginning; what CLIs tell a model before the person's words fits many times. */
const HEAD = 1024 * 1024;

/** A whole document is read up to this size. Bytes. */
const DOCUMENT = 64 * 1024 * 1024;

/** Files looked at below one directory of a CLI, and how deep. */
const MOST_FILES = 100_000;
const DEEPEST = 6;

/** Finds every conversation of `providers` below `home`. What is damaged is told and never fatal; nothing is written. */
export async function discover(
  home: Home,
  providers: readonly Pick<Provider, 'id' | 'sessions'>[],
): Promise<Discovery> {
  const looks: Look[] = [];
  const seen = new Set<string>();
  for (const provider of providers) {
    for (const layout of provider.sessions.layouts) {
      const root = placeOf(home, layout.directory);
      for (const file of await filesBelow(root)) {
        const named = layout.idOf(path.relative(root, file).split(path.sep).join('/'));
        if (named === undefined) continue;
        const real = await realpath(file).catch(() => file);
        if (seen.has(real)) continue;
        seen.add(real);
        looks.push(await lookAt({ provider: provider.id, root, file, named, layout }));
      }
    }
    if (provider.id === 'opencode') looks.push(...(await lookIntoOpencode(home)));
  }
  const found = looks.filter((look) => look !== undefined);
  return {
    conversations: found.filter((look) => 'id' in look).toSorted((a, b) => b.at - a.at),
    problems: found.filter((look): look is Problem => !('id' in look)),
  };
}

/** Where a directory below a home is. */
function placeOf({ directory, moved = {} }: Home, below: string): string {
  const prefix = Object.keys(moved).find((one) => below.startsWith(`${one}/`));
  const elsewhere = prefix === undefined ? undefined : moved[prefix];
  return prefix === undefined || elsewhere === undefined
    ? path.join(directory, below)
    : path.join(elsewhere, below.slice(prefix.length));
}

async function lookAt(of: {
  readonly provider: string;
  readonly root: string;
  readonly file: string;
  readonly named: string;
  readonly layout: SessionLayout;
}): Promise<Look> {
  const { provider, root, file, named, layout } = of;
  try {
    await using handle = await open(file, 'r');
    const { size, mtimeMs } = await handle.stat();
    const most = layout.format === 'lines' ? HEAD : DOCUMENT;
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.min(size, most)), 0, Math.min(size, most), 0);
    const text = buffer.toString('utf8', 0, bytesRead);
    const values = layout.format === 'lines' ? linesOf(text) : parse(text);
    if (values.length === 0) return { file, message: size === 0 ? 'it is empty' : 'nothing in it can be read' };
    const facts = merge(values.map(layout.read));
    if (facts.part === true) return undefined;
    const cwd = facts.cwd ?? (await cwdBeside(file, layout));
    const repository = await repositoryOf({ ...facts, cwd });
    const id = facts.id ?? named;
    return { provider, id, repository, cwd, at: mtimeMs, bytes: size, words: facts.words, file, root };
  } catch (error) {
    return { file, message: error instanceof Error ? error.message : String(error) };
  }
}

async function cwdBeside(file: string, { cwdFile }: SessionLayout): Promise<string | undefined> {
  if (cwdFile === undefined) return undefined;
  const text = await readFile(path.join(path.dirname(file), cwdFile), 'utf8').catch(() => '');
  return text.trim() === '' ? undefined : text.trim();
}

async function lookIntoOpencode(home: Home): Promise<readonly Look[]> {
  const file = placeOf(home, '.local/share/opencode/opencode.db');
  try {
    const rows = await readOpencodeDatabase(file);
    return await Promise.all(
      rows.map(async (row) => ({
        provider: 'opencode',
        repository: await repositoryOf(row),
        file,
        root: path.dirname(file),
        ...row,
      })),
    );
  } catch (error) {
    return [{ file, message: error instanceof Error ? error.message : String(error) }];
  }
}

/** The first value to tell something is believed. */
function merge(all: readonly ConversationFacts[]): ConversationFacts {
  const merged: { -readonly [Key in keyof ConversationFacts]: ConversationFacts[Key] } = {};
  for (const facts of all) {
    merged.id ??= facts.id;
    merged.cwd ??= facts.cwd;
    merged.remote ??= facts.remote;
    merged.startedAt ??= facts.startedAt;
    merged.words ??= facts.words;
    merged.part ??= facts.part;
  }
  return merged;
}

/** The lines that can be read; the last may be cut off. */
function linesOf(text: string): readonly unknown[] {
  return text.split('\n').flatMap((line) => (line.trim() === '' ? [] : parse(line)));
}

function parse(text: string): readonly unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}

/** Plain files below a directory that may not be there; links to directories are not followed, beyond the directory itself. */
async function filesBelow(root: string): Promise<readonly string[]> {
  const files: string[] = [];
  const waiting: { readonly directory: string; readonly depth: number }[] = [{ directory: root, depth: 0 }];
  for (let next = waiting.pop(); next !== undefined && files.length < MOST_FILES; next = waiting.pop()) {
    const { directory, depth } = next;
    for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
      const full = path.join(directory, entry.name);
      if (entry.isFile()) files.push(full);
      else if (entry.isDirectory() && depth < DEEPEST) waiting.push({ directory: full, depth: depth + 1 });
    }
  }
  return files;
}
