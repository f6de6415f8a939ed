/** What is left of a piece of HTML when only its visible text is kept. */
export interface VisibleHtml {
  readonly text: string;
  /** The hidden element the piece leaves open: what follows is hidden too, until it is closed. */
  readonly hidden: HiddenElement | undefined;
}

/** A hidden element that is open, and how many elements of its name are, itself included. */
export interface HiddenElement {
  readonly name: string;
  readonly depth: number;
}

/** Elements whose content a browser, or GitHub, does not show as text. */
const UNSEEN = new Set(
  'script style template noscript noframes noembed iframe object embed head title svg math audio video canvas textarea select datalist'.split(
    ' ',
  ),
);
/** Elements without content. */
const VOID = new Set('area base br col embed hr img input link meta source track wbr'.split(' '));
const HIDING =
  /(?:^|[\s"'])hidden(?:[\s=>/]|$)|aria-hidden\s*=\s*["']?true|display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0(?:[^.\d]|$)|font-size\s*:\s*0|(?:color\s*:\s*transparent)|type\s*=\s*["']?hidden/i;

/**
 * The text of `html` a reader sees: no comments, declarations, tags, attributes, nor the content of elements that are not shown.
 * What is not terminated counts as going on to the end. `inside` is the hidden element it starts in.
 */
export function visibleHtml(html: string, inside?: HiddenElement): VisibleHtml {
  let text = '';
  let hidden = inside;
  for (let at = 0; at < html.length;) {
    const open = html.indexOf('<', at);
    const end = open === -1 ? html.length : open;
    if (hidden === undefined) text += html.slice(at, end);
    if (open === -1) break;
    const tag = readTag(html, open);
    if (tag === undefined) {
      if (hidden === undefined) text += '<';
      at = open + 1;
      continue;
    }
    at = tag.end;
    if (hidden !== undefined) {
      hidden = after(hidden, tag);
    } else if (isHiding(tag)) {
      hidden = { name: tag.name, depth: 1 };
    } else if (tag.name === 'br') text += ' ';
  }
  return { text, hidden };
}

interface Tag {
  /** In lower case; empty for comments and declarations. */
  readonly name: string;
  readonly attributes: string;
  readonly isClosing: boolean;
  readonly end: number;
}

/** The hidden element still open after `tag`, undefined once it is closed. */
function after(hidden: HiddenElement, tag: Tag): HiddenElement | undefined {
  if (tag.name !== hidden.name) return hidden;
  const depth = hidden.depth + (tag.isClosing ? -1 : 1);
  return depth === 0 ? undefined : { name: hidden.name, depth };
}

function isHiding(tag: Tag): boolean {
  if (tag.name === '' || tag.isClosing || VOID.has(tag.name)) return false;
  return UNSEEN.has(tag.name) || HIDING.test(tag.attributes);
}

/** The tag, comment or declaration that begins at `open`; undefined where `<` is just a character. */
function readTag(html: string, open: number): Tag | undefined {
  if (html.startsWith('<!--', open)) return nameless(endOf(html, '-->', open + 2));
  if (html.startsWith('<![CDATA[', open)) return nameless(endOf(html, ']]>', open));
  if (html.startsWith('<?', open)) return nameless(endOf(html, '?>', open));
  if (html.startsWith('<!', open)) return nameless(endOf(html, '>', open));
  const isClosing = html.startsWith('/', open + 1);
  const from = open + (isClosing ? 2 : 1);
  const name = /^[A-Za-z][^\s/>]*/.exec(html.slice(from, from + 60))?.[0];
  if (name === undefined) return undefined;
  const end = tagEnd(html, from + name.length);
  return { name: name.toLowerCase(), attributes: html.slice(from + name.length, end), isClosing, end };
}

function nameless(end: number): Tag {
  return { name: '', attributes: '', isClosing: false, end };
}

function endOf(html: string, mark: string, from: number): number {
  const at = html.indexOf(mark, from);
  return at === -1 ? html.length : at + mark.length;
}

/** Offset after the `>` that ends a tag, quotes respected; the end of the text where there is none. */
function tagEnd(html: string, from: number): number {
  const stop = /["'>]/g;
  for (let at = from; ;) {
    stop.lastIndex = at;
    const found = stop.exec(html);
    if (found === null) return html.length;
    if (found[0] === '>') return found.index + 1;
    const close = html.indexOf(found[0], found.index + 1);
    if (close === -1) return html.length;
    at = close + 1;
  }
}
