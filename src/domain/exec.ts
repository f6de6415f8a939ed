import { howItEnded, type Check } from './evidence.ts';
import { isFinal, type Run, type RunState } from './run.ts';
import type { ExecOrder, GivenOrder, Steering } from './steering.ts';

/*
 * Commands that people have run on the work so far. Each is run at most once: that it is about to be is on record before, and
 * one whose worker died over it is not run again.
 */

/** Characters of a script in a comment; a longer one belongs into the repository. */
const MOST_COMMAND = 8_000;

/** Characters of what a command printed that are kept with the record, and lines of it that people are shown. */
const OUTPUT = 8_000;
const LINES = 60;

const NOTHING = 'Say what to run, like `/maestro exec npm test`; a script goes into a code block on the lines below.';

/**
 * What a comment asks to be run: the rest of its line, or what is below, a code block's content if there is one. A problem is one
 * sentence for whoever wrote it.
 *
 * @param of.line What stands behind the verb.
 * @param of.below What follows that line, as it was written.
 * @param of.words The same without what it quotes.
 */
export function scriptIn(of: {
  readonly line: string;
  readonly below: string;
  readonly words: string;
}): { readonly command: string } | { readonly problem: string } {
  const opensBlock = FENCE.test(of.line);
  const line = opensBlock ? '' : unquoted(of.line);
  const blocks = blocksIn(opensBlock ? `${of.line}\n${of.below}` : of.below);
  const [block, ...others] = blocks;
  if (others.length > 0 || (line !== '' && of.words !== ''))
    return { problem: 'Say one thing to run: on the line of the command, or in one code block below it.' };
  // No argument of a command can hold it.
  const command = (line || (block ?? of.words)).replaceAll('\0', '').replace(/^(?:[ \t]*\n)+|\s+$/g, '');
  if (command.trim() === '') return { problem: NOTHING };
  if (command.length > MOST_COMMAND)
    return { problem: `A script in a comment may have ${MOST_COMMAND} characters: commit a longer one, and run that.` };
  return { command };
}

/** A command that was written as code. As it stands a shell would run what it prints. */
function unquoted(line: string): string {
  return /^(`+)([^`]+)\1$/.exec(line)?.[2]?.trim() ?? line;
}

/** What begins or ends a code block, and what stands behind it. */
const FENCE = /^ {0,3}(?:(`{3,})([^`]*)|(~{3,})(.*))$/;

/** What the fenced code blocks of a markdown text hold. One that is not closed ends with the text, as on GitHub. */
function blocksIn(text: string): readonly string[] {
  const blocks: string[] = [];
  let open: { readonly fence: string; readonly lines: string[] } | undefined;
  for (const line of text.split(/\r\n|\r|\n/)) {
    const [, ticks, behindTicks = '', tildes, behindTildes = ''] = FENCE.exec(line) ?? [];
    const fence = ticks ?? tildes;
    if (open === undefined) {
      if (fence !== undefined) open = { fence, lines: [] };
    } else if (fence?.startsWith(open.fence) === true && `${behindTicks}${behindTildes}`.trim() === '') {
      blocks.push(open.lines.join('\n'));
      open = undefined;
    } else open.lines.push(line);
  }
  return open === undefined ? blocks : [...blocks, open.lines.join('\n')];
}

/** Why nothing can be run for a run in a final state, as a sentence for whoever asked; undefined while it goes on. */
export function notExecutable(state: RunState): string | undefined {
  if (!isFinal(state)) return undefined;
  return state === 'succeeded'
    ? 'The run here is done, and commands run only while one goes on: take its branch and run it yourself, or ask for a new run.'
    : 'The run here has ended, and commands run only while one goes on. `/maestro resume` goes on where it ended; ask again then.';
}

/** An order to run something, as it was given. */
export interface GivenExec extends GivenOrder {
  readonly order: ExecOrder;
}

export function isExec(given: GivenOrder): given is GivenExec {
  return given.order.kind === 'exec';
}

/** What came of a command. */
export type Execution =
  /** It was run at `commit`, and this is what it printed last. `log` is a path below `MAESTRO_HOME`. */
  | ({ readonly kind: 'ran'; readonly commit: string; readonly output: string; readonly log: string } & Pick<
      Check,
      'durationMs' | 'code' | 'ended'
    >)
  /** Something of ours, or of the repository's setup, broke; whether it was begun is not known. */
  | { readonly kind: 'broke'; readonly why: string; readonly output: string }
  /** The worker that had begun with it ended. */
  | { readonly kind: 'cut-off' }
  /** Its run ends, so it is not begun. */
  | { readonly kind: 'too-late' };

/**
 * Decides what is to be done about an order whose turn it is: run the command, or say what came of it.
 *
 * @param known What is on record of it; the result of a command that was run to its end is its `Execution`.
 * @param of.ends Its run ends now.
 */
export function nextExecution(
  known: { readonly result: unknown } | undefined,
  of: { readonly ends: boolean },
): Execution | 'run' {
  const result = known?.result as Execution | null | undefined;
  if (result !== undefined && result !== null) return result;
  if (known !== undefined) return { kind: 'cut-off' };
  return of.ends ? { kind: 'too-late' } : 'run';
}

/** What a command came to, as it is kept. `printed` has no secrets in it any more; its last lines are kept. */
export function executionOf(
  result: {
    readonly ending: 'exited' | NonNullable<Check['ended']>;
    readonly code: number | undefined;
    readonly durationMs: number;
  },
  of: { readonly printed: string; readonly commit: string; readonly log: string },
): Execution {
  const { ending, code, durationMs } = result;
  return {
    kind: 'ran',
    commit: of.commit,
    durationMs: Math.round(durationMs),
    ...(ending === 'exited' ? (code === undefined ? {} : { code }) : { ended: ending }),
    output: lastLines(of.printed),
    log: of.log,
  };
}

/** The end of what a terminal would show: of a line that was written over again and again, what was written last. */
export function lastLines(printed: string): string {
  return printed
    .trimEnd()
    .split('\n')
    .slice(-LINES)
    .map((line) => line.trimEnd())
    .map((line) => line.slice(line.lastIndexOf('\r') + 1))
    .join('\n')
    .slice(-OUTPUT)
    .toWellFormed();
}

/** The signals that end commands, by number, as in signal(7); a shell says 128 and the number of what one ended. */
const SIGNALS: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  6: 'SIGABRT',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  13: 'SIGPIPE',
  15: 'SIGTERM',
};

/** How a command ended, in words: `exit code 137, as after SIGKILL`. */
export function howItWent(ran: Pick<Check, 'code' | 'ended'>): string {
  if (ran.ended === 'aborted') return 'ended because the run was stopped';
  const words = howItEnded({ command: '', durationMs: 0, ...ran });
  const signal = SIGNALS[(ran.code ?? 0) - 128];
  return ran.ended === undefined && signal !== undefined ? `${words}, as after ${signal}` : words;
}

/** A run's steering after an order that changes nothing in it was seen to. */
export function seenTo({ steering }: Pick<Run, 'steering'>, { number }: Pick<GivenOrder, 'number'>): Steering {
  return { words: [], ...steering, taken: number };
}
