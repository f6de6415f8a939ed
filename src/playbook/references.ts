import type { Nodes } from 'mdast';
import { oversize, DEFAULT_LIMITS } from './limits.ts';
import { parseBlocks, rangeOf } from './markdown.ts';

/** Where playbooks live in a repository. */
const PLAYBOOK_FOLDER = '.maestro/playbooks/';

/** A playbook's path, bare, in backticks, or as a link's address: it ends where a path in prose ends. */
const REFERENCE = /(?<![\w.~:/\\-])(?:\.\/)?(\.maestro\/playbooks\/[^\s`'"<>()[\]{}|*?,;:\\]{1,200}?\.md)(?![\w/-])/giu;
/** Addresses of the repository's own files as the browser shows them. */
const BLOB = /\/blob\/[^\s/)]{1,200}\/(\.maestro\/playbooks\/[^\s`'"<>()[\]{}|*?,;:\\#]{1,200}?\.md)(?![\w/-])/giu;

/** Most playbooks one issue starts. */
const MOST = 20;

/**
 * Paths, in order and without repetition, of the playbooks an issue's `body` names: files below `.maestro/playbooks/`, bare, in
 * backticks or as links. What stands in code blocks, quotes or HTML comments names nothing.
 */
export function namedPlaybooks(body: string): string[] {
  if (oversize(body, DEFAULT_LIMITS) !== undefined) return [];
  const text = body.replace(/^\uFEFF+/, '');
  const prose = proseOf(parseBlocks(text), text);
  const found = [...prose.matchAll(REFERENCE), ...prose.matchAll(BLOB)].toSorted((a, b) => a.index - b.index);
  const paths = found.map((match) => decoded(match[1] ?? '')).filter((path) => isPlaybookPath(path));
  return [...new Set(paths)].slice(0, MOST);
}

/** Whether `path` is that of a markdown file below `.maestro/playbooks/`: relative, without `..`, controls or odd separators. */
export function isPlaybookPath(path: string): boolean {
  const segments = path.split('/');
  return (
    path.length <= 250 &&
    path.startsWith(PLAYBOOK_FOLDER) &&
    /\.md$/i.test(path) &&
    !/[\p{C}\\:*?"<>|]/u.test(path) &&
    segments.every((segment) => segment !== '' && segment !== '.' && segment !== '..')
  );
}

/** The text outside code blocks, quotes and HTML. */
function proseOf(node: Nodes, source: string): string {
  if (node.type === 'code' || node.type === 'html' || node.type === 'blockquote' || node.type === 'yaml') return '\n';
  if ('children' in node && node.type !== 'paragraph' && node.type !== 'heading' && node.type !== 'table') {
    return node.children.map((child) => proseOf(child, source)).join('\n');
  }
  // Comments inside a paragraph are HTML that only the inline parse would see.
  return withoutComments(source.slice(...rangeOf(node)));
}

function withoutComments(text: string): string {
  const kept: string[] = [];
  for (let at = 0; at < text.length;) {
    const open = text.indexOf('<!--', at);
    kept.push(text.slice(at, open === -1 ? text.length : open));
    const close = open === -1 ? -1 : text.indexOf('-->', open + 2);
    at = close === -1 ? text.length : close + 3;
  }
  return kept.join(' ');
}

/** Addresses of links are percent-encoded. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
