import { LRUCache } from 'lru-cache';
import type { Mirror } from './mirror.ts';

/** Longest content kept of one object. Bytes. */
const LONGEST = 64 * 1024;

/** Content kept in all. Bytes; what is said of an object counts as a hundred. */
const MOST = 16 * 1024 ** 2;

type Known = { readonly said: string | undefined } | { readonly content: Uint8Array };

const known = new LRUCache<string, Known>({
  maxSize: MOST,
  sizeCalculation: (one) => ('content' in one ? one.content.byteLength : 0) + 100,
});

/**
 * What git says of an object, asked once: objects never change. Only names that are whole object ids are remembered, and nothing that
 * failed. A task needs git for what is new, and starting it costs more than what it does.
 *
 * @param question What is asked, and of which objects first.
 */
export async function onceAsked(
  mirror: Mirror,
  question: readonly [kind: string, oid: string, ...more: readonly string[]],
  ask: () => Promise<string | undefined>,
): Promise<string | undefined> {
  const key = keyOf(mirror, question);
  const before = known.get(key);
  if (before !== undefined && 'said' in before) return before.said;
  const said = await ask();
  note(mirror, question, said);
  return said;
}

/** Remembers what git would say. */
export function note(
  mirror: Mirror,
  question: readonly [kind: string, oid: string, ...more: readonly string[]],
  said: string | undefined,
): void {
  if (isWhole(question[1])) known.set(keyOf(mirror, question), { said });
}

/** As `onceAsked`, for what an object holds. */
export async function onceRead(mirror: Mirror, oid: string, read: () => Promise<Uint8Array>): Promise<Uint8Array> {
  const before = known.get(keyOf(mirror, ['content', oid]));
  if (before !== undefined && 'content' in before) return before.content.slice();
  const content = await read();
  noteContent(mirror, oid, content);
  return content;
}

/** Remembers what an object holds, unless that is long. */
export function noteContent(mirror: Mirror, oid: string, content: Uint8Array): void {
  if (isWhole(oid) && content.byteLength <= LONGEST)
    known.set(keyOf(mirror, ['content', oid]), { content: content.slice() });
}

function isWhole(oid: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(oid);
}

function keyOf(mirror: Mirror, question: readonly string[]): string {
  return [mirror.gitDir, ...question].join('\0');
}
