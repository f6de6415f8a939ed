import { ANSWER_WITHIN_MS, isOpen, proposalHash } from '../asking.ts';
import type { Question } from '../question.ts';
import type { Run, RunTask } from '../run.ts';
import { moment } from './quantities.ts';
import { details } from './status-comment.ts';
import { clip, codeSpan, encodeInline, encodeProse } from './untrusted-text.ts';

/** Lines of a question, or of an answer, that are shown; then characters of each. */
const LINES = 60;
const WIDTH = 1_000;

/** Tasks of a proposal that are shown before and after. */
const TASKS = 60;

/** What a comment about a question is made from. */
export interface QuestionReport {
  readonly run: Run;
  readonly tasks: readonly RunTask[];
  readonly task: RunTask;
  readonly question: Question;
}

/**
 * The one comment that puts a question to people: what is asked and how to answer. Once that is done it says what came of it. The person
 * who asked for the run is mentioned: this is what they are waited for.
 */
export function renderQuestion(report: QuestionReport): string {
  const { run, task, question } = report;
  const parts = [headline(report), quote(question.text), options(question), proposal(report)];
  if (question.answer !== undefined) parts.push(answerOf(question));
  else if (isOpen(task, question)) parts.push(howToAnswer(report), otherwise(run, question), keptWork(question));
  else parts.push('This needs no answer any more.');
  return parts.filter((part) => part !== '').join('\n\n');
}

/** The comment that reminds people of a question. */
export function renderReminder(run: Run, question: Question): string {
  return `${mention(run.requester.login)} question ${question.id} above still waits for an answer, and this run with it: simply reply. ${codeSpan('/maestro stop')} ends the run.`;
}

function headline({ run, task, tasks, question }: QuestionReport): string {
  const which = tasks.length === 1 ? '' : ` task ${task.position}, ${encodeInline(clip(task.title, 120))},`;
  const who = mention(run.requester.login);
  switch (question.kind) {
    case 'ask':
      return `${who} the agent has a question (${question.id})${which === '' ? '' : ` about${which.slice(0, -1)}`}:`;
    case 'replan':
      return `${who} the agent proposes other tasks (${question.id})${which === '' ? '' : `; it came to${which.slice(0, -1)}`}:`;
    case 'failure':
      return `${who} the${which === '' ? ' task' : which} failed (${question.id}). What is to become of it?`;
  }
}

function mention(login: string): string {
  return /^[A-Za-z0-9][A-Za-z0-9-]*$/.test(login) ? `@${login}` : encodeInline(login);
}

/** Somebody's words, line by line, as a quotation in which nothing is in effect. */
function quote(text: string): string {
  const lines = text.trim().split(/\r\n?|\n/);
  const shown = lines.slice(0, LINES).map((line) => `> ${encodeInline(clip(line, WIDTH))}`.trimEnd());
  return [...shown, ...(lines.length > LINES ? ['> …'] : [])].join('\n');
}

function options({ options: offered }: Question): string {
  return offered.map((option, index) => `${index + 1}. ${encodeInline(option)}`).join('\n');
}

function howToAnswer({ task, tasks, question }: QuestionReport): string {
  const named = codeSpan(`/maestro answer ${question.id} …`);
  const n = tasks.length === 1 ? '' : ` ${task.position}`;
  switch (question.kind) {
    case 'ask': {
      const how = question.options.length === 0 ? 'your answer' : 'your answer, or the number of one of these';
      return `**To answer,** reply here with ${how}; ${named} does the same. ${codeSpan('/maestro resume')} lets the agent choose by itself.`;
    }
    case 'replan':
      return `**To take it up,** comment ${codeSpan(`/maestro approve ${proposalHash(question.tasks ?? [])}`)}. **To go on without,** reply here with what the agent should do instead; ${named} does the same.`;
    case 'failure':
      return `**To try again,** reply here with what the agent should know, or comment ${codeSpan(`/maestro retry${n}`)}. ${codeSpan(`/maestro skip${n}`)} goes on without it, ${codeSpan('/maestro stop')} ends the run.`;
  }
}

function otherwise({ settings }: Run, { at, kind }: Question): string {
  const { onNoAnswer = 'wait', answerWithin = ANSWER_WITHIN_MS } = settings;
  if (onNoAnswer === 'wait') return '';
  const goesOn = kind === 'failure' ? 'the run goes on without this task' : 'the agent chooses by itself';
  return `Without an answer until ${moment(at + answerWithin)}, ${onNoAnswer === 'stop' ? 'the run ends' : goesOn}.`;
}

function keptWork({ work }: Question): string {
  if (work === undefined) return '<sub>Nothing runs while this waits.</sub>';
  return `<sub>The work so far is kept at ${codeSpan(work.ref)}; nothing runs while this waits.</sub>`;
}

function answerOf({ answer, kind }: Question): string {
  if (answer === undefined) return '';
  if (answer.by === undefined) {
    const then =
      answer.leads === 'end'
        ? 'the run ended'
        : answer.leads === 'leave'
          ? 'the run went on'
          : 'the agent chose by itself';
    return `**Nobody answered in time**, so ${then}.${answer.text === '' ? '' : ` ${encodeProse(answer.text)}`}`;
  }
  const by = encodeInline(answer.by);
  if (answer.text.trim() === '')
    return kind === 'failure' ? `**${by} had it tried again.**` : `**${by} said to go on without an answer.**`;
  return `**Answered by ${by}:**\n\n${quote(answer.text)}`;
}

/** What a proposal changes of the tasks that are left, as a diff, with the whole text of the new ones folded below. */
function proposal({ tasks, task, question }: QuestionReport): string {
  if (question.kind !== 'replan') return '';
  const { tasks: proposed = [] } = question;
  const whole = proposed.slice(0, TASKS).map(({ text }, index) => `${index + 1}.\n${quote(text)}`);
  const inFull = details('The proposed tasks in full', whole.join('\n\n'));
  if (!isOpen(task, question)) return inFull;
  const left = tasks.filter((one) => one.outcome === undefined);
  const lines = difference(
    left.map(({ title }) => oneLine(title)),
    proposed.map(({ title }) => oneLine(title)),
  );
  return [`\`\`\`diff\n${lines.join('\n')}\n\`\`\``, inFull].join('\n\n');
}

/** A line that stays one, and inside its fence. */
function oneLine(text: string): string {
  return clip(
    text
      .replaceAll(/\s+/g, ' ')
      .replaceAll('`', "'")
      .replaceAll(/@(?=\w)/gu, '@\u200B'),
    200,
  );
}

/** The shortest way from one list to the other: what goes with `-`, what comes with `+`. */
function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const [old, fresh] = [before.slice(0, TASKS), after.slice(0, TASKS)];
  const common = longestCommon(old, fresh);
  const lines: string[] = [];
  let [i, j] = [0, 0];
  for (const line of [...common, undefined]) {
    while (i < old.length && old[i] !== line) lines.push(`- ${old[i++] ?? ''}`);
    while (j < fresh.length && fresh[j] !== line) lines.push(`+ ${fresh[j++] ?? ''}`);
    if (line === undefined) continue;
    lines.push(`  ${line}`);
    i += 1;
    j += 1;
  }
  const more = Math.max(before.length, after.length) - TASKS;
  return more > 0 ? [...lines, `… and ${more} more`] : lines;
}

function longestCommon(one: readonly string[], other: readonly string[]): readonly string[] {
  const lengths = Array.from({ length: one.length + 1 }, () => Array.from({ length: other.length + 1 }, () => 0));
  const at = (i: number, j: number): number => lengths[i]?.[j] ?? 0;
  for (let i = one.length - 1; i >= 0; i -= 1) {
    for (let j = other.length - 1; j >= 0; j -= 1) {
      const row = lengths[i];
      if (row !== undefined) row[j] = one[i] === other[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const common: string[] = [];
  let [i, j] = [0, 0];
  while (i < one.length && j < other.length) {
    if (one[i] === other[j]) {
      common.push(one[i] ?? '');
      i += 1;
      j += 1;
    } else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return common;
}
