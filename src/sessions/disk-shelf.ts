import { createWriteStream } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { z } from 'zod';
import { around } from '../telemetry/failpoint.ts';
import type { Log } from '../telemetry/log.ts';
import { maskSecrets } from './mask.ts';
import type { KeptSession, SessionFacts, Shelf } from './shelf.ts';

export interface DiskShelfOptions {
  /** Holds `<repository id>/<session id>.tar.gz`, and beside each what is known of it, as `.json`. */
  readonly directory: string;
  /** Values that must not be in an archive, as they are now. */
  readonly secrets: () => readonly string[];
  /** Largest archive kept, before it is compressed. */
  readonly mostBytes: number;
  /** Disk that all archives together may take; 0 keeps none. */
  readonly budgetBytes: number;
  /** How long an archive is kept. Milliseconds. */
  readonly keepMs: number;
  readonly log: Log;
}

/** Least time between two looks at what is to be let go. Milliseconds. */
const TIDY_MS = 10 * 60_000;

/** How long what a process left half written may lie. Milliseconds. */
const UNFINISHED_MS = 24 * 3_600_000;

const ARCHIVE = '.tar.gz';

const facts = z.object({
  id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,119}$/),
  repository: z.object({ id: z.number().int(), name: z.string() }),
  provider: z.string(),
  conversation: z.string(),
  cwd: z.string(),
  title: z.string(),
  startedAt: z.number(),
  endedAt: z.number(),
  imported: z.boolean(),
});

/** As it stands in the `.json`. */
const record = facts.extend({ bytes: z.number() });
const VERSION = z.object({ version: z.literal(1) });

/** A shelf in a directory. The `.json` of a session is written last: an archive without one is not there. */
export function createDiskShelf(options: DiskShelfOptions): Shelf {
  const { directory, log } = options;
  let tidied = -Infinity;
  const baseOf = ({ id, repository }: Pick<KeptSession, 'id' | 'repository'>): string =>
    path.join(directory, String(repository.id), id);

  async function put(about: SessionFacts, fill: Parameters<Shelf['put']>[1]): Promise<KeptSession | undefined> {
    if (options.budgetBytes === 0) return undefined;
    const base = baseOf(facts.parse(about));
    const unfinished = `${base}.unfinished`;
    await mkdir(path.dirname(base), { recursive: true, mode: 0o700 });
    const [first, counter] = [maskSecrets(options.secrets()), limiter(options.mostBytes)];
    const file = createWriteStream(unfinished, { mode: 0o600 });
    const written = pipeline(first, counter.stream, createGzip(), file);
    written.catch(() => undefined);
    try {
      await fill(first);
      first.end();
      await written;
      if (counter.bytes() === 0) return undefined;
      if (counter.bytes() > options.mostBytes) {
        log.warn({ session: about.id, bytes: counter.bytes() }, 'the files of a conversation are too large to be kept');
        return undefined;
      }
      const kept = { ...about, bytes: (await stat(unfinished)).size };
      await rename(unfinished, `${base}${ARCHIVE}`);
      await writeFile(`${base}.new`, `${JSON.stringify({ version: 1, ...kept })}\n`, { mode: 0o600 });
      await rename(`${base}.new`, `${base}.json`);
      return kept;
    } finally {
      first.destroy();
      await written.catch(() => undefined);
      await rm(unfinished, { force: true });
    }
  }

  async function list(repositoryId?: number): Promise<readonly KeptSession[]> {
    const repositories = repositoryId === undefined ? await readdir(directory).catch(() => []) : [String(repositoryId)];
    const found = await Promise.all(repositories.map(async (name) => await listIn(path.join(directory, name))));
    return found.flat().toSorted((a, b) => b.endedAt - a.endedAt);
  }

  async function remove(session: KeptSession): Promise<void> {
    await rm(`${baseOf(session)}.json`, { force: true });
    await rm(`${baseOf(session)}${ARCHIVE}`, { force: true });
  }

  return {
    put: async (about, fill) => await around('shelve', { perform: async () => await put(about, fill) }),
    list,
    read: async (session) => await readFile(`${baseOf(session)}${ARCHIVE}`).catch(() => undefined),

    async tidy(now) {
      if (now - tidied < TIDY_MS) return 0;
      tidied = now;
      const all = await list();
      let total = 0;
      const going = all.filter(({ bytes, endedAt }) => {
        total += bytes;
        return endedAt < now - options.keepMs || total > options.budgetBytes;
      });
      for (const session of going) await remove(session);
      await removeUnfinished(directory, now);
      if (going.length > 0) log.info({ sessions: going.length }, 'old conversations were let go');
      return going.length;
    },
  };
}

/** The sessions a repository's directory holds; what is damaged counts as not there. */
async function listIn(directory: string): Promise<readonly KeptSession[]> {
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.endsWith('.json'));
  const read = await Promise.all(
    names.map(async (name) => {
      const text = await readFile(path.join(directory, name), 'utf8').catch(() => '');
      const value = parsedOr(text);
      const parsed = record.safeParse(value);
      const isNamed = parsed.data?.id === name.slice(0, -'.json'.length);
      return parsed.success && isNamed && VERSION.safeParse(value).success ? [parsed.data] : [];
    }),
  );
  return read.flat();
}

function parsedOr(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Removes what was being written when a process died, and archives whose record never came or went first. */
async function removeUnfinished(directory: string, now: number): Promise<void> {
  for (const repository of await readdir(directory).catch(() => [])) {
    const names: readonly string[] = await readdir(path.join(directory, repository)).catch(() => []);
    for (const name of names) {
      const isWhole = name.endsWith('.json') || names.includes(name.replace(ARCHIVE, '.json'));
      const file = path.join(directory, repository, name);
      const age = isWhole ? 0 : now - ((await stat(file).catch(() => undefined))?.mtimeMs ?? now);
      if (age > UNFINISHED_MS) await rm(file, { force: true });
    }
  }
}

/** Passes on at most `most` bytes and counts all. */
function limiter(most: number): { readonly stream: Transform; bytes(): number } {
  let bytes = 0;
  const stream = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      const room = Math.max(0, most - bytes);
      bytes += chunk.length;
      done(undefined, chunk.length <= room ? chunk : chunk.subarray(0, room));
    },
  });
  return { stream, bytes: () => bytes };
}
