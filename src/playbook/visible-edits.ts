import type { Image, ImageReference, Link, LinkReference, Nodes, Root, Table } from 'mdast';
import { withoutInvisibleReferences } from './invisible.ts';
import { rangeOf } from './markdown.ts';
import { visibleHtml } from './visible-html.ts';
import type { HiddenElement } from './visible-html.ts';

/** `[start, end)` of the source is to read `text`. `isCode` marks code blocks, whose white space counts. */
export interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
  readonly isCode?: boolean;
}

interface Context {
  readonly source: string;
  readonly edits: Edit[];
  /** Addresses by definition identifier. */
  readonly addresses: ReadonlyMap<string, string>;
  /** Identifiers of the footnotes the text refers to. */
  readonly footnotes: ReadonlySet<string>;
}

/** Longest footnote label that is shown: readers see a number instead. */
const LABEL_LENGTH = 30;

/** The edits that leave of `source`, whose tree is `root`, what a reader sees. Edits may lie inside one another: the outer one counts. */
export function visibleEdits(root: Root, source: string): readonly Edit[] {
  const addresses = new Map<string, string>();
  const footnotes = new Set<string>();
  collect(root, addresses, footnotes);
  const context: Context = { source, edits: [], addresses, footnotes };
  visit(root, context);
  return context.edits;
}

function collect(node: Nodes, addresses: Map<string, string>, footnotes: Set<string>): void {
  if (node.type === 'definition' && !addresses.has(node.identifier)) addresses.set(node.identifier, node.url);
  if (node.type === 'footnoteReference') footnotes.add(node.identifier);
  if ('children' in node) for (const child of node.children) collect(child, addresses, footnotes);
}

function visit(node: Nodes, context: Context): void {
  const { edits, source, footnotes } = context;
  const [start, end] = rangeOf(node);
  if (node.type === 'definition') edits.push({ start, end, text: '' });
  else if (node.type === 'code') edits.push({ start, end, text: plainFence(source.slice(start, end)), isCode: true });
  else if (node.type === 'text') {
    const text = withoutInvisibleReferences(source.slice(start, end));
    if (text !== source.slice(start, end)) edits.push({ start, end, text });
  } else if (node.type === 'image' || node.type === 'imageReference')
    edits.push({ start, end, text: imageText(node, context) });
  else if (node.type === 'footnoteReference' && node.identifier.length > LABEL_LENGTH)
    edits.push({ start, end, text: '' });
  else if (
    node.type === 'footnoteDefinition' &&
    (!footnotes.has(node.identifier) || node.identifier.length > LABEL_LENGTH)
  ) {
    edits.push({ start, end, text: '' });
  } else {
    if (node.type === 'link' || node.type === 'linkReference') editLink(node, context);
    if (node.type === 'table') cutExtraCells(node, context);
    if ('children' in node) visitChildren(node.children, context);
  }
}

/** Siblings in order; a hidden element opened by one of them hides the next ones until it is closed. */
function visitChildren(children: readonly Nodes[], context: Context): void {
  let hidden: HiddenElement | undefined;
  for (const child of children) {
    const [start, end] = rangeOf(child);
    if (child.type === 'html') {
      const visible = visibleHtml(context.source.slice(start, end), hidden);
      hidden = visible.hidden;
      context.edits.push({ start, end, text: visible.text });
    } else if (hidden === undefined) visit(child, context);
    else context.edits.push({ start, end, text: '' });
  }
}

/** A link keeps its text and its plain address; titles and reference labels are not visible. */
function editLink(node: Link | LinkReference, context: Context): void {
  const [start, end] = rangeOf(node);
  if (context.source[start] !== '[') return;
  const last = node.children.at(-1);
  const tail = last === undefined ? start + 1 : rangeOf(last)[1];
  const address = plainAddress(node.type === 'link' ? node.url : context.addresses.get(node.identifier));
  if (address === undefined) context.edits.push({ start, end: start + 1, text: '' });
  context.edits.push({ start: tail, end, text: address === undefined ? '' : `](${address})` });
}

/** An image keeps its address only: its description is for those who cannot see it, so nobody checks it. */
function imageText(node: Image | ImageReference, context: Context): string {
  const address = plainAddress(node.type === 'image' ? node.url : context.addresses.get(node.identifier));
  return address === undefined ? '' : `![](${address})`;
}

/** An address as it can stand between parentheses; undefined where it is none, or could hold sentences. */
function plainAddress(url: string | undefined): string | undefined {
  if (url === undefined || url.length > 500) return undefined;
  return /^[\w\-.~:/?#@!$&'*+,;=%]+$/.test(url) ? url : undefined;
}

/** Cells beyond the columns of the head are not shown. */
function cutExtraCells(table: Table, context: Context): void {
  const columns = table.children[0]?.children.length ?? 0;
  for (const row of table.children) {
    const first = row.children[columns];
    const last = row.children.at(-1);
    if (first !== undefined && last !== undefined) {
      context.edits.push({ start: rangeOf(first)[0], end: rangeOf(last)[1], text: '' });
    }
  }
}

/** A fenced block whose opening line names at most a language: the rest of that line is not shown. */
function plainFence(block: string): string {
  const opening = /^(`{3,}|~{3,})([^\n]*)/.exec(block);
  if (opening === null) return block;
  const [line = '', fence = '', info = ''] = opening;
  const language = /^[ \t]*([A-Za-z0-9+#._-]{1,30})(?=\s|$)/.exec(info)?.[1] ?? '';
  return fence + language + block.slice(line.length);
}
