import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';
import { digest } from '../../domain/ids.ts';
import type { Repository } from '../../domain/repository.ts';
import type { Provider } from '../../providers/provider.ts';
import type { Shelf } from '../../sessions/shelf.ts';
import { discover, type FoundConversation, type Home } from './discover.ts';

export interface ImportDeps {
  readonly homes: readonly Home[];
  readonly providers: readonly Provider[];
  readonly shelf: Pick<Shelf, 'put'>;
  /** The repositories Maestro is installed on. */
  readonly repositories: () => Promise<readonly Repository[]>;
  /** The conversation, by its provider's id. */
  readonly id: string;
  /** `owner/name` it is about, where the conversation does not tell. */
  readonly repository?: string | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
  readonly write: { readonly out: (text: string) => void; readonly error: (text: string) => void };
}

/**
 * `maestro sessions import ID`: puts a conversation of a desk on the shelf, for runs on the repository it is about. Answers the exit
 * code: 0, or 1 when it can't be done, which is told on `write.error`.
 */
export async function importCommand(deps: ImportDeps): Promise<number> {
  const { write } = deps;
  try {
    write.out(`${await importConversation(deps)}\n`);
    return 0;
  } catch (error) {
    if (!(error instanceof NotImported)) throw error;
    write.error(`${error.message}\n`);
    return 1;
  }
}

/** Why a conversation was not imported, and what to do. */
class NotImported extends Error {
  override readonly name = 'NotImported';
}

async function importConversation(deps: ImportDeps): Promise<string> {
  const found = (await Promise.all(deps.homes.map(async (home) => await discover(home, deps.providers)))).flatMap(
    ({ conversations }) => conversations,
  );
  const conversation = found.find(({ id }) => id === deps.id);
  if (conversation === undefined) {
    throw new NotImported(`There is no conversation ${deps.id}: \`maestro sessions\` lists those there are.`);
  }
  const provider = deps.providers.find(({ id }) => id === conversation.provider);
  if (provider?.sessions.elsewhere !== true) {
    throw new NotImported(
      `${provider?.title ?? conversation.provider} goes on with a conversation only in the directory it was begun in, which a run's container does not have.`,
    );
  }
  const name = deps.repository ?? conversation.repository;
  if (name === undefined)
    throw new NotImported('It does not tell what repository it is about: say it with --repository owner/name.');
  const repository = (await deps.repositories()).find(
    (one) => `${one.owner}/${one.name}`.toLowerCase() === name.toLowerCase(),
  );
  if (repository === undefined)
    throw new NotImported(`Maestro is not installed on ${name}: say another with --repository.`);
  const kept = await deps.shelf.put(
    {
      id: `import-${digest(`${provider.id} ${conversation.id}`, 15)}`,
      repository: { id: repository.id, name: `${repository.owner}/${repository.name}` },
      provider: provider.id,
      conversation: conversation.id,
      cwd: conversation.cwd ?? '',
      title: conversation.words ?? '',
      startedAt: conversation.at,
      // From now on it is kept as long as any other.
      endedAt: deps.now,
      imported: true,
    },
    async (sink) => {
      const { home, paths } = await filesOf(conversation, provider);
      const tar = execa('tar', ['-c', '-f', '-', '-C', home, '--null', '-T', '-'], {
        input: paths.map((one) => `./${one}\0`).join(''),
        encoding: 'buffer',
        buffer: false,
      });
      for await (const chunk of tar.iterable({ from: 'stdout', binary: true })) {
        if (!sink.write(chunk)) await new Promise((resolve) => sink.once('drain', resolve));
      }
      await tar;
    },
  );
  if (kept === undefined) throw new NotImported('It is too large to be kept, or MAESTRO_SESSIONS_MB is 0.');
  return `Imported for ${kept.repository.name}: /maestro run resume=${kept.conversation}`;
}

/** The plain files of one conversation, relative to a home that they are below as the CLI has them. */
async function filesOf(
  conversation: FoundConversation,
  provider: Provider,
): Promise<{ readonly home: string; readonly paths: readonly string[] }> {
  const { file, root } = conversation;
  const below = provider.sessions.layouts.find(({ directory }) => root.endsWith(directory))?.directory;
  const [target] = provider.sessions.directories;
  if (below === undefined || below !== target) {
    throw new NotImported(
      `${file} is in a place this version of ${provider.title} does not look in: go on with it there once.`,
    );
  }
  const home = root.slice(0, -below.length);
  // What belongs to a conversation lies in a directory of its name, or is its one file.
  const named = path.basename(file).startsWith('events.') ? path.dirname(file) : file.replace(/\.jsonl$/, '');
  const beside = (await stat(named).catch(() => undefined))?.isDirectory() === true ? await filesIn(named) : [];
  return { home, paths: [...new Set([file, ...beside])].map((one) => path.relative(home, one)) };
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}
