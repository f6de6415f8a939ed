import { commandsNow } from '../commands-now.ts';
import type { Failure } from '../outcome.ts';
import { doneCount, isFinal, type Run, type RunTask } from '../run.ts';
import { renderTickBoxes } from '../tick-boxes.ts';
import { count, duration, moment, money } from './quantities.ts';
import {
  againCommand,
  elapsed,
  formatNotes,
  formatWarnings,
  howToTryAgain,
  issueOf,
  nextStep,
  spent,
  STATE_ICONS,
  takenOver,
  taskState,
  threadOf,
  withoutEffect,
  type RunReport,
} from './run-report.ts';
import { clip, codeSpan, encodeInline, encodeProse, fence } from './untrusted-text.ts';

/** GitHub takes 65,536 characters; the rest is room for the marker the forge adds. */
export const STATUS_COMMENT_LENGTH = 60_000;

/** How much is said. Each next level says less, and the first that fits is used. */
interface Detail {
  /** Characters of a title. */
  readonly title: number;
  /** Failed tasks that get a section of their own, and last lines shown in each. */
  readonly failures: number;
  readonly lines: number;
  /** Whether finished tasks are folded away, and at most how many tasks are listed. */
  readonly fold: boolean;
  readonly listed: number;
  readonly links: boolean;
}

const LEVELS: readonly Detail[] = [
  { title: 200, failures: 20, lines: 20, fold: false, listed: 60, links: true },
  { title: 160, failures: 10, lines: 20, fold: true, listed: 300, links: true },
  { title: 100, failures: 10, lines: 10, fold: true, listed: 300, links: false },
  { title: 60, failures: 5, lines: 10, fold: true, listed: 300, links: false },
  { title: 40, failures: 5, lines: 5, fold: true, listed: 100, links: false },
  { title: 30, failures: 2, lines: 3, fold: true, listed: 20, links: false },
];

/**
 * The one comment that says how a run is doing, at most `STATUS_COMMENT_LENGTH` characters however many tasks there are: with
 * many, finished ones fold, titles shorten, and the rest is counted instead of listed.
 */
export function renderStatusComment(report: RunReport): string {
  let text = '';
  for (const level of LEVELS) {
    if (report.tasks.length > level.listed && level !== LEVELS.at(-1) && !level.fold) continue;
    text = render(report, level);
    if (text.length <= STATUS_COMMENT_LENGTH) return text;
  }
  return clip(text, STATUS_COMMENT_LENGTH);
}

function render(report: RunReport, detail: Detail): string {
  return [
    header(report),
    waitingLine(report),
    formatWarnings(report),
    formatNotes(report),
    withoutEffect(report.run),
    taskList(report, detail),
    failures(report, detail),
    howToTryAgain(report.run, threadOf(report.run)),
    renderTickBoxes(report),
    footer(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function header(report: RunReport): string {
  const { run, tasks } = report;
  const facts = [
    `**Maestro** ${headline(report)}`,
    timeSpent(report),
    spent(report),
    branchLink(report),
    run.state === 'succeeded' ? '' : pullRequestElsewhere(run),
  ];
  const title = tasks.length > 1 || run.playbook.kind === 'file' ? `\n\n${encodeInline(clip(run.title, 200))}` : '';
  return facts.filter((fact) => fact !== '').join(' · ') + title;
}

/** What the run does, in words that follow its name. */
function headline(report: RunReport): string {
  const { run, tasks } = report;
  const progress = tasks.length === 1 ? '' : `, ${doneCount(tasks)} of ${count(tasks.length, 'task')} done`;
  switch (run.state) {
    case 'queued':
      return `will start soon: ${count(tasks.length, 'task')}`;
    case 'running':
      return `is working${progress}`;
    case 'parked':
      if (run.steering?.paused !== undefined) return `is paused by ${encodeInline(run.steering.paused.by)}${progress}`;
      if (run.waitsFor === 'answer') return `is waiting for an answer${progress}`;
      return `is waiting${run.parkedUntil === undefined ? '' : ` until ${moment(run.parkedUntil)}`}${progress}`;
    case 'succeeded':
      return `is done${result(report)}`;
    case 'failed':
      return `could not finish${progress}`;
    case 'stopped':
      return `was stopped${run.stop === undefined ? '' : ` by ${encodeInline(run.stop.by)}`}${progress}`;
  }
}

/** What there is at the end of a run that succeeded. */
function result({ run, tasks }: RunReport): string {
  const elsewhere = pullRequestElsewhere(run);
  const facts = [
    tasks.length === 1 ? '' : tasksDone(tasks),
    run.pullRequest === undefined ? '' : `ready for review${elsewhere === '' ? '' : ` in ${elsewhere}`}`,
    tasks.every((task) => task.outcome?.kind === 'no-change') ? 'nothing to change' : '',
  ].filter((fact) => fact !== '');
  return facts.length === 0 ? '' : `: ${facts.join(', ')}`;
}

function tasksDone(tasks: readonly RunTask[]): string {
  const skipped = tasks.filter((task) => task.outcome?.kind === 'skipped').length;
  return skipped === 0
    ? `all ${tasks.length} tasks`
    : `${tasks.length - skipped} of ${tasks.length} tasks, ${skipped} skipped`;
}

/** The run's pull request as a link, unless the comment is in it. */
function pullRequestElsewhere(run: Run): string {
  const number = run.pullRequest?.number;
  return number === undefined || number === threadOf(run) ? '' : `#${number}`;
}

function timeSpent(report: RunReport): string {
  const ms = elapsed(report);
  return ms === undefined ? '' : duration(ms);
}

function branchLink({ run, links, tasks }: RunReport): string {
  const pushed = run.tip !== run.base.sha || tasks.some((task) => task.outcome?.kind === 'committed');
  if (links?.repository === undefined || !pushed) return codeSpan(run.branch);
  return `[${codeSpan(run.branch)}](${links.repository}/tree/${run.branch})`;
}

function waitingLine({ run, waiting }: RunReport): string {
  const why = waiting ?? (isFinal(run.state) || run.state === 'parked' ? run.reason : undefined);
  if (why === undefined) return '';
  return isFinal(run.state) ? encodeProse(why) : `**Waiting:** ${encodeProse(why)}`;
}

function taskList(report: RunReport, detail: Detail): string {
  const finished = (task: RunTask): boolean => ['committed', 'no change'].includes(taskState(task, report.run));
  const folded = detail.fold ? report.tasks.filter(finished) : [];
  const open = detail.fold ? report.tasks.filter((task) => !finished(task)) : report.tasks;
  const parts = [];
  if (folded.length > 0) {
    const title = `${STATE_ICONS.committed} ${count(folded.length, 'finished task')}`;
    parts.push(details(title, lines(report, folded, detail)));
  }
  if (open.length > 0) parts.push(lines(report, open, detail));
  return parts.join('\n\n');
}

function lines(report: RunReport, tasks: readonly RunTask[], detail: Detail): string {
  const shown = tasks.slice(0, detail.listed).map((task) => taskLine(report, task, detail));
  const more = tasks.length - shown.length;
  return [...shown, ...(more > 0 ? [`- … and ${count(more, 'more task')}`] : [])].join('\n');
}

function taskLine(report: RunReport, task: RunTask, detail: Detail): string {
  const state = taskState(task, report.run);
  const alone = report.tasks.length === 1;
  const position = alone ? '' : `${task.position}. `;
  const facts = [`${STATE_ICONS[state]} ${position}${encodeInline(clip(task.title, detail.title))}`];
  if (task.outcome?.kind === 'committed') facts.push(commitLink(report, task.outcome.commit, detail));
  if (task.outcome?.kind === 'no-change') facts.push('nothing to change');
  if (task.outcome?.kind === 'cancelled' && task.outcome.keptRef !== undefined) {
    facts.push(`unfinished work kept at ${codeSpan(task.outcome.keptRef)}`);
  }
  if (task.outcome?.kind === 'skipped') facts.push(`skipped by ${encodeInline(task.outcome.by)}`);
  if (task.outcome?.kind === 'parked' && task.outcome.until !== undefined)
    facts.push(`waits until ${moment(task.outcome.until)}`);
  // Of one task alone, time and cost are those of the run.
  if (!alone && task.startedAt !== undefined && (state === 'working' || task.endedAt !== undefined)) {
    facts.push(duration((task.endedAt ?? report.now) - task.startedAt));
  }
  if (!alone && task.usage.costUsd !== undefined && task.usage.costUsd > 0) facts.push(money(task.usage.costUsd));
  if (task.attempts > 1) facts.push(`attempt ${task.attempts}`);
  if (task.added !== undefined) facts.push(`added by ${encodeInline(task.added.by)}`);
  if (task.handover !== undefined) facts.push(takenOver(task.handover));
  return `- ${facts.join(' · ')}`;
}

function commitLink({ links }: RunReport, commit: string, detail: Detail): string {
  const short = commit.slice(0, 7);
  if (!detail.links || links?.repository === undefined) return short;
  return `[\`${short}\`](${links.repository}/commit/${commit})`;
}

function failures(report: RunReport, detail: Detail): string {
  return report.tasks
    .filter((task) => task.outcome?.kind === 'failed')
    .slice(0, detail.failures)
    .map((task) => (task.outcome?.kind === 'failed' ? failureSection(report, task, task.outcome.failure, detail) : ''))
    .join('\n\n');
}

function failureSection({ tasks }: RunReport, task: RunTask, failure: Failure, detail: Detail): string {
  const position = tasks.length === 1 ? '' : `Task ${task.position}: `;
  const title = `${STATE_ICONS.failed} ${position}${encodeInline(clip(task.title, detail.title))}`;
  const parts = [
    `**What happened:** ${encodeProse(clip(failure.message, 1000))}`,
    `**What to do:** ${nextStep(failure)}`,
    failure.keptRef === undefined ? '' : `The unfinished work is kept at ${codeSpan(failure.keptRef)}.`,
    failure.detail === undefined || failure.detail.trim() === '' ? '' : fence(failure.detail, detail.lines),
  ];
  return details(title, parts.filter((part) => part !== '').join('\n\n'));
}

function footer({ run, tasks, links }: RunReport): string {
  const facts = [
    `Asked for by ${encodeInline(run.requester.login)}`,
    links?.run === undefined ? `run ${codeSpan(run.id)}` : `[run ${codeSpan(run.id)}](${links.run})`,
    commands(run, tasks),
  ];
  return `<sub>${facts.filter((fact) => fact !== '').join(' · ')}</sub>`;
}

/** What can be asked for now, and nothing else; how to begin anew where something is left to do has a paragraph of its own. */
function commands(run: Run, tasks: readonly RunTask[]): string {
  const now = commandsNow({ run, tasks }).map(({ words }) => words);
  const always = now.length === 0 && isFinal(run.state) ? [] : ['explain', 'status', 'help'];
  const shown = [...now, ...always].map((words) => codeSpan(`/maestro ${words}`));
  const issue = issueOf(run);
  const again =
    run.state !== 'succeeded' || issue === undefined ? '' : `new run: comment ${againCommand(run)} in #${issue}`;
  return [shown.length === 0 ? '' : `commands now: ${shown.join(' ')}`, again]
    .filter((part) => part !== '')
    .join(' · ');
}

/** A folded part. The blank lines make GitHub read what is inside as markdown. */
export function details(summary: string, content: string): string {
  return `<details><summary>${summary}</summary>\n\n${content}\n\n</details>`;
}
