import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from './figure.ts';
import type { Machine } from './machine.ts';
import { markdownTable } from './table.ts';

const PAGE = join(import.meta.dirname, '../docs/performance.md');
const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/** Puts a table where docs/performance.md keeps the last one, with the `options` it was made with. Throws when the page has no place for it. */
export async function writePage(figures: readonly Figure[], where: Machine, options: string): Promise<void> {
  const page = await readFile(PAGE, 'utf8');
  const [before, rest] = split(page, BEGIN);
  const [, after] = split(rest, END);
  const told = `${where.date}, commit ${where.commit}, ${where.cores} cores, ${where.memoryGib} GiB of memory, Linux ${where.kernel}, Node ${where.node}, Docker ${where.docker}, \`npm run bench -- ${options}\`.`;
  await writeFile(PAGE, `${before}${BEGIN}\n\n${told}\n\n${markdownTable(figures)}\n\n${END}${after}`);
}

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`docs/performance.md has no ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
