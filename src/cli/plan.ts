import { decodeText } from '../playbook/decode.ts';
import { parsePlaybook } from '../playbook/parse.ts';
import type { Box, Playbook, Problem } from '../domain/playbook.ts';
import { printable, reasonOf } from './terminal.ts';

export interface PlanDeps {
  readonly file: string;
  /** Print one JSON document instead of a table. */
  readonly json: boolean;
  /** Bytes of a file; rejects for what cannot be read. */
  readonly read: (path: string) => Promise<Uint8Array>;
  readonly write: { readonly out: (text: string) => void; readonly error: (text: string) => void };
}

/**
 * `maestro plan FILE`: prints the tasks and problems of a markdown file, as a table or as one JSON document
 * `{ title, tasks, problems }`, and runs nothing. Answers the exit code: 0, 2 when there are problems, 1 when the file cannot be read
 * as text (said on `write.error`).
 */
export async function planCommand({ file, json, read, write }: PlanDeps): Promise<number> {
  let bytes: Uint8Array;
  try {
    bytes = await read(file);
  } catch (error) {
    write.error(`Cannot read ${file}: ${reasonOf(error)}.\n`);
    return 1;
  }
  const decoded = decodeText(bytes);
  if (decoded.kind === 'binary') {
    write.error(`Cannot read ${file}: it is a binary file, not a markdown text.\n`);
    return 1;
  }
  const playbook =
    decoded.kind === 'text'
      ? parsePlaybook(decoded.text)
      : { title: undefined, settings: {}, boxes: [], problems: [decoded.problem] };
  write.out(json ? asJson(playbook) : asTable(playbook, file));
  return playbook.problems.length === 0 ? 0 : 2;
}

function asJson({ title, boxes, problems }: Playbook): string {
  const tasks = boxes.map((box) => ({
    key: box.key,
    title: box.title,
    line: box.line,
    column: box.column,
    checked: box.checked,
    parent: box.parent ?? null,
  }));
  return `${JSON.stringify({ title: title ?? null, tasks, problems }, undefined, 2)}\n`;
}

function asTable(playbook: Playbook, file: string): string {
  const { title, boxes, problems } = playbook;
  const tasks = boxes.filter((box) => box.parent === undefined);
  const open = tasks.filter((box) => !box.checked).length;
  const width = Math.max(4, ...boxes.map((box) => place(box).length));
  const levels = new Map<string, number>();
  const rows = boxes.map((box) => {
    const level = box.parent === undefined ? 0 : (levels.get(box.parent) ?? 0) + 1;
    levels.set(box.key, level);
    return `  ${place(box).padStart(width)}  ${box.key}  ${'  '.repeat(level)}${box.checked ? '[x]' : '[ ]'} ${box.title}`;
  });
  const heading = `${title ?? file}: ${count(tasks.length, 'task')}, ${open} open`;
  const complaints = problems.flatMap((problem) => [
    `${printable(file)}:${place(problem)}: ${printable(problem.message)}`,
    `    ${printable(problem.fix)}`,
  ]);
  const parts = [
    [printable(heading), ...rows],
    problems.length === 0 ? [] : [count(problems.length, 'problem'), ...complaints],
  ];
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

function place(where: Pick<Box | Problem, 'line' | 'column'>): string {
  return `${where.line}:${where.column}`;
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`;
}
