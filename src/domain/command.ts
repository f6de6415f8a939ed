import { parseAmount, type Amount } from './budget.ts';
import { scriptIn } from './exec.ts';

/** What a comment that begins with `/maestro` asks for. */
export type Command =
  | {
      readonly kind: 'run';
      readonly playbook?: string;
      readonly provider?: string;
      readonly model?: string;
      /** Id of an earlier conversation that the run's first task goes on with. */
      readonly resume?: string;
      /** The lines below the command; empty for none. */
      readonly instructions: string;
    }
  /** What `run` would come to, to be approved; or a playbook for an issue that says what to do in words alone. */
  | {
      readonly kind: 'plan';
      readonly playbook?: string;
      readonly provider?: string;
      readonly model?: string;
      readonly instructions: string;
    }
  /** Starts what was shown, or takes up what an agent proposed, under this hash. */
  | { readonly kind: 'approve'; readonly hash: string }
  | { readonly kind: 'stop'; readonly reason: string }
  /** Something asked of the run that is there. `task` undefined: the first that came to nothing. */
  | { readonly kind: 'pause' }
  /** `budget`: what the run may spend beyond its own. */
  | { readonly kind: 'resume'; readonly budget?: Amount }
  | { readonly kind: 'steer'; readonly words: string }
  | { readonly kind: 'retry'; readonly task: number | undefined; readonly words: string }
  | { readonly kind: 'skip'; readonly task: number | undefined; readonly words: string }
  | { readonly kind: 'redo'; readonly task: number; readonly words: string }
  /** One more task for the run here: its first line is its title. */
  | { readonly kind: 'add'; readonly text: string }
  /** A command, or a script of several lines, to be run on the work so far. */
  | { readonly kind: 'exec'; readonly command: string }
  /** An agent's question; `question` undefined: the open one. */
  | { readonly kind: 'answer'; readonly question: string | undefined; readonly words: string }
  | { readonly kind: 'status' }
  /** Why the run here is, or is not, being worked on. */
  | { readonly kind: 'explain' }
  | { readonly kind: 'help' };

/** A verb we do not have, or one we have with arguments it does not take: answered with one line. */
export type CommandError =
  | { readonly kind: 'unknown'; readonly verb: string }
  | { readonly kind: 'invalid'; readonly message: string };

const VERBS = [
  'run',
  'plan',
  'answer',
  'approve',
  'pause',
  'resume',
  'stop',
  'steer',
  'retry',
  'redo',
  'skip',
  'add',
  'exec',
  'explain',
  'status',
  'help',
] as const;
type Verb = (typeof VERBS)[number];

/** Arguments each verb takes. */
const ARGUMENTS: Readonly<Record<Verb, readonly string[]>> = {
  run: ['playbook', 'provider', 'model', 'resume'],
  plan: ['playbook', 'provider', 'model'],
  answer: [],
  approve: [],
  pause: [],
  resume: ['budget'],
  stop: [],
  steer: [],
  retry: [],
  redo: [],
  skip: [],
  add: [],
  exec: [],
  explain: [],
  status: [],
  help: [],
};

/** What a value looks like that was not plain. */
const EXAMPLES: Readonly<Record<string, string>> = {
  model: 'opus',
  resume: '6ba57796-3945-4749-8bd5-213de3836d68',
};

/** One `key=value` with its value bare or in double or single quotes, or one other word. */
const WORD = /([A-Za-z][A-Za-z-]*)=(?:"([^"]*)"|'([^']*)'|([^\s"']+))(?=\s|$)|\S+/g;
/** A comment of GitHub holds 65,536 characters; a command line needs none of that. */
const LINE_LENGTH = 2_000;

/**
 * The command a comment is, if it is one: `/maestro verb key=value …` as its very first characters, extra instructions on the lines
 * below. A comment that mentions the command further down, in a quote or in code is none. `/maestro` alone asks for help.
 */
export function parseCommand(commentBody: string): Command | CommandError | undefined {
  const body = commentBody.replace(/^\uFEFF/, '');
  if (!/^\/maestro(?=\s|$)/i.test(body)) return undefined;
  const end = body.search(/[\r\n]/);
  const line = (end === -1 ? body : body.slice(0, end)).slice('/maestro'.length).trim();
  const below = end === -1 ? '' : ownWords(body.slice(end));
  if (line === '') return { kind: 'help' };
  const written = line.split(/\s/, 1)[0] ?? '';
  const verb = VERBS.find((candidate) => candidate === written.toLowerCase());
  if (verb === undefined) return { kind: 'unknown', verb: written.slice(0, 40) };
  if (line.length > LINE_LENGTH)
    return { kind: 'invalid', message: 'The command line is too long; put instructions on the lines below it.' };
  const rest = line.slice(written.length).trim();
  if (verb === 'stop')
    return { kind: 'stop', reason: reasonToStop([rest, below].filter((part) => part !== '').join('\n')) };
  if (verb === 'steer') return steer([rest, below].filter((part) => part !== '').join('\n'));
  if (verb === 'retry' || verb === 'skip' || verb === 'redo') return aboutTask(verb, rest, below);
  if (verb === 'add') return add(rest, below);
  if (verb === 'exec') return exec(rest, end === -1 ? '' : body.slice(end), below);
  if (verb === 'answer') return answer(rest, below);
  if (verb === 'approve') return approve(rest);
  const values = readArguments(verb, rest);
  if (typeof values === 'string') return { kind: 'invalid', message: values };
  if (verb === 'resume') return resume(values);
  return verb === 'run' || verb === 'plan' ? { kind: verb, ...values, instructions: below } : { kind: verb };
}

/** A run is ended at once in any case; `now` says no more, and is no reason. */
function reasonToStop(words: string): string {
  return words.replace(/^now(?:[\s:,.]+|$)/i, '');
}

function resume({ budget = '' }: Readonly<Record<string, string>>): Command {
  const amount = parseAmount(budget);
  return amount === undefined ? { kind: 'resume' } : { kind: 'resume', budget: amount };
}

function steer(words: string): Command | CommandError {
  if (words !== '') return { kind: 'steer', words };
  return { kind: 'invalid', message: 'Say what the next tasks should know, like `/maestro steer use the new API`.' };
}

function add(rest: string, below: string): Command | CommandError {
  const text = [rest, below].filter((part) => part !== '').join('\n');
  if (text !== '') return { kind: 'add', text };
  return { kind: 'invalid', message: 'Say what is to be done, like `/maestro add Update the changelog`.' };
}

function exec(line: string, below: string, words: string): Command | CommandError {
  const script = scriptIn({ line, below, words });
  return 'problem' in script ? { kind: 'invalid', message: script.problem } : { kind: 'exec', ...script };
}

/** The question's id, if given, and the answer on the same line or below. */
function answer(rest: string, below: string): Command | CommandError {
  const [, id, words = ''] = /^(?:(q\d{1,6})(?=[\s:,]|$)[:,]?)?\s*([\s\S]*)$/i.exec(rest) ?? [];
  const all = [words, below].filter((part) => part !== '').join('\n');
  if (all === '') return { kind: 'invalid', message: 'Say the answer, like `/maestro answer q1 use the new API`.' };
  return { kind: 'answer', question: id?.toLowerCase(), words: all };
}

function approve(rest: string): Command | CommandError {
  const [, hash] = /^`?([a-z0-9]{4,64})`?$/i.exec(rest) ?? [];
  if (hash !== undefined) return { kind: 'approve', hash: hash.toLowerCase() };
  return { kind: 'invalid', message: 'Name what you approve by its hash, as the proposal says it.' };
}

/** The task's number, which only `redo` can't do without, and words on the same line or below. */
function aboutTask(verb: 'retry' | 'skip' | 'redo', rest: string, below: string): Command | CommandError {
  const [, number, words = ''] = /^(?:#?(\d{1,6})(?=\s|$))?\s*([\s\S]*)$/.exec(rest) ?? [];
  const all = [words, below].filter((part) => part !== '').join('\n');
  const task = number === undefined ? undefined : Number(number);
  if (verb !== 'redo') return { kind: verb, task, words: all };
  if (task !== undefined) return { kind: verb, task, words: all };
  return { kind: 'invalid', message: 'Say which task is to be done again, like `/maestro redo 2 use the new API`.' };
}

/** Values by key, or the sentence that says which word is wrong. */
function readArguments(verb: Verb, text: string): Readonly<Record<string, string>> | string {
  const values: Record<string, string> = {};
  for (const [word, key, double, single, bare] of text.matchAll(WORD)) {
    if (key === undefined) return complain(verb, word);
    const name = key.toLowerCase();
    const value = (double ?? single ?? bare ?? '').trim();
    if (!ARGUMENTS[verb].includes(name)) return complain(verb, key);
    if (Object.hasOwn(values, name)) return `\`${name}\` is given twice.`;
    if (value === '') return `\`${name}\` has no value.`;
    const problem = valueProblem(name, value);
    if (problem !== undefined) return problem;
    values[name] = value;
  }
  return values;
}

function valueProblem(name: string, value: string): string | undefined {
  if (name === 'playbook') {
    const isSafe = /^[^\p{Cc}\\]{1,200}$/u.test(value) && !value.startsWith('/') && !value.split('/').includes('..');
    return isSafe
      ? undefined
      : 'The playbook must be a path inside the repository, like `playbook=.maestro/playbooks/upgrade.md`.';
  }
  if (name === 'budget') {
    return parseAmount(value) === undefined
      ? '`budget` must be an amount, like `budget=$5`, `budget="500k tokens"` or `budget=2h`.'
      : undefined;
  }
  return /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$/.test(value)
    ? undefined
    : `\`${name}\` must be a plain name, like \`${name}=${EXAMPLES[name] ?? 'claude-code'}\`.`;
}

function complain(verb: Verb, word: string): string {
  const shown = word.slice(0, 40).replaceAll('`', "'");
  const takes = ARGUMENTS[verb];
  if (takes.length === 0) return `\`${verb}\` takes no arguments, and here is \`${shown}\`.`;
  return `\`${verb}\` takes ${takes.map((key) => `\`${key}=\``).join(', ')}, and here is \`${shown}\`${verb === 'run' ? '; extra instructions go on the lines below' : ''}.`;
}

/** The person's own words: without what they quote. */
export function ownWords(text: string): string {
  return text
    .split(/\r\n|\r|\n/)
    .filter((line) => !/^ {0,3}>/.test(line))
    .join('\n')
    .trim();
}

/** The commands there are, as markdown for a comment. */
export function helpText(): string {
  return [
    'Commands are the first characters of a comment:',
    '',
    '- `/maestro run` works on this issue. Options on the same line: `playbook=path`, `provider=name`, `model=name`, `resume=id` to go on with an earlier conversation of the agent; instructions on the lines below.',
    '- `/maestro plan` shows what that would come to, and starts nothing until somebody comments `/maestro approve` with the hash it shows. In an issue without a checklist an agent writes a playbook for it first, as a pull request.',
    '- `/maestro answer …` answers what an agent asked here; so does any comment of yours that is no command and begins with nobody else’s name. `/maestro approve …` takes up the tasks it proposed.',
    '- `/maestro pause` lets the run here wait after the task at hand; `/maestro resume` goes on, also where a run ended with something left to do; with `budget=$5` it may spend $5 more.',
    '- `/maestro steer …` adds words to the prompt of every task that is still to come.',
    '- `/maestro retry 3` does task 3 again that failed or was stopped, with the words you add; `/maestro skip 3` leaves it out.',
    '- `/maestro redo 2` takes task 2 back, with all that was made after it, and goes on from there with the words you add; also when the run is done. What was taken back stays on a branch of its own.',
    '- `/maestro add Update the changelog` adds a task at the end, also when the run is done; what else there is to say of it goes on the lines below.',
    '- `/maestro exec npm test` runs a command on the work so far, beside the agents, and shows what it printed; a script goes into a code block on the lines below. What it changes is not kept.',
    '- `/maestro stop` ends the run here and keeps what is committed.',
    '- `/maestro explain` says why the run here is, or is not, being worked on: each thing that could hold it, one by one.',
    '- `/maestro status` brings the status comment of the run here up to date: how far each task is, and what went wrong.',
    '- `/maestro help` shows this.',
  ].join('\n');
}
