import { z } from 'zod';

/** Characters of somebody's first words that are kept. */
const KEPT = 200;

const block = z.object({ text: z.string() });

/** Epoch milliseconds of an ISO time; undefined for what is none. */
export function fromIso(time: string | undefined): number | undefined {
  const at = Date.parse(time ?? '');
  return Number.isNaN(at) ? undefined : at;
}

/** The text of a message's content, which is a text, or blocks of which some have one; the first that is not the CLI's own. */
export function saidIn(content: unknown): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = content.flatMap((one: unknown) => block.safeParse(one).data?.text ?? []);
  return texts.find((text) => wordsOf(text) !== undefined);
}

/**
 * The first words of a text on one line, cut to a bounded length; undefined for none, and for what CLIs put into a person's mouth:
 * context and instructions between tags, and the repository's AGENTS.md.
 */
export function wordsOf(text: string | undefined): string | undefined {
  const line =
    text
      ?.slice(0, 10 * KEPT)
      .replaceAll(/\s+/g, ' ')
      .trim() ?? '';
  if (line === '' || /^<[a-z_-]+[ >]/i.test(line) || line.startsWith('# AGENTS.md instructions')) return undefined;
  return line.length <= KEPT ? line : `${line.slice(0, KEPT - 1).toWellFormed()}…`;
}
