import { howItEnded, type Check, type Evidence } from '../evidence.ts';
import type { RunTask } from '../run.ts';
import { count, duration } from './quantities.ts';
import { clip, codeSpan, fence, plainLine } from './untrusted-text.ts';

/** Characters of a check's command. */
const COMMAND_LENGTH = 200;

/** Checks that are listed one by one. */
const ROWS = 60;

/** Attempts that did not pass and are told about in a sentence. */
const NAMED = 5;

/** Last lines of what a check printed: one that failed has more to say. */
const LINES = { failed: 30, passed: 10 };
const LINE_WIDTH = 300;

/** One check of one attempt at a task. */
interface Row {
  readonly position: number;
  /** Named where the task had several. */
  readonly attempt: number | undefined;
  readonly check: Check;
  readonly isPassed: boolean;
}

/**
 * What the engine's own checks said of each task, as markdown: a table of all, then what each printed, folded, those that failed
 * first in line for the room there is. Empty when nothing was checked.
 *
 * @param room Characters for what the checks printed.
 */
export function formatEvidence(tasks: readonly RunTask[], room: number): string {
  const rows = tasks.flatMap(rowsOf);
  if (rows.length === 0) return '';
  const shown = rows.slice(0, ROWS);
  const more = rows.length > ROWS ? [`… and ${count(rows.length - ROWS, 'more check')}.`] : [];
  const table = ['| # | Command | |', '| ---: | --- | --- |', ...shown.map(formatRow)].join('\n');
  return [table, ...more, ...outputs(rows, room)].join('\n\n');
}

/** A sentence on the attempts that were made again because a check failed; empty when there were none. */
export function formatFailedBefore(tasks: readonly RunTask[]): string {
  const failed = tasks.flatMap(rowsOf).filter(({ isPassed, attempt }) => !isPassed && attempt !== undefined);
  if (failed.length === 0) return '';
  const named = failed
    .slice(0, NAMED)
    .map(
      ({ position, attempt, check }) =>
        `task ${position}, attempt ${attempt} (${commandOf(check)}: ${howItEnded(check)})`,
    );
  const more = failed.length > NAMED ? [`${failed.length - NAMED} more`] : [];
  return `Checks failed on ${count(failed.length, 'attempt')}: ${[...named, ...more].join(', ')}.`;
}

function rowsOf({ position, attempts, outcome }: RunTask): readonly Row[] {
  if (outcome?.kind !== 'committed' && outcome?.kind !== 'failed') return [];
  const { checks = [], failedBefore = [] }: Evidence = outcome;
  const isFailed = outcome.kind === 'failed' && outcome.failure.kind === 'verify-failed';
  return [
    ...failedBefore.map(({ attempt, check }) => ({ position, attempt, check, isPassed: false })),
    ...checks.map((check, at) => ({
      position,
      attempt: failedBefore.length === 0 && !isFailed ? undefined : attempts,
      check,
      isPassed: !isFailed || at < checks.length - 1,
    })),
  ];
}

function formatRow(row: Row): string {
  const { position, attempt, check, isPassed } = row;
  const which = attempt === undefined ? '' : `attempt ${attempt}: `;
  const time = duration(check.durationMs);
  // The record of a check from before exit codes were kept has none.
  const how = check.code === undefined && isPassed ? '' : `, ${howItEnded(check)}`;
  const said = isPassed ? `passed in ${time}${how}` : `**failed** after ${time}${how}`;
  return `| ${position} | ${commandOf(check)} | ${which}${said} |`;
}

/** In the order of the table, as many as there is room for. */
function outputs(rows: readonly Row[], room: number): readonly string[] {
  const parts = new Map<Row, string>();
  let left = room;
  for (const row of [...rows.filter((one) => !one.isPassed), ...rows.filter((one) => one.isPassed)]) {
    const part = output(row);
    if (part === '' || part.length > left) continue;
    parts.set(row, part);
    left -= part.length;
  }
  return rows.flatMap((row) => parts.get(row) ?? []);
}

function output(row: Row): string {
  const { position, attempt, check, isPassed } = row;
  const { tail = '' } = check;
  if (tail.trim() === '') return '';
  const which = attempt === undefined ? '' : `, attempt ${attempt}`;
  const summary = `Task ${position}${which}: what ${htmlCode(check)} printed last`;
  const fenced = fence(tail, isPassed ? LINES.passed : LINES.failed, LINE_WIDTH);
  return `<details><summary>${summary}</summary>\n\n${fenced}\n\n</details>`;
}

/** Inside a summary GitHub reads no markdown. */
function htmlCode(check: Check): string {
  const text = plainLine(clip(firstLine(check.command), 80));
  return `<code>${text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')}</code>`;
}

function commandOf({ command }: Check): string {
  return codeSpan(clip(plainLine(command), COMMAND_LENGTH)).replaceAll('|', '\\|');
}

function firstLine(command: string): string {
  return command.trim().split(/\r\n?|\n/u)[0] ?? '';
}
