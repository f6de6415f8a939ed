import { howItWent, type Execution, type GivenExec } from '../exec.ts';
import type { Run } from '../run.ts';
import { duration } from './quantities.ts';
import { details } from './status-comment.ts';
import { clip, codeSpan, encodeInline, encodeProse, fence } from './untrusted-text.ts';

/** Lines of a script that are shown, and of what was printed: all that is kept of it. */
const SCRIPT_LINES = 60;
const OUTPUT_LINES = 60;

/** Characters of a command of one line that are shown in a sentence. */
const COMMAND = 200;

/** Characters of why something of ours broke. */
const WHY = 500;

/** The one comment that says what came of a command somebody asked for. */
export function renderExecution(
  run: Pick<Run, 'branch'>,
  { order, by }: Pick<GivenExec, 'order' | 'by'>,
  came: Execution,
): string {
  const { command } = order;
  const isScript = command.includes('\n') || command.length > COMMAND;
  const what = `${isScript ? 'the script' : codeSpan(command)} of ${encodeInline(by)}`;
  const script = isScript ? details('The script', fence(command, SCRIPT_LINES)) : '';
  const parts = [headline(run, what, came), printed(came), script, footnote(came)];
  return parts.filter((part) => part !== '').join('\n\n');
}

function headline({ branch }: Pick<Run, 'branch'>, what: string, came: Execution): string {
  switch (came.kind) {
    case 'ran':
      return `**Maestro** ran ${what} at ${came.commit.slice(0, 7)} of ${codeSpan(branch)}: ${howItWent(came)}, after ${duration(came.durationMs)}.`;
    case 'broke':
      return `**Maestro** could not run ${what}. ${encodeProse(clip(came.why, WHY))} To try again, ask again.`;
    case 'cut-off':
      return `**Maestro** began to run ${what}, and was cut off: its worker ended before the command did, or before that was on record. It is not run again by itself; if you want that, ask again.`;
    case 'too-late':
      return `**Maestro** did not run ${what}: the run ended before its turn came.`;
  }
}

function printed(came: Execution): string {
  if (came.kind !== 'ran' && came.kind !== 'broke') return '';
  if (came.output.trim() !== '') return fence(came.output, OUTPUT_LINES);
  return came.kind === 'ran' ? 'It printed nothing.' : '';
}

function footnote(came: Execution): string {
  if (came.kind !== 'ran') return '';
  return `<sub>What it changed in the working copy is not kept. All it printed is in ${codeSpan(came.log)} below ${codeSpan('MAESTRO_HOME')} on the worker.</sub>`;
}
