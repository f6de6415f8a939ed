import type { Problem } from '../domain/playbook.ts';
import { estimateEffort } from './effort.ts';

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
  /** Microseconds the parse may take by estimate (`effort.ts`). */
  readonly effort: number;
}

/** What people write is orders of magnitude smaller; together these keep one parse under a second. */
export const DEFAULT_LIMITS: Limits = {
  bytes: 256 * 1024,
  tasks: 1_000,
  boxes: 4_000,
  taskBytes: 8 * 1024,
  depth: 20,
  settingsBytes: 16 * 1024,
  effort: 450_000,
};

/** The limit `text` breaks that can be told without parsing it, or undefined. */
export function oversize(text: string, limits: Limits): Problem | undefined {
  if (text.length > limits.bytes || Buffer.byteLength(text) > limits.bytes) {
    return {
      line: 1,
      column: 1,
      message: `This playbook is larger than ${limits.bytes / 1024} kB.`,
      fix: 'Split it into several playbooks, and keep data and long examples in files of their own.',
    };
  }
  const { micros, tooDeep } = estimateEffort(text, limits.effort, limits.depth);
  if (tooDeep !== undefined) {
    return {
      line: tooDeep,
      column: 1,
      message: `Lists and quotes are nested more than ${limits.depth} levels deep here.`,
      fix: 'Nest less deeply.',
    };
  }
  if (micros <= limits.effort) return undefined;
  return {
    line: 1,
    column: 1,
    message: 'This playbook has too many lines, list items or table cells to be read in reasonable time.',
    fix: 'Split it into several playbooks, and keep tables, data and long examples in files of their own.',
  };
}
