import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Figure } from './figure.ts';
import type { Machine } from './machine.ts';
import { markdownTable } from './table.ts';

const PAGE = join(import.meta.dirname, '../docs/performance.md');
const BEGIN = '<!-- bench -->';
const END = '<!-- /bench -->';

/** How the parts were measured. */
export interface Measured {
  readonly where: Machine;
  readonly isQuick: boolean;
  /** Names of all parts there are, in the order they are shown. */
  readonly order: readonly string[];
}

/** Puts the parts that were measured into docs/performance.md. Throws when the page has no place for them. */
export async function writePage(parts: ReadonlyMap<string, readonly Figure[]>, measured: Measured): Promise<void> {
  await writeFile(PAGE, withParts(await readFile(PAGE, 'utf8'), parts, measured));
}

/** A page with the parts that were measured, each with what it was measured on; those that were not stay as they are. */
export function withParts(page: string, parts: ReadonlyMap<string, readonly Figure[]>, measured: Measured): string {
  const [before, rest] = split(page, BEGIN);
  const [kept, after] = split(rest, END);
  const present = new Map(
    kept.split(/^(?=### `)/mu).flatMap((section) => {
      const name = /^### `([^`]+)`/u.exec(section)?.[1];
      return name === undefined ? [] : [[name, section.trim()] as const];
    }),
  );
  for (const [name, figures] of parts) present.set(name, sectionOf(name, figures, measured));
  const sections = measured.order.flatMap((name) => present.get(name) ?? []);
  return `${before}${BEGIN}\n\n${sections.join('\n\n')}\n\n${END}${after}`;
}

function sectionOf(name: string, figures: readonly Figure[], { where, isQuick }: Measured): string {
  const told = `${where.date}, commit ${where.commit}, ${where.cores} cores, ${where.memoryGib} GiB of memory, Linux ${where.kernel}, Node ${where.node}, Docker ${where.docker}, \`npm run bench -- --only ${name}${isQuick ? ' --quick' : ''}\`.`;
  return `### \`${name}\`\n\n${told}\n\n${markdownTable(figures)}`;
}

function split(text: string, mark: string): readonly [string, string] {
  const at = text.indexOf(mark);
  if (at < 0) throw new Error(`docs/performance.md has no ${mark}`);
  return [text.slice(0, at), text.slice(at + mark.length)];
}
