import type { Nodes, Root } from 'mdast';
import { estimateEffort } from './effort.ts';
import { withoutInvisible } from './invisible.ts';
import { parseAll, parseBlocks, rangeOf } from './markdown.ts';
import { visibleEdits } from './visible-edits.ts';

/** Longest text looked at, in UTF-16 units: what GitHub takes for one issue or comment. */
const LONGEST = 65_536;
/** Removing something can reveal something else; text that goes on doing so after this many rounds was made for it. */
const ROUNDS = 6;
/** Estimated microseconds, levels, and characters of inline syntax (in all, and in one paragraph) a text may cost. */
const MOST = { effort: 200_000, depth: 40, markup: 15_000, paragraphMarkup: 1_500 };

/** Stands for a text that cannot be read safely. */
const UNREADABLE = '(This text is left out: it could not be read safely.)';

/**
 * What a reader of `markdown` sees on GitHub, as markdown: without comments, invisible characters, link titles, image descriptions,
 * unused definitions and footnotes, code block attributes and hidden HTML. People who write on an issue can put instructions for
 * an agent there that nobody else reads. Code keeps its text, except that `<!--` gets a space. At most 65,536 characters are kept.
 *
 * Applying it again changes nothing, and the result holds no `<!--` and no invisible code point.
 */
export function visibleText(markdown: string): string {
  let text = withoutInvisible(markdown.length <= LONGEST ? markdown : markdown.slice(0, LONGEST));
  for (let round = 0; round < ROUNDS; round += 1) {
    if (isHostile(text)) return UNREADABLE;
    const next = reveal(text);
    if (next === text) return text;
    text = next;
  }
  return UNREADABLE;
}

/** Whether parsing all of `text` could take long. */
function isHostile(text: string): boolean {
  const { micros, tooDeep } = estimateEffort(text, MOST.effort, MOST.depth);
  if (micros > MOST.effort || tooDeep !== undefined) return true;
  const counts = markupCounts(parseBlocks(text), text);
  return (
    counts.some((count) => count > MOST.paragraphMarkup) || counts.reduce((sum, count) => sum + count, 0) > MOST.markup
  );
}

/** How many characters of inline syntax each block outside code holds. */
function markupCounts(node: Root | Nodes, text: string): readonly number[] {
  if (node.type === 'code') return [];
  if ('children' in node && node.type !== 'paragraph' && node.type !== 'heading' && node.type !== 'table') {
    return node.children.flatMap((child) => markupCounts(child, text));
  }
  return [[...text.slice(...rangeOf(node)).matchAll(/[\\`*_~[\]<&!@]|:\/\/|www\./g)].length];
}

/** One round: everything hidden that this parse shows is cut out. */
function reveal(text: string): string {
  const edits = visibleEdits(parseAll(text), text).toSorted((a, b) => a.start - b.start || b.end - a.end);
  const pieces: string[] = [];
  let prose = '';
  let done = 0;
  for (const edit of edits) {
    if (edit.start < done) continue;
    prose += text.slice(done, edit.start);
    done = edit.end;
    if (edit.isCode) {
      pieces.push(tidy(prose), edit.text);
      prose = '';
    } else prose += edit.text;
  }
  pieces.push(tidy(prose + text.slice(done)));
  return withoutInvisible(pieces.join('').replace(/^\n+/, '').trimEnd()).replaceAll('<!--', '<! --');
}

/** Without spaces at line ends and without more than one empty line in a row. */
function tidy(prose: string): string {
  const lines = prose.split('\n');
  return lines
    .map((line, index) => (index === lines.length - 1 ? line : line.trimEnd()))
    .join('\n')
    .replaceAll(/\n{3,}/g, '\n\n');
}
