import type { Box } from '../domain/playbook.ts';
import type { TaskKey } from '../domain/ids.ts';
import { parsePlaybook } from './parse.ts';

/**
 * `text` with `box` ticked: one character differs, or none when it was ticked already. `box` must come from parsing this very text.
 * @throws Error when there is no checkbox where the box says.
 */
export function tick(text: string, box: Pick<Box, 'offset'>): string {
  return setMark(text, box.offset, 'x');
}

/**
 * `text` with `box` open again: one character differs, or none when it was open already. `box` must come from parsing this very text.
 * @throws Error when there is no checkbox where the box says.
 */
export function untick(text: string, box: Pick<Box, 'offset'>): string {
  return setMark(text, box.offset, ' ');
}

/**
 * `text` with the task `key` and all its sub-steps ticked, wherever they stand by now: `text` may have been edited since the key was
 * taken. Undefined when the text no longer has the task.
 */
export function tickTask(text: string, key: TaskKey): string | undefined {
  const { boxes } = parsePlaybook(text);
  if (!boxes.some((box) => box.key === key)) return undefined;
  const ticked = new Set<TaskKey>([key]);
  // A parent comes before its sub-steps in document order.
  for (const box of boxes) if (box.parent !== undefined && ticked.has(box.parent)) ticked.add(box.key);
  const pieces: string[] = [];
  let done = 0;
  for (const box of boxes) {
    if (!ticked.has(box.key) || box.checked) continue;
    pieces.push(text.slice(done, box.offset), 'x');
    done = box.offset + 1;
  }
  return pieces.join('') + text.slice(done);
}

/**
 * `text` with the task `key` open again, and those of its sub-steps that were open in `before`, wherever they stand by now: what the
 * author had ticked stays. Undefined when `text` no longer has the task.
 */
export function untickTask(text: string, key: TaskKey, before: string): string | undefined {
  const { boxes } = parsePlaybook(text);
  if (!boxes.some((box) => box.key === key)) return undefined;
  const open = new Set(parsePlaybook(before).boxes.flatMap((box) => (box.checked ? [] : [box.key])));
  const inside = new Set<TaskKey>([key]);
  for (const box of boxes) if (box.parent !== undefined && inside.has(box.parent)) inside.add(box.key);
  // A mark is one character, so the offsets of the others hold.
  return boxes
    .filter((box) => inside.has(box.key) && open.has(box.key) && box.checked)
    .reduce((now, box) => untick(now, box), text);
}

function setMark(text: string, offset: number, mark: 'x' | ' '): string {
  const match = /^\[([ \txX])\]$/.exec(text.slice(offset - 1, offset + 2));
  if (match === null) {
    throw new Error(
      `There is no checkbox at offset ${offset}: the text differs from the one that was parsed. Parse it again.`,
    );
  }
  const isTicked = /[xX]/.test(match[1] ?? '');
  return isTicked === (mark === 'x') ? text : `${text.slice(0, offset)}${mark}${text.slice(offset + 1)}`;
}
