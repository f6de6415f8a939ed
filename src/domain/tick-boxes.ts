import type { Command } from './command.ts';
import { commandsNow } from './commands-now.ts';
import type { RunId } from './ids.ts';
import type { Run, RunTask } from './run.ts';

/*
 * The boxes of a status comment: for people who prefer a mouse to a command. Whoever may edit the comment may tick one, so a tick
 * is only a request; who made it is looked at like the author of a command.
 */

/** The commands that have a box: those that need no words. */
type TickVerb = 'pause' | 'resume' | 'stop' | 'retry' | 'skip';

/** What a tick asks for. */
export interface Tick {
  readonly verb: TickVerb;
  /** By position, for `retry` and `skip`. */
  readonly task?: number;
}

/** Tasks that get boxes of their own at most; all others have the commands. */
const MOST_TASKS = 5;

const BOX = /^- \[([ xX])\] <!-- maestro:(pause|resume|stop|retry|skip)(?: (\d{1,6}))? -->/;

/** The boxes of a run now, each a line of markdown; empty when nothing can be ticked. */
export function renderTickBoxes(of: {
  readonly run: Pick<Run, 'plan' | 'settings' | 'state' | 'steering' | 'stop'>;
  readonly tasks: readonly RunTask[];
}): string {
  const lines = ticksNow(of).map(
    ({ verb, task }) => `- [ ] <!-- maestro:${verb}${task === undefined ? '' : ` ${task}`} --> ${words(verb, task)}`,
  );
  return lines.length === 0 ? '' : ['Tick to ask for it:', ...lines].join('\n');
}

function ticksNow(of: Parameters<typeof renderTickBoxes>[0]): readonly Tick[] {
  const now = commandsNow(of);
  const simple = (['pause', 'resume', 'stop'] as const).filter((verb) => now.some((one) => one.verb === verb));
  // A task that is still to come is left out by a command, where there is room for the reason.
  const again = (now.find(({ verb }) => verb === 'retry')?.tasks ?? []).slice(0, MOST_TASKS);
  const skippable = new Set(now.find(({ verb }) => verb === 'skip')?.tasks);
  return [
    ...simple.map((verb) => ({ verb })),
    ...again.flatMap((task): readonly Tick[] =>
      skippable.has(task)
        ? [
            { verb: 'retry', task },
            { verb: 'skip', task },
          ]
        : [{ verb: 'retry', task }],
    ),
  ];
}

function words(verb: TickVerb, task: number | undefined): string {
  switch (verb) {
    case 'pause':
      return 'pause after the task at hand';
    case 'resume':
      return 'go on';
    case 'stop':
      return 'stop, and keep what is committed';
    case 'retry':
      return `do task ${task} again`;
    case 'skip':
      return `leave task ${task} out`;
  }
}

/** The boxes that were there without a tick and have one now. What else was changed says nothing. */
export function newTicks(before: string, after: string): readonly Tick[] {
  const unticked = new Set(boxesOf(before).flatMap(({ name, ticked }) => (ticked ? [] : [name])));
  const found = new Map(
    boxesOf(after).flatMap(({ name, ticked, tick }) => (ticked && unticked.has(name) ? [[name, tick]] : [])),
  );
  return [...found.values()];
}

interface FoundBox {
  readonly name: string;
  readonly ticked: boolean;
  readonly tick: Tick;
}

function boxesOf(body: string): readonly FoundBox[] {
  return body.split(/\r\n|\r|\n/).flatMap((line): readonly FoundBox[] => {
    const [, mark, verb, number] = BOX.exec(line) ?? [];
    if (verb === undefined) return [];
    const task = number === undefined ? {} : { task: Number(number) };
    return [{ name: `${verb} ${number ?? ''}`, ticked: mark !== ' ', tick: { verb: verb as TickVerb, ...task } }];
  });
}

/** The command a tick stands for. */
export function commandOf({ verb, task }: Tick): Extract<Command, { kind: TickVerb }> {
  if (verb === 'stop') return { kind: 'stop', reason: '' };
  return verb === 'pause' || verb === 'resume' ? { kind: verb } : { kind: verb, task, words: '' };
}

/** The run whose status comment a text of ours was, by its hidden last line; undefined for another text. */
export function runOfStatusComment(body: string): RunId | undefined {
  return /<!-- maestro:run\/(r[a-z2-7]{15}) [0-9a-f]+ -->\s*$/.exec(body)?.[1] as RunId | undefined;
}
