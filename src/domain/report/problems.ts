import type { Problem } from '../playbook.ts';
import type { CheckReport } from './check.ts';
import { count } from './quantities.ts';
import { codeSpan, encodeProse, oneLine } from './untrusted-text.ts';

/** More than this helps nobody mend a text; the rest is counted. */
const SHOWN = 50;

/**
 * What is wrong with a playbook, for a comment: one line per problem with where it is and what to write
 * instead. `path` is the file's, or `issue #12`.
 */
export function renderProblems(path: string, problems: readonly Problem[]): string {
  const lines = problems
    .slice(0, SHOWN)
    .map(
      (problem) =>
        `- line ${problem.line}, column ${problem.column}: ${encodeProse(problem.message)} **Instead:** ${encodeProse(problem.fix)}`,
    );
  const more = problems.length - lines.length;
  return [
    `**Maestro** did not start: ${place(path)} has ${count(problems.length, 'problem')}.`,
    [...lines, ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n'),
  ].join('\n\n');
}

/** A path as code, an issue as the link `#12` is. */
function place(path: string): string {
  return /^issue #\d+$/u.test(path) ? path : codeSpan(path);
}

/** A problem as an annotation of a check run, in plain text. */
export interface ProblemAnnotation {
  readonly path: string;
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** The check run on a commit whose playbook can't run, with an annotation per problem. */
export function renderProblemsCheck(
  path: string,
  problems: readonly Problem[],
): CheckReport & { readonly annotations: readonly ProblemAnnotation[] } {
  return {
    status: 'completed',
    conclusion: 'action_required',
    title: `${count(problems.length, 'problem')} to mend`,
    summary: renderProblems(path, problems),
    annotations: problems.map(({ line, column, message, fix }) => ({
      path,
      line,
      column,
      message: `${oneLine(message)} ${oneLine(fix)}`,
    })),
  };
}
