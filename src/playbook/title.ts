import type { Nodes } from 'mdast';
import { withoutInvisible } from './invisible.ts';
import { parseAll } from './markdown.ts';

/** Longest title in UTF-16 units: titles go into commit subjects and lists of a thousand. */
export const TITLE_LENGTH = 300;

/** UTF-16 units of source looked at for a title: inline syntax made to be slow costs the square of its length. */
const SOURCE_LENGTH = 600;
/** Characters of inline syntax read in all the titles of one document; the titles after that show their source. */
const MARKUP_BUDGET = 20_000;
/** What starting a parse costs, in characters of inline syntax. */
const PARSE_COST = 5;

/** Text without any of these characters reads the same as its source. */
const MARKUP = /[\\`*_~[\]<>&!@]|:\/\/|www\./g;

/**
 * Reads titles of one document: what a reader sees of a paragraph's or heading's source, on one line, at most `TITLE_LENGTH` long.
 * `labels` are the reference labels the document defines, in lower case: with them `[text][label]` reads as `text`.
 */
export function titleReader(labels: ReadonlySet<string> = new Set()): (source: string) => string {
  let left = MARKUP_BUDGET;
  return (source) => {
    const line = source
      .slice(0, SOURCE_LENGTH)
      .toWellFormed()
      .replaceAll(/\\(\r\n|\r|\n)/g, ' ')
      .replaceAll(/\s+/g, ' ')
      .trim();
    const marks = [...line.matchAll(MARKUP)].length;
    left -= marks === 0 ? 0 : marks + PARSE_COST;
    const flat = marks > 0 && left > 0 ? flatten(parseAll(asParagraph(line, labels))) : line;
    const visible = withoutInvisible(flat.replaceAll(/\s+/g, ' ')).trim();
    return visible.length <= TITLE_LENGTH ? visible : `${visible.slice(0, TITLE_LENGTH - 1).toWellFormed()}…`;
  };
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
