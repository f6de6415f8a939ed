import { SETTINGS_FILE } from '../defaults.ts';
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
  return listProblems(`**Maestro** did not start: ${place(path)} has ${count(problems.length, 'problem')}.`, problems);
}

function listProblems(lead: string, problems: readonly Problem[]): string {
  const lines = problems
    .slice(0, SHOWN)
    .map(
      (problem) =>
        `- line ${problem.line}, column ${problem.column}: ${encodeProse(problem.message)} **Instead:** ${encodeProse(problem.fix)}`,
    );
  const more = problems.length - lines.length;
  return [lead, [...lines, ...(more > 0 ? [`- … and ${more} more`] : [])].join('\n')].join('\n\n');
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

type ProblemsCheck = CheckReport & { readonly annotations: readonly ProblemAnnotation[] };

/** The check run on a commit whose playbook can't run, with an annotation per problem. */
export function renderProblemsCheck(path: string, problems: readonly Problem[]): ProblemsCheck {
  return problemsCheck(path, problems, renderProblems(path, problems));
}

/** The check run on a commit that left a file of defaults with problems. */
export function renderDefaultsCheck(problems: readonly Problem[]): ProblemsCheck {
  const lead = `${codeSpan(SETTINGS_FILE)} has ${count(problems.length, 'problem')}. Until that is mended, runs go by its last version without problems.`;
  return problemsCheck(SETTINGS_FILE, problems, listProblems(lead, problems));
}

function problemsCheck(path: string, problems: readonly Problem[], summary: string): ProblemsCheck {
  return {
    status: 'completed',
    conclusion: 'action_required',
    title: `${count(problems.length, 'problem')} to mend`,
    summary,
    annotations: problems.map(({ line, column, message, fix }) => ({
      path,
      line,
      column,
      message: `${oneLine(message)} ${oneLine(fix)}`,
    })),
  };
}
