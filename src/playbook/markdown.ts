import type { ListItem, Nodes, Root } from 'mdast';
import remarkFrontmatter from 'remark-frontmatter';
import remarkGfm from 'remark-gfm';
import remarkParse from 'remark-parse';
import { unified } from 'unified';
import type { Processor } from 'unified';

/**
 * Inline syntax the block parse leaves alone. Where a checkbox is depends on blocks only, and inline syntax is where hostile text
 * gets expensive; titles are parsed one by one, bounded (`visibleLine`). A definition cannot begin a checkbox's paragraph either.
 */
const INLINE = [
  'attention',
  'autolink',
  'characterEscape',
  'characterReference',
  'codeText',
  'definition',
  'emailAutolink',
  'gfmFootnoteCall',
  'gfmPotentialFootnoteCall',
  'hardBreakEscape',
  'htmlText',
  'labelEnd',
  'labelStartImage',
  'labelStartLink',
  'protocolAutolink',
  'strikethrough',
  'wwwAutolink',
];

const fullParser = unified().use(remarkParse).use(remarkGfm).freeze();
const blockParser = unified().use(remarkParse).use(remarkGfm).use(blocksOnly).use(rememberBoxes).freeze();
const frontMatterParser = blockParser().use(remarkFrontmatter, ['yaml']).freeze();

/** Front matter from its opening to its closing line. */
const FRONT_MATTER = /^\uFEFF?---[ \t]*(?:\r\n|\r|\n)(?:[\s\S]*?(?:\r\n|\r|\n))?---[ \t]*(?:[\r\n]|$)/;

/** Offsets of the character between the brackets of a checkbox, by the list item it belongs to. */
const boxOffsets = new WeakMap<ListItem, number>();

/**
 * The blocks of a markdown text (GFM and YAML front matter), with UTF-16 offsets that do not count a byte order mark at the start
 * (the parser takes off exactly one). Inline text is left unparsed.
 */
export function parseBlocks(text: string): Root {
  // Where front matter has no end, its parser would also keep the lists after it from being seen.
  return FRONT_MATTER.test(text) ? frontMatterParser.parse(text) : blockParser.parse(text);
}

/** The whole tree of a markdown text (GFM, no front matter). Slow on hostile text: for bounded input only. */
export function parseAll(text: string): Root {
  return fullParser.parse(text);
}

/** Offset of the character between the brackets of `item`'s checkbox, undefined where the item has none. For `parseBlocks` trees. */
export function boxOffset(item: ListItem): number | undefined {
  return boxOffsets.get(item);
}

/** Offsets of a node in the source: `[start, end)`. */
export function rangeOf(node: Nodes): readonly [start: number, end: number] {
  return [node.position?.start.offset ?? 0, node.position?.end.offset ?? 0];
}

function blocksOnly(this: Processor): void {
  const data = this.data();
  data.micromarkExtensions = [...(data.micromarkExtensions ?? []), { disable: { null: INLINE } }];
  // GFM's second pass searches every text for addresses; nobody reads them from this tree.
  data.fromMarkdownExtensions = (data.fromMarkdownExtensions ?? [])
    .flat()
    .map((extension) => ({ ...extension, transforms: [] }));
}

function rememberBoxes(this: Processor): void {
  const data = this.data();
  data.fromMarkdownExtensions = [
    ...(data.fromMarkdownExtensions ?? []),
    { exit: { taskListCheckValueChecked: rememberBox, taskListCheckValueUnchecked: rememberBox } },
  ];
}

/** Replaces GFM's own handler of the token: does the same, and keeps the token's offset. */
function rememberBox(
  this: { stack: readonly { type: string }[] },
  token: { type: string; start: { offset: number } },
): void {
  const item = this.stack[this.stack.length - 2];
  if (item === undefined || item.type !== 'listItem') return;
  (item as ListItem).checked = token.type === 'taskListCheckValueChecked';
  boxOffsets.set(item as ListItem, token.start.offset);
}
