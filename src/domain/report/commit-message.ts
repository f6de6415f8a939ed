import { modelOf } from '../failover.ts';
import type { RunId, SessionId, TaskKey } from '../ids.ts';
import { howItEnded, type Check, type Evidence } from '../evidence.ts';
import type { PlaybookSource } from '../playbook.ts';
import type { Run, RunTask, Session } from '../run.ts';
import { duration } from './quantities.ts';
import { clip, plainLine } from './untrusted-text.ts';

/** Git's own convention for a subject that no tool cuts. */
const SUBJECT_LENGTH = 72;
/** More of the task than this belongs in the playbook, not in the history. */
const BODY_LINES = 40;
const LINE_LENGTH = 400;
/** What an agent says beyond this is in the log of its session. */
const SUMMARY_LENGTH = 2_000;
/** Width its words are wrapped at, so that they read in a terminal. */
const SUMMARY_WIDTH = 98;

export interface CommitFacts {
  readonly run: Run;
  readonly task: RunTask;
  readonly session: Pick<Session, 'id' | 'provider'>;
  /** How many tasks the run has. */
  readonly total: number;
  /** Defaults to the requester's private address at github.com. */
  readonly requesterEmail?: string;
  /** What the engine's own checks said of the work, and of the attempts before. */
  readonly evidence?: Evidence;
  /** The agent's last words. */
  readonly summary?: string;
}

/** What the trailers of a commit of ours say. */
export interface CommitTrailers {
  readonly run: RunId;
  /** 1-based. */
  readonly position: number;
  readonly total: number;
  readonly task: TaskKey;
  readonly session: SessionId;
  readonly agent: string;
}

/**
 * The message of the one commit a task gets. The same facts give the same bytes, so that a replay makes the same commit. The
 * task's text and the agent's words are quoted line by line: nothing in them can pass for a trailer, a patch or a reference
 * (threat S48).
 */
export function renderCommitMessage(facts: CommitFacts): string {
  const { run, task, session, total } = facts;
  const title = plainLine(task.title);
  const subject = clipWords(title === '' ? `Task ${task.position} of ${total}` : title, SUBJECT_LENGTH);
  const place = `Task ${task.position} of ${total} of ${source(run.playbook)}`;
  const model = modelOf(run, session.provider);
  const agent = plainLine(model === undefined ? session.provider : `${session.provider} (${model})`);
  const email = facts.requesterEmail ?? `${run.requester.id}+${run.requester.login}@users.noreply.github.com`;
  return [
    subject,
    '',
    ...(saysNoMore(task.text, subject) ? [`${place}.`] : [`${place}:`, '', ...quoteTask(task.text)]),
    '',
    ...quoteAgent(facts.summary ?? ''),
    ...listEvidence(facts.evidence ?? {}),
    `Maestro-Run: ${run.id}`,
    `Maestro-Task: ${task.position}/${total} ${task.key}`,
    `Maestro-Session: ${session.id}`,
    `Maestro-Agent: ${agent}`,
    `Co-authored-by: ${trailerValue(run.requester.login)} <${trailerValue(email)}>`,
    '',
  ].join('\n');
}

function saysNoMore(text: string, subject: string): boolean {
  const lines = plainLines(text.trim());
  return lines.length === 1 && (lines[0] === subject || lines[0] === '');
}

function quoteTask(text: string): readonly string[] {
  return plainLines(text)
    .map((line) => quote(clip(line, LINE_LENGTH)))
    .slice(0, BODY_LINES);
}

/** The agent's words below a line that says whose they are, with a blank line after; nothing when it said nothing. */
function quoteAgent(summary: string): readonly string[] {
  const words = plainLines(clip(summary.trim(), SUMMARY_LENGTH));
  if (words.every((line) => line === '')) return [];
  return ['What the agent said:', '', ...words.flatMap((line) => wrap(line, SUMMARY_WIDTH)).map(quote), ''];
}

/** What was checked, a line each, with a blank line after. A command of several lines shows its first. */
function listEvidence({ checks = [], failedBefore = [] }: Evidence): readonly string[] {
  const passed = checks.slice(0, BODY_LINES).map((check) => quote(checkLine(check)));
  const failed = failedBefore.map(({ attempt, check }) => quote(`attempt ${attempt}: ${checkLine(check)}`));
  return [
    ...(passed.length === 0 ? [] : ['Checked by Maestro with:', '', ...passed, '']),
    ...(failed.length === 0 ? [] : ['What failed before, and was done again:', '', ...failed, '']),
  ];
}

function checkLine(check: Check): string {
  const command = clip(plainLines(check.command.trim())[0] ?? '', 200);
  return `${command} (${howItEnded(check)}, ${duration(check.durationMs)})`;
}

function plainLines(text: string): readonly string[] {
  return text.split(/\r\n?|\n/u).map((line) => plainLine(line));
}

function quote(line: string): string {
  return `> ${line}`.trimEnd();
}

/** A line as lines of at most `width`, broken at spaces; a longer word stays whole. */
function wrap(line: string, width: number): readonly string[] {
  const lines: string[] = [];
  let current = '';
  for (const word of line.split(' ')) {
    if (current !== '' && current.length + 1 + word.length > width) {
      lines.push(current);
      current = word;
    } else {
      current = current === '' ? word : `${current} ${word}`;
    }
  }
  return [...lines, current];
}

/** Our trailers of a commit message: its last paragraph, if each is there once and reads as we write it; else undefined. */
export function parseTrailers(message: string): CommitTrailers | undefined {
  const paragraph = message.trimEnd().split('\n\n').at(-1) ?? '';
  const found = new Map<string, string>();
  for (const line of paragraph.split('\n')) {
    const match = /^([A-Za-z-]+): (.*)$/u.exec(line);
    const [, name = '', value = ''] = match ?? [];
    if (match === null || (name.startsWith('Maestro-') && found.has(name))) return undefined;
    found.set(name, value);
  }
  const run = found.get('Maestro-Run');
  const session = found.get('Maestro-Session');
  const task = /^([1-9]\d*)\/([1-9]\d*) (\S+)$/u.exec(found.get('Maestro-Task') ?? '');
  const [, position, total, key] = task ?? [];
  if (run === undefined || session === undefined || key === undefined) return undefined;
  return {
    run: run as RunId,
    position: Number(position),
    total: Number(total),
    task: key as TaskKey,
    session: session as SessionId,
    agent: found.get('Maestro-Agent') ?? '',
  };
}

/** Spelt out, since `#12` in a commit would refer to the issue from everywhere the commit goes. */
function source(playbook: PlaybookSource): string {
  return playbook.kind === 'file' ? plainLine(playbook.path) : `issue ${playbook.issue}`;
}

function clipWords(text: string, max: number): string {
  if (text.length <= max) return text;
  const cut = clip(text, max);
  const space = cut.lastIndexOf(' ');
  return space > max / 2 ? `${cut.slice(0, space)}…` : cut;
}

function trailerValue(text: string): string {
  return text.replaceAll(/[\s<>]+/gu, ' ').trim();
}
