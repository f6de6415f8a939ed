import type { Problem } from '../domain/playbook.ts';
import { positionsOf } from './position.ts';

/** How large a playbook may be. What exceeds a limit is refused with a problem, never cut silently. */
export interface Limits {
  /** UTF-8 bytes of the whole text. */
  readonly bytes: number;
  /** Tasks, not counting sub-steps. */
  readonly tasks: number;
  /** Tasks and sub-steps together. */
  readonly boxes: number;
  /** UTF-8 bytes of one task's text, its sub-steps included. */
  readonly taskBytes: number;
  /** Lists and quotes inside each other. */
  readonly depth: number;
  /** UTF-8 bytes of the front matter. */
  readonly settingsBytes: number;
}

/** The sizes people meet are three orders of magnitude smaller; these keep one parse well under a second. */
export const DEFAULT_LIMITS: Limits = {
  bytes: 256 * 1024,
  tasks: 1_000,
  boxes: 4_000,
  taskBytes: 8 * 1024,
  depth: 40,
  settingsBytes: 16 * 1024,
};

/** One list or quote marker at the start of what is left of a line. */
const MARKER = /[ \t]*(?:>|[-+*](?=[ \t\r\n]|$)|\d{1,9}[.)](?=[ \t\r\n]|$))/y;

/**
 * The first limit `text` breaks that can be told without parsing it, or undefined. Costs one look at each character: it is what
 * keeps the parser away from text made to be slow.
 */
export function oversize(text: string, limits: Limits): Problem | undefined {
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    return {
      line: 1,
      column: 1,
      message: `This playbook is larger than ${limits.bytes / 1024} kB.`,
      fix: 'Split it into several playbooks, and keep data and long examples in files of their own.',
    };
  }
  const deep = firstTooDeep(text, limits.depth);
  if (deep === undefined) return undefined;
  return {
    ...positionsOf(text)(deep),
    message: `Lists and quotes are nested more than ${limits.depth} levels deep here.`,
    fix: 'Nest less deeply, or put the line in a code block that does not begin with list or quote markers.',
  };
}

/** Offset of the first line whose markers alone nest deeper than `depth`. */
function firstTooDeep(text: string, depth: number): number | undefined {
  for (let start = 0; start < text.length;) {
    MARKER.lastIndex = start;
    let markers = 0;
    while (markers <= depth && MARKER.test(text)) markers += 1;
    if (markers > depth) return start;
    const end = text.indexOf('\n', start);
    start = end === -1 ? text.length : end + 1;
  }
  return undefined;
}
