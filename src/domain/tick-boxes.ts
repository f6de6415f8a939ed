import { parseCommand, type Command } from './command.ts';
import { commandsNow, type CommandNow } from './commands-now.ts';
import type { RunId } from './ids.ts';
import { isFinal, type Run, type RunTask } from './run.ts';

/*
 * The boxes of a status comment: for people who prefer a mouse to a command. Whoever may edit the comment may tick one, so a tick
 * is only a request; who made it is looked at like the author of a command.
 */

/** The commands that have a box: those that need no words. */
type Ticked = Extract<Command, { kind: 'pause' | 'resume' | 'stop' | 'approve' | 'retry' | 'skip' | 'redo' }>;

/** What a tick asks for. */
export interface Tick {
  /** What follows `/maestro`. */
  readonly words: string;
  readonly command: Ticked;
}

/** Failed tasks that get boxes of their own at most; all others have the commands. */
const MOST_TASKS = 5;

/** What it lets through, `parseCommand` takes. */
const BOX = /^- \[([ xX])\] <!-- maestro:(pause|resume|stop|approve [a-z2-7]{4,64}|(?:retry|skip|redo) \d{1,6}) -->/;

/** The boxes of a run now, each a line of markdown; empty when nothing can be ticked. */
export function renderTickBoxes(of: {
  readonly run: Pick<Run, 'plan' | 'settings' | 'state' | 'steering' | 'stop'>;
  readonly tasks: readonly RunTask[];
}): string {
  const lines = boxesNow(of).map(({ words, label }) => `- [ ] <!-- maestro:${words} --> ${label}`);
  return lines.length === 0 ? '' : ['Tick to ask for it:', ...lines].join('\n');
}

interface Box {
  readonly words: string;
  readonly label: string;
}

function boxesNow(of: Parameters<typeof renderTickBoxes>[0]): readonly Box[] {
  const now = commandsNow(of);
  const offered = (verb: CommandNow['verb']): CommandNow | undefined => now.find((one) => one.verb === verb);
  const box = (verb: CommandNow['verb'], label: string): readonly Box[] => {
    const words = offered(verb)?.words;
    return words === undefined ? [] : [{ words, label }];
  };
  // A task that is still to come is left out by a command, where there is room for the reason.
  const again = (offered('retry')?.tasks ?? []).slice(0, MOST_TASKS);
  const skippable = new Set(offered('skip')?.tasks);
  // While a run is at work, which task was done last changes under the hand of who is about to tick.
  const rests = of.run.state === 'parked' || isFinal(of.run.state);
  const last = rests ? offered('redo')?.tasks?.at(-1) : undefined;
  return [
    ...box('approve', 'go on with what is proposed'),
    ...box('pause', 'pause after the task at hand'),
    ...box('resume', 'go on'),
    ...box('stop', 'stop, and keep what is committed'),
    ...again.flatMap((task): readonly Box[] => [
      { words: `retry ${task}`, label: `do task ${task} again` },
      ...(skippable.has(task) ? [{ words: `skip ${task}`, label: `leave task ${task} out` }] : []),
    ]),
    ...(last === undefined || again.includes(last)
      ? []
      : [{ words: `redo ${last}`, label: `take task ${last} back, and do it again` }]),
  ];
}

/** The boxes that were there without a tick and have one now. What else was changed says nothing. */
export function newTicks(before: string, after: string): readonly Tick[] {
  const unticked = new Set(boxesOf(before).flatMap(({ words, ticked }) => (ticked ? [] : [words])));
  const found = new Set(boxesOf(after).flatMap(({ words, ticked }) => (ticked && unticked.has(words) ? [words] : [])));
  return [...found].map((words) => ({ words, command: parseCommand(`/maestro ${words}`) as Ticked }));
}

function boxesOf(body: string): readonly { readonly words: string; readonly ticked: boolean }[] {
  return body.split(/\r\n|\r|\n/).flatMap((line) => {
    const [, mark, words] = BOX.exec(line) ?? [];
    return words === undefined ? [] : [{ words, ticked: mark !== ' ' }];
  });
}

/** The run whose status comment a text of ours was, by its hidden last line; undefined for another text. */
export function runOfStatusComment(body: string): RunId | undefined {
  return /<!-- maestro:run\/(r[a-z2-7]{15}) [0-9a-f]+ -->\s*$/.exec(body)?.[1] as RunId | undefined;
}
