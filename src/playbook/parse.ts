import type { Box, Playbook, Problem } from '../domain/playbook.ts';
import { findBoxes } from './boxes.ts';
import { DEFAULT_LIMITS, oversize } from './limits.ts';
import type { Limits } from './limits.ts';
import { lookalikes } from './lookalikes.ts';
import { parseBlocks, rangeOf } from './markdown.ts';
import { positionsOf } from './position.ts';
import type { Position } from './position.ts';
import { parseSettings, unclosedSettings } from './settings.ts';

/** Most problems one parse reports: a page of them is read, ten thousand are not. */
const MOST_PROBLEMS = 100;

/**
 * The playbook a markdown text is: its settings, its checkboxes, and what has to be mended before it may run. Never throws for any
 * text, and stays under a second for every text: what exceeds `limits` is a problem. A text with problems still lists its boxes
 * where it could be parsed at all.
 */
export function parsePlaybook(text: string, options: { readonly limits?: Partial<Limits> } = {}): Playbook {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const refused = oversize(text, limits);
  if (refused !== undefined) return { title: undefined, settings: {}, boxes: [], problems: [refused] };

  const shift = text.startsWith('\uFEFF') ? 1 : 0;
  const source = text.slice(shift);
  const positionAt = positionsOf(text);
  const root = parseBlocks(text);
  const found = findBoxes({ root, source, shift, positionAt });
  const front = root.children[0];
  const settings =
    front?.type === 'yaml'
      ? parseSettings({ text, start: shift + rangeOf(front)[0], end: shift + rangeOf(front)[1], positionAt, limits })
      : { settings: {}, problems: unclosedSettings(source) };
  const complaints = [
    ...badCharacters(text, positionAt),
    ...settings.problems,
    ...lookalikes({ text, shift, found, positionAt }),
    ...boxProblems(found.boxes, limits),
  ];
  if (found.boxes.length === 0 && complaints.length === 0) complaints.push(NO_TASKS);
  return { title: found.title, settings: settings.settings, boxes: found.boxes, problems: inOrder(complaints) };
}

const NO_TASKS: Problem = {
  line: 1,
  column: 1,
  message: 'This playbook has no tasks.',
  fix: 'Write every task as a list item with a checkbox, like `- [ ] Add a test for the parser`; code blocks and quotes do not count.',
};

function boxProblems(boxes: readonly Box[], limits: Limits): readonly Problem[] {
  const tasks = boxes.filter((box) => box.parent === undefined);
  const excess = tasks.length > limits.tasks ? tasks[limits.tasks] : boxes[limits.boxes];
  const many =
    excess === undefined
      ? []
      : [
          {
            line: excess.line,
            column: excess.column,
            message: `There are more than ${limits.tasks} tasks, or ${limits.boxes} checkboxes in all.`,
            fix: 'Split the playbook; `after:` in the front matter lets one follow another.',
          },
        ];
  return [...many, ...boxes.flatMap((box) => textProblems(box, limits))];
}

function textProblems(box: Box, limits: Limits): readonly Problem[] {
  const { line, column } = box;
  if (box.title === '') {
    return [
      {
        line,
        column,
        message: 'This checkbox has no visible text.',
        fix: 'Say what is to be done after the brackets, or remove it.',
      },
    ];
  }
  if (box.parent !== undefined || Buffer.byteLength(box.text) <= limits.taskBytes) return [];
  return [
    {
      line,
      column,
      message: `The text of this task is longer than ${limits.taskBytes / 1024} kB.`,
      fix: 'Split the task, or put the details in a file of the repository and name it here.',
    },
  ];
}

/** The first NUL and the first U+FFFD: what is left of text in an encoding that is not UTF-8. */
function badCharacters(text: string, positionAt: (offset: number) => Position): readonly Problem[] {
  const nul = text.indexOf('\0');
  const replaced = text.indexOf('\uFFFD');
  return [
    ...(nul === -1
      ? []
      : [
          {
            ...positionAt(nul),
            message: 'There is a NUL character here.',
            fix: 'Remove it, or save the file as UTF-8 text.',
          },
        ]),
    ...(replaced === -1
      ? []
      : [
          {
            ...positionAt(replaced),
            message: 'There is a character here that is not valid UTF-8.',
            fix: 'Save the file in the encoding UTF-8 and write the character again.',
          },
        ]),
  ];
}

function inOrder(problems: readonly Problem[]): readonly Problem[] {
  return problems.toSorted((a, b) => a.line - b.line || a.column - b.column).slice(0, MOST_PROBLEMS);
}
