import { existsSync, statSync } from 'node:fs';
import { z } from 'zod';
import { saidIn, wordsOf } from '../../providers/conversation-facts.ts';

const row = z.object({
  id: z.string(),
  directory: z.string().nullish(),
  title: z.string().nullish(),
  updated: z.number(),
  words: z.string().nullish(),
  bytes: z.number().nullish(),
});

/** Conversations that are no part of another, with the first text of a person and how much is said in them. */
const CONVERSATIONS = `
  SELECT s.id, s.directory, s.title, s.time_updated AS updated,
    (SELECT json_extract(p.data, '$.text') FROM message m JOIN part p ON p.message_id = m.id
      WHERE m.session_id = s.id AND json_extract(m.data, '$.role') = 'user' AND json_extract(p.data, '$.type') = 'text'
      ORDER BY m.time_created, p.id LIMIT 1) AS words,
    (SELECT sum(length(p.data)) FROM part p WHERE p.session_id = s.id) AS bytes
  FROM session s WHERE s.parent_id IS NULL`;

interface OpencodeConversation {
  readonly id: string;
  readonly cwd: string | undefined;
  readonly at: number;
  readonly bytes: number;
  readonly words: string | undefined;
}

/** The conversations in OpenCode's database, which is only read; none when there is no such file. Rejects when it is another's. */
export async function readOpencodeDatabase(file: string): Promise<readonly OpencodeConversation[]> {
  if (!existsSync(file) || statSync(file).size === 0) return [];
  const { DatabaseSync } = await import('node:sqlite');
  const rows = (address: string): readonly unknown[] => {
    const database = new DatabaseSync(address, { readOnly: true });
    try {
      return database.prepare(CONVERSATIONS).all();
    } finally {
      database.close();
    }
  };
  const read = (): readonly unknown[] => {
    try {
      return rows(file);
    } catch {
      // Where nothing may be written beside it, such as on a read-only mount, it can be read as it was last put together.
      return rows(`file:${encodeURI(file)}?immutable=1`);
    }
  };
  return read().flatMap((value) => {
    const { data } = row.safeParse(value);
    if (data === undefined) return [];
    const words = wordsOf(saidIn(data.words ?? undefined)) ?? wordsOf(data.title ?? undefined);
    return [{ id: data.id, cwd: data.directory ?? undefined, at: data.updated, bytes: data.bytes ?? 0, words }];
  });
}
