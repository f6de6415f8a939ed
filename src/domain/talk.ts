import type { Failure } from './outcome.ts';
import type { ProposedTask } from './question.ts';
import type { RunTask } from './run.ts';

/**
 * What an agent says to Maestro while it works, beside its output: with the command `maestro`, or the MCP tools of the same names.
 *
 * - `ask` a question to people: the task waits for their answer · `note` something later tasks of the run should know
 * - `replan` other tasks in place of this one and those that are left, for people to decide about
 * - `done` what the task came to, for the commit · `blocked` the task can't be done, and why
 */
export type Word =
  | { readonly kind: 'ask'; readonly text: string; readonly options: readonly string[] }
  | { readonly kind: 'note'; readonly text: string }
  | { readonly kind: 'replan'; readonly why: string; readonly tasks: readonly ProposedTask[] }
  | { readonly kind: 'done'; readonly summary: string }
  | { readonly kind: 'blocked'; readonly why: string };

export const VERBS = ['ask', 'note', 'replan', 'done', 'blocked'] as const satisfies readonly Word['kind'][];
export type Verb = (typeof VERBS)[number];

/** As it came over the wire: the text, then what goes with it: the options of a question, the checklist of a proposal. */
export interface Spoken {
  readonly verb: Verb;
  readonly fields: readonly string[];
}

/** What the agent is told: that it was recorded and what happens now, or what to say instead. */
export interface Reply {
  readonly ok: boolean;
  readonly text: string;
}

/** How much one session may say. UTF-16 units, but for the numbers. */
export const LIMITS = { words: 40, text: 4_000, note: 1_000, notes: 20, options: 10, option: 200, tasks: 50 } as const;

/** How a checklist is read: its tasks, or what is wrong with it. */
export type ReadTasks = (markdown: string) => readonly ProposedTask[] | { readonly problem: string };

/**
 * What an agent means by its words, after those it has said before, or the sentence that says why they can't be taken. After words
 * that end its turn nothing more is taken but notes: what people are asked is one thing at a time.
 */
export function understand(
  { verb, fields }: Spoken,
  before: readonly Word[],
  readTasks: ReadTasks,
): { readonly word: Word } | { readonly problem: string } {
  const [text = '', ...more] = fields.map((field) => field.trim());
  if (text === '') return { problem: EMPTY[verb] };
  if (before.length >= LIMITS.words) return { problem: `At most ${LIMITS.words} words of a session are taken.` };
  const longest = verb === 'note' ? LIMITS.note : LIMITS.text;
  if (text.length > longest)
    return { problem: `That is too long: ${text.length} characters, and at most ${longest} are taken.` };
  const last = before.find(endsTurn);
  if (last !== undefined && verb !== 'note')
    return {
      problem: `You have said \`${last.kind}\` already, and nothing more is taken after that. End your turn now.`,
    };
  switch (verb) {
    case 'ask': {
      const options = [...new Set(more.filter((option) => option !== ''))];
      if (options.length > LIMITS.options) return { problem: `At most ${LIMITS.options} options are taken.` };
      if (options.some((option) => option.length > LIMITS.option || /[\r\n]/.test(option)))
        return { problem: `An option is one line of at most ${LIMITS.option} characters.` };
      return { word: { kind: 'ask', text, options } };
    }
    case 'replan': {
      const tasks = readTasks(more.join('\n'));
      if ('problem' in tasks) return tasks;
      if (tasks.length > LIMITS.tasks) return { problem: `At most ${LIMITS.tasks} tasks are taken.` };
      return { word: { kind: 'replan', why: text, tasks } };
    }
    case 'note':
      return before.filter(({ kind }) => kind === 'note').length < LIMITS.notes
        ? { word: { kind: 'note', text } }
        : { problem: `At most ${LIMITS.notes} notes of a session are taken.` };
    case 'done':
      return { word: { kind: 'done', summary: text } };
    case 'blocked':
      return { word: { kind: 'blocked', why: text } };
  }
}

/** Whether nothing is left to do for an agent that said it but to end. */
export function endsTurn({ kind }: Word): boolean {
  return kind === 'ask' || kind === 'replan' || kind === 'blocked';
}

/** Why a task is not committed after what its agent said; undefined when nothing it said is against that. */
export function hindrance(words: readonly Word[]): Failure | undefined {
  const word = words.find(endsTurn);
  switch (word?.kind) {
    case 'blocked':
      return {
        kind: 'blocked',
        message: `The agent says that it can't be done: ${firstLine(word.why)}`,
        detail: word.why,
      };
    // People are asked instead.
    case 'ask':
    case 'replan':
    case 'note':
    case 'done':
    case undefined:
      return undefined;
  }
}

function firstLine(text: string): string {
  const [line = '', ...more] = text.split(/\r\n?|\n/);
  return line.length > 300 ? `${line.slice(0, 299).toWellFormed()}…` : more.length > 0 ? `${line} …` : line;
}

/** The last of some words that is of that kind. */
export function lastWord<Kind extends Verb>(
  words: readonly Word[],
  kind: Kind,
): Extract<Word, { readonly kind: Kind }> | undefined {
  return words.findLast((word): word is Extract<Word, { readonly kind: Kind }> => word.kind === kind);
}

const EMPTY: Readonly<Record<Verb, string>> = {
  ask: 'Say what you ask, like `maestro ask "Which database?" --option Postgres --option SQLite`.',
  note: 'Say what later tasks should know, like `maestro note "The new client is in src/api."`.',
  replan: 'Say why, and give the new checklist on standard input, like `maestro replan "The API is gone" < tasks.md`.',
  done: 'Say what you did, like `maestro done "Moved the parser to its own package."`.',
  blocked: 'Say what stands in the way, like `maestro blocked "The schema is not in the repository."`.',
};

/** What an agent is told once its word is recorded. */
export const RECORDED: Readonly<Record<Verb, string>> = {
  ask: 'Recorded. People are asked, and nobody can answer before you have ended. Leave your work as it is and end your turn now; a later session goes on from it with the answer.',
  note: 'Recorded. The sessions of later tasks are told.',
  replan:
    'Recorded. People decide about the new tasks, and nobody can before you have ended. Leave your work as it is and end your turn now.',
  done: 'Recorded. It goes into the message of the commit.',
  blocked: 'Recorded. The task ends here and people are told why. Leave your work as it is and end your turn now.',
};

/** Most characters of earlier notes that one prompt gets. */
const NOTES_TOLD = 4_000;

/** A task's notes with those its session left: each once, the newest of them. */
export function notesAfter({ notes = [] }: Pick<RunTask, 'notes'>, words: readonly Word[]): readonly string[] {
  const left = words.flatMap((word) => (word.kind === 'note' ? [word.text] : []));
  return [...new Set([...notes.filter((note) => !left.includes(note)), ...left])].slice(-LIMITS.notes);
}

/** What a run's tasks left to know, as a list, the newest of it as far as one prompt holds; empty for nothing. */
export function notesTold(tasks: readonly Pick<RunTask, 'position' | 'notes'>[]): string {
  const all = tasks.flatMap(({ position, notes = [] }) =>
    notes.map((note) => `- Task ${position}: ${note.replaceAll('\n', '\n  ')}`),
  );
  let room = NOTES_TOLD;
  const told = all.toReversed().filter((note) => (room -= note.length + 1) >= 0);
  return told.toReversed().join('\n');
}
