import type { KeptSession, Shelf } from '../../sessions/shelf.ts';
import type { Provider } from '../../providers/provider.ts';
import { discover, type Discovery, type Home } from './discover.ts';

export interface SessionsDeps {
  /** Where `.claude`, `.codex` and the like are. */
  readonly homes: readonly Home[];
  readonly providers: readonly Pick<Provider, 'id' | 'sessions'>[];
  readonly shelf: Pick<Shelf, 'list'>;
  /** Only conversations of this provider. */
  readonly provider?: string | undefined;
  /** Only conversations about this repository, `owner/name` in any case. */
  readonly repository?: string | undefined;
  /** Print one JSON document instead of a table. */
  readonly json: boolean;
  /** Lines of the table; 0 for all. */
  readonly limit: number;
  readonly write: { readonly out: (text: string) => void; readonly error: (text: string) => void };
}

/** A conversation that can be listed, found at a desk or kept of a run. */
interface Listed {
  readonly provider: string;
  readonly id: string;
  readonly repository: string | undefined;
  readonly at: number;
  readonly bytes: number;
  readonly words: string | undefined;
  /** Where it is kept: `desk`, or below which id it is on the shelf. */
  readonly kept: string | undefined;
  readonly file: string | undefined;
}

/**
 * `maestro sessions`: lists the conversations of agents on this machine, newest first, as a table or as one JSON document
 * `{ sessions, problems }`. Answers the exit code: 0, also when some could not be read, which is told on `write.error`.
 */
export async function sessionsCommand(deps: SessionsDeps): Promise<number> {
  const { provider, repository, json, limit, write } = deps;
  const wanted = deps.providers.filter(({ id }) => provider === undefined || id === provider);
  const found = await Promise.all(deps.homes.map(async (home) => await discover(home, wanted)));
  const problems = found.flatMap((one) => one.problems);
  const kept = (await deps.shelf.list()).filter((session) => provider === undefined || session.provider === provider);
  const sessions = [...kept.map(fromShelf), ...found.flatMap(fromDesk)]
    .filter((one) => repository === undefined || one.repository?.toLowerCase() === repository.toLowerCase())
    .toSorted((a, b) => b.at - a.at);
  if (json) {
    write.out(`${JSON.stringify({ sessions: sessions.map(asJson), problems }, undefined, 2)}\n`);
    return 0;
  }
  write.out(tableOf(sessions, limit));
  for (const { file, message } of problems) write.error(`${printable(file)}: ${printable(message)}\n`);
  return 0;
}

function fromShelf({ provider, conversation, repository, endedAt, bytes, title, id }: KeptSession): Listed {
  return {
    provider,
    id: conversation,
    repository: repository.name,
    at: endedAt,
    bytes,
    words: title,
    kept: id,
    file: undefined,
  };
}

function fromDesk({ conversations }: Discovery): readonly Listed[] {
  return conversations.map(({ provider, id, repository, at, bytes, words, file }) => ({
    provider,
    id,
    repository,
    at,
    bytes,
    words,
    kept: undefined,
    file,
  }));
}

function asJson({ provider, id, repository, at, bytes, words, kept, file }: Listed): object {
  const time = new Date(at).toISOString();
  return {
    provider,
    id,
    repository: repository ?? null,
    at: time,
    bytes,
    words: words ?? null,
    kept: kept ?? null,
    file: file ?? null,
  };
}

function tableOf(sessions: readonly Listed[], limit: number): string {
  if (sessions.length === 0) return 'No conversations were found.\n';
  const shown = limit === 0 ? sessions : sessions.slice(0, limit);
  const rows = shown.map(({ at, provider, kept, id, repository, bytes, words }) => [
    new Date(at).toISOString().slice(0, 16).replace('T', ' '),
    provider,
    kept === undefined ? 'desk' : 'kept',
    printable(id),
    printable(repository ?? '-'),
    size(bytes),
    printable(words ?? ''),
  ]);
  const table = [['TIME (UTC)', 'PROVIDER', 'WHERE', 'ID', 'REPOSITORY', 'SIZE', 'FIRST WORDS'], ...rows];
  const widths = table[0]?.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const more = sessions.length - shown.length;
  return `${[...lines, ...(more > 0 ? [`… and ${more} more: --limit 0 shows all.`] : [])].join('\n')}\n`;
}

function size(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} kB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

/** On one line, without the control and formatting characters a terminal would obey. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '\uFFFD').slice(0, 100);
}
