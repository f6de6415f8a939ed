/**
 * Titles, messages and output come from issues, playbooks and agents: they are data. What is here puts such text into markdown or
 * plain text so that it reads the same, and does nothing: no mention, no reference, no closing keyword, no command, no link, no
 * image, no HTML, no hidden or reordering character.
 */

/** Written between `@` and a name, `#` and a number …; a zero-width space that GitHub renders and its link filters stop at. */
const BREAK = '&#8203;';

/** Characters that can't be seen or that reorder others. Emoji need U+200D and U+FE0F, which stay. `Cs` are lone surrogates. */
const HIDDEN = /[[\p{Cc}\p{Cf}\p{Cs}\p{Co}\u2028\u2029]--[\n\r\t\u200D]]/gv;

const ESCAPE = String.fromCharCode(27);
const BELL = String.fromCharCode(7);

/** Colours, cursor movements and titles for a terminal. */
const TERMINAL = new RegExp(
  `${ESCAPE}(?:\\[[0-?]*[ -/]*[@-~]|\\][^${BELL}${ESCAPE}\\n]*(?:${BELL}|${ESCAPE}\\\\)?)`,
  'gu',
);

/** Places where GitHub, or a bot reading raw text, would see more than text. */
const TRIGGER = /@(?=\S)|#(?=\d)|:(?=\/\/)|(?<![a-z0-9])gh(?=-\d)|(?<![a-z0-9])www(?=\.)/iv;

/** Characters with a meaning in markdown or HTML wherever they stand. */
const SPECIAL = /[&<>`*_~\[\]\|\\$\n\r\t]/v;

/** What `TRIGGER` matches, without its surroundings. */
const TRIGGER_TEXT = /^(?:[@#:]|gh|www)$/iu;

const EDGE_SPACES = /^ +|(?<! ) +$/gu;

const DEFUSED_NUMBER = new RegExp(`#${BREAK}(\\d+)`, 'gu');

/** Marks in a commit message or title that make CI leave it out. */
const SKIP_CI = /\[\s*((?:skip|no)[ -](?:ci|actions)|(?:ci|actions)[ -]skip)\s*\]/giu;

/** The scheme of the address of an issue. */
const ISSUE_SCHEME = /https?:\/\/(?=\S+\/(?:issues|pull|discussions)\/\d)/giu;

const NOT_INERT = new RegExp([TRIGGER, SPECIAL, HIDDEN].map(({ source }) => source).join('|'), 'giv');

/**
 * Any text as inert markdown on one line, for list items, table cells and summaries. `decodeInline` gives the text back exactly.
 * Hidden characters come out as a visible `⟨U+202E⟩`.
 */
export function encodeInline(text: string): string {
  // Spaces at the edges would be lost between the cells of a table.
  return inert(text).replaceAll(EDGE_SPACES, (spaces) => '&#32;'.repeat(spaces.length));
}

function inert(text: string): string {
  return text.replaceAll(NOT_INERT, (found) => {
    if (TRIGGER_TEXT.test(found)) return `${found}${BREAK}`;
    return SPECIAL.test(found) ? `&#${found.charCodeAt(0)};` : `&lang;U+${hex(found)}&rang;`;
  });
}

/** The text that `encodeInline` was given. */
export function decodeInline(markdown: string): string {
  return markdown
    .replaceAll(BREAK, '')
    .replaceAll(/&lang;U\+([0-9A-F]{4,6})&rang;/gu, (_, code: string) =>
      String.fromCodePoint(Number.parseInt(code, 16)),
    )
    .replaceAll(/&#(\d{1,3});/gu, (_, code: string) => String.fromCharCode(Number(code)));
}

/**
 * A sentence of ours that may quote others: like `encodeInline`, but `code` in single backticks stays code, and `#12` stays a
 * reference for the numbers that are our own.
 */
export function encodeProse(text: string, ours: readonly number[] = []): string {
  return withoutHidden(oneLine(text))
    .split(/(`[^`]+`)/u)
    .map((part, index) => (index % 2 === 1 ? part : withReferences(inert(part), ours)))
    .join('');
}

/** What `inert` made of `#12`, as it was, for the numbers given. */
function withReferences(markdown: string, numbers: readonly number[]): string {
  return markdown.replaceAll(DEFUSED_NUMBER, (found, number: string) =>
    numbers.includes(Number(number)) ? `#${number}` : found,
  );
}

/** A name or path as a code span, whatever backticks it holds. */
export function codeSpan(text: string): string {
  const content = withoutHidden(oneLine(text));
  const ticks = '`'.repeat(longestRun(content) + 1);
  const space = content.startsWith('`') || content.endsWith('`') ? ' ' : '';
  return `${ticks}${space}${content}${space}${ticks}`;
}

/**
 * Output as a fenced block: its last `lines` lines, each at most `width` characters, in a fence longer than any run of backticks
 * inside. Lines that look like a command to some bot or a row of a table, and mentions, get an invisible break.
 */
export function fence(output: string, lines: number, width = 400): string {
  const inert = output
    .trimEnd()
    .split(/\r\n?|\n/u)
    .slice(-lines)
    .map((line) => clip(withoutHidden(line), width))
    .map((line) => line.replace(/^(\s*)(?=\/[a-z]|\|)/iu, '$1\u200B').replaceAll(/@(?=\w)/gu, '@\u200B'))
    .join('\n');
  const ticks = '`'.repeat(Math.max(3, longestRun(inert) + 1));
  return `${ticks}text\n${inert}\n${ticks}`;
}

/**
 * Any text as inert plain text on one line, for commit messages and titles, where no markup hides a break: `#12` becomes
 * `no. 12`, `@name` becomes `@ name`, `[skip ci]` becomes `(skip ci)`, and the address of an issue loses its scheme.
 */
export function plainLine(text: string): string {
  return withoutSchemes(withoutHidden(oneLine(text)))
    .replaceAll(SKIP_CI, '($1)')
    .replaceAll(/#(?=\d)/gu, 'no. ')
    .replaceAll(/\bgh-(?=\d)/giu, 'GH ')
    .replaceAll(/(?<!\w)@(?=\w)/gu, '@ ')
    .trim();
}

/** Until none is left: taking one out of `hthttps://tps://` makes another. */
function withoutSchemes(text: string): string {
  const shorter = text.replaceAll(ISSUE_SCHEME, '');
  return shorter === text ? text : withoutSchemes(shorter);
}

const CHARACTERS = new Intl.Segmenter('en');

/** At most `max` UTF-16 units of a text, cut between characters, with `…` where something is missing. */
export function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  let out = '';
  for (const { segment } of CHARACTERS.segment(text.slice(0, max))) {
    if (out.length + segment.length > max - 1) break;
    out += segment;
  }
  return `${out.trimEnd()}…`;
}

/** Text with its white space, line ends included, as single spaces. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/gu, ' ').trim();
}

function withoutHidden(text: string): string {
  return text.replaceAll(TERMINAL, '').replaceAll(HIDDEN, '');
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/gu)].map((match) => match[0].length));
}

function hex(character: string): string {
  return (character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0');
}
