import type { Nodes } from 'mdast';
import { parseAll } from './markdown.ts';

/** Longest title in UTF-16 units: titles go into commit subjects and lists of a thousand. */
export const TITLE_LENGTH = 300;

/** Text without any of these characters reads the same as its source. */
const MARKUP = /[\\`*_~[\]<>&!@]|:\/\/|www\./;
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}]/gu;

/**
 * What a reader sees of one paragraph's or heading's `source`, on one line, at most `TITLE_LENGTH` long. `labels` are the reference
 * labels the document defines, in lower case: with them `[text][label]` reads as `text`.
 */
export function visibleLine(source: string, labels: ReadonlySet<string> = new Set()): string {
  const line = source
    .replaceAll(/\\(\r\n|\r|\n)/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();
  const flat = MARKUP.test(line) ? flatten(parseAll(asParagraph(line, labels))) : line;
  const visible = flat.replaceAll(/\s+/g, ' ').replaceAll(INVISIBLE, '').trim();
  return visible.length <= TITLE_LENGTH ? visible : `${visible.slice(0, TITLE_LENGTH - 1).toWellFormed()}…`;
}

/** The line as the paragraph of a task list item: nothing in it can open a block there. */
function asParagraph(line: string, labels: ReadonlySet<string>): string {
  const used = [...line.matchAll(/\]\[([^[\]]+)\]/g)]
    .map((match) => match[1] ?? '')
    .filter((label) => labels.has(label.toLowerCase()));
  return `- [ ] ${line}\n${used.map((label) => `\n[${label}]: #\n`).join('')}`;
}

function flatten(node: Nodes): string {
  if (node.type === 'text' || node.type === 'inlineCode') return node.value;
  if (node.type === 'image') return node.alt ?? '';
  if (node.type === 'break') return ' ';
  return 'children' in node ? node.children.map((child) => flatten(child)).join('') : '';
}
