import { SETTINGS_FILE, type DefaultsUsed } from '../defaults.ts';
import type { Run } from '../run.ts';
import { count } from './quantities.ts';
import { clip, codeSpan, encodeProse } from './untrusted-text.ts';

/** A sentence for each file of defaults whose newest version has problems, and what the run goes on with instead. */
export function defaultsNotes({ defaults = [] }: Pick<Run, 'defaults'>): readonly string[] {
  return defaults.flatMap((used) => (used.broken === undefined ? [] : [note(used, used.broken)]));
}

function note(
  { level, repository, blob }: DefaultsUsed,
  { count: problems, first }: NonNullable<DefaultsUsed['broken']>,
): string {
  const instead =
    blob === undefined
      ? 'This run goes without it: no earlier version without problems is known'
      : `This run goes by the last version without problems (${codeSpan(blob.slice(0, 10))})`;
  const where = `line ${first.line}, column ${first.column}`;
  // What is wrong may quote the file, and an organisation's may be for fewer eyes than this thread.
  const said =
    level === 'repository'
      ? `${codeSpan(SETTINGS_FILE)} has ${count(problems, 'problem')}, the first at ${where}: ${encodeProse(clip(first.message, 300))} ${encodeProse(clip(first.fix, 300))}`
      : `${codeSpan(SETTINGS_FILE)} in ${codeSpan(repository)} has ${count(problems, 'problem')}, the first at ${where}.`;
  return `${said} ${instead}.`;
}
