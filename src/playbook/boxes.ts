import type { ListItem, Nodes, Root } from 'mdast';
import { digest } from '../domain/ids.ts';
import type { TaskKey } from '../domain/ids.ts';
import type { Box } from '../domain/playbook.ts';
import { boxOffset, rangeOf } from './markdown.ts';
import type { Position } from './position.ts';
import { titleReader } from './title.ts';

/** Stretches of the source where a checkbox is not a task: `[start, end)`. */
interface Region {
  readonly kind: 'code' | 'indented-code' | 'html' | 'quote';
  readonly start: number;
  readonly end: number;
}

export interface Found {
  readonly boxes: readonly Box[];
  /** Offsets of `[` of checkboxes whose brackets hold a line break: markdown for some, a task for nobody. */
  readonly broken: readonly number[];
  readonly regions: readonly Region[];
  readonly title: string | undefined;
}

interface Walk {
  readonly source: string;
  readonly shift: number;
  readonly positionAt: (offset: number) => Position;
  readonly readTitle: (source: string) => string;
  readonly seen: Map<string, number>;
  readonly boxes: Box[];
  readonly broken: number[];
  readonly regions: Region[];
  title: string | undefined;
}

/** Base-32 digits of a task key's hash: 60 bits, so that two texts of one document never share it by accident. */
const KEY_DIGITS = 12;

/**
 * Every checkbox of a block tree in document order. `source` is the text the tree was parsed from, `shift` how many UTF-16 units
 * of the original text come before it (a byte order mark), `positionAt` answers for offsets of the original.
 */
export function findBoxes(given: {
  root: Root;
  source: string;
  shift: number;
  positionAt: (offset: number) => Position;
}): Found {
  const { root, source, shift, positionAt } = given;
  const walk: Walk = {
    source,
    shift,
    positionAt,
    readTitle: titleReader(definedLabels(source)),
    seen: new Map(),
    boxes: [],
    broken: [],
    regions: [],
    title: undefined,
  };
  visit(root, undefined, walk);
  return { boxes: walk.boxes, broken: walk.broken, regions: walk.regions, title: walk.title };
}

function visit(node: Nodes, parent: TaskKey | undefined, walk: Walk): void {
  const kind = regionKind(node, walk.source);
  if (kind !== undefined) {
    const [start, end] = rangeOf(node);
    walk.regions.push({ kind, start: start + walk.shift, end: end + walk.shift });
    return;
  }
  if (node.type === 'heading' && walk.title === undefined) {
    const line = walk.readTitle(headingSource(node, walk.source));
    if (line !== '') walk.title = line;
  }
  if (!('children' in node)) return;
  const inside = node.type === 'listItem' ? (addBox(node, parent, walk) ?? parent) : parent;
  for (const child of node.children) visit(child, inside, walk);
}

function regionKind(node: Nodes, source: string): Region['kind'] | undefined {
  if (node.type === 'blockquote' || node.type === 'footnoteDefinition' || node.type === 'table') return 'quote';
  if (node.type === 'html') return 'html';
  if (node.type === 'yaml') return 'code';
  if (node.type !== 'code') return undefined;
  return /^[`~]/.test(source.slice(rangeOf(node)[0])) ? 'code' : 'indented-code';
}

function addBox(item: ListItem, parent: TaskKey | undefined, walk: Walk): TaskKey | undefined {
  const offset = boxOffset(item);
  if (offset === undefined) return undefined;
  const { source, shift } = walk;
  if (/[\r\n]/.test(source.slice(offset, offset + 1))) {
    walk.broken.push(offset - 1 + shift);
    return undefined;
  }
  const own = ownText(item, offset + 2, source);
  const key = nextKey(own, walk.seen);
  walk.boxes.push({
    key,
    title: walk.readTitle(own),
    text: dedent(source, offset - 1, rangeOf(item)[1]),
    ...walk.positionAt(offset - 1 + shift),
    offset: offset + shift,
    checked: item.checked === true,
    parent,
  });
  return key;
}

/** Source of the box's own paragraph, after the checkbox. */
function ownText(item: ListItem, from: number, source: string): string {
  const first = item.children[0];
  const end = first === undefined ? from : Math.max(from, rangeOf(first)[1]);
  const own = source.slice(from, end);
  // An underlined heading: its last line is the underline.
  return first?.type === 'heading' ? own.replace(/(\r\n|\r|\n)[^\r\n]*$/, '') : own;
}

function nextKey(own: string, seen: Map<string, number>): TaskKey {
  const hash = digest(own.normalize('NFC').replaceAll(/\s+/g, ' ').trim(), KEY_DIGITS);
  const occurrence = (seen.get(hash) ?? 0) + 1;
  seen.set(hash, occurrence);
  return `${hash}-${occurrence}` as TaskKey;
}

/** Source from after the checkbox whose `[` is at `bracket` up to `end`, without the item's own indentation, lines ended by `\n`. */
function dedent(source: string, bracket: number, end: number): string {
  const lineStart = Math.max(source.lastIndexOf('\n', bracket), source.lastIndexOf('\r', bracket)) + 1;
  const width = columnsOf(source.slice(lineStart, bracket));
  const [first = '', ...rest] = source.slice(bracket + 3, end).split(/\r\n|\r|\n/);
  return [first.trimStart(), ...rest.map((line) => outdent(line, width))].join('\n').trim();
}

/** Columns a prefix takes on the screen: a tab goes to the next multiple of four. */
function columnsOf(prefix: string): number {
  let columns = 0;
  for (const character of prefix) columns += character === '\t' ? 4 - (columns % 4) : 1;
  return columns;
}

/** `line` without its first `width` columns of indentation; a tab that reaches further becomes spaces, and so do those after it. */
function outdent(line: string, width: number): string {
  const indent = /^[ \t]*/.exec(line)?.[0] ?? '';
  for (let index = 0; index <= indent.length; index += 1) {
    const columns = columnsOf(indent.slice(0, index));
    if (columns === width) return line.slice(index);
    if (columns > width) return ' '.repeat(columnsOf(indent) - width) + line.slice(indent.length);
  }
  return line.slice(indent.length);
}

/** Source of a heading's text: without the marks before and after it. */
function headingSource(heading: Nodes & { type: 'heading' }, source: string): string {
  const first = heading.children[0];
  const last = heading.children[heading.children.length - 1];
  return first === undefined || last === undefined ? '' : source.slice(rangeOf(first)[0], rangeOf(last)[1]);
}

/** Labels of `[label]: address` lines, in lower case. */
function definedLabels(source: string): ReadonlySet<string> {
  return new Set(
    [...source.matchAll(/^[ \t>]{0,20}\[([^[\]\n]{1,100})\]:/gm)].map((match) => (match[1] ?? '').toLowerCase()),
  );
}
