import { doneCount, isFinal, type RunTask } from '../run.ts';
import { formatEvidence, formatFailedBefore } from './evidence.ts';
import { count, duration, tokens } from './quantities.ts';
import {
  elapsed,
  formatNotes,
  formatWarnings,
  issueOf,
  nextStep,
  howToTryAgain,
  playbookName,
  providersOf,
  spent,
  STATE_ICONS,
  takenOver,
  taskState,
  totalUsage,
  type RunReport,
  withoutEffect,
} from './run-report.ts';
import { details } from './status-comment.ts';
import { clip, codeSpan, encodeInline, encodeProse, plainLine } from './untrusted-text.ts';

/** GitHub takes 65,536 characters in a body and 256 in a title. */
const BODY_LENGTH = 64_000;
const TITLE_LENGTH = 256;

/** Digits of a commit that tell it apart, and that GitHub makes a link of. */
const SHORT_COMMIT = 10;

/** Checks that are named, and characters of each. */
const CHECKS = 10;
const CHECK_LENGTH = 200;

/** How much is said. Each next level says less, and the first that fits is used. */
interface Detail {
  /** Characters of a title in the table; infinite for exact ones. */
  readonly title: number;
  /** Tasks not done that are told about one by one, and characters of each reason. */
  readonly reasons: number;
  readonly reason: number;
  /** Whether commits link to their pages. */
  readonly links: boolean;
  /** Whether a state is its icon only, and a commit stands whole in the table instead of in the facts. */
  readonly least: boolean;
  /** Characters for what the engine's checks printed. */
  readonly output: number;
}

const LEVELS: readonly Detail[] = [
  { title: Number.POSITIVE_INFINITY, reasons: 20, reason: 500, links: true, least: false, output: 16_000 },
  { title: Number.POSITIVE_INFINITY, reasons: 20, reason: 500, links: true, least: false, output: 0 },
  { title: 200, reasons: 20, reason: 300, links: true, least: false, output: 0 },
  { title: 60, reasons: 10, reason: 200, links: false, least: false, output: 0 },
  { title: 30, reasons: 5, reason: 200, links: false, least: false, output: 0 },
];

/** A thousand tasks fit. */
const LEAST: Detail = { title: 0, reasons: 3, reason: 200, links: false, least: true, output: 0 };

/** Upper bound of a row at the least detail: position, icon, commit, and what is between. */
const ROW_LENGTH = 66;

/**
 * Title and body of a run's pull request. `parsePullRequest` reads the facts back: exactly, as long as the body has room for the
 * titles (with very many or very long ones they are cut, and then dropped; positions, states and commits stay to the last).
 */
export function renderPullRequest(report: RunReport): { readonly title: string; readonly body: string } {
  const title = clip(plainLine(report.run.title), TITLE_LENGTH) || `Maestro run ${report.run.id}`;
  for (const level of [...LEVELS, LEAST]) {
    const body = renderBody(report, level, report.tasks.length);
    if (body.length <= BODY_LENGTH) return { title, body };
  }
  const room = BODY_LENGTH - renderBody(report, LEAST, 0).length;
  return { title, body: renderBody(report, LEAST, Math.max(0, Math.floor(room / ROW_LENGTH))) };
}

function renderBody(report: RunReport, detail: Detail, rows: number): string {
  return [
    banner(report),
    summary(report),
    checked(report),
    formatWarnings(report),
    formatNotes(report),
    withoutEffect(report.run),
    baseMoved(report),
    taskTable(report, detail, rows),
    handovers(report, detail),
    notDone(report, detail),
    howToContinue(report),
    checkTable(report, detail),
    factsTable(report, detail),
    blockedHosts(report),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

function banner({ run, tasks }: RunReport): string {
  const progress = `${doneCount(tasks)} of ${count(tasks.length, 'task')}`;
  switch (run.state) {
    case 'queued':
    case 'running':
      return `> [!NOTE]\n> Maestro is still working here: ${progress} done. This text is rewritten as it goes on.`;
    case 'parked':
      return `> [!NOTE]\n> Maestro is waiting: ${progress} done. This text is rewritten when it goes on.`;
    case 'failed':
    case 'stopped':
      return `> [!WARNING]\n> This is unfinished: ${progress} done. What is here was committed task by task and can be reviewed as it is.`;
    case 'succeeded':
      return '';
  }
}

function summary(report: RunReport): string {
  const { run, tasks } = report;
  const issue = issueOf(run);
  // Merging a partial result must not close the issue: it closes only when all that it asked for is in the pull request.
  // Nor must a playbook for it: its work is still to come.
  const closes = run.state === 'succeeded' && run.playbook.kind !== 'file' && run.plan === undefined;
  const reference = issue === undefined ? '' : `\n\n${closes ? 'Closes' : 'Refs'} #${issue}`;
  const where = issue === undefined ? '' : ` in #${issue}`;
  const commits = tasks.length === 1 ? '' : ' One commit per task, so each can be reviewed and reverted by itself.';
  const begins =
    run.plan === undefined ? '' : ` It adds ${codeSpan(run.plan.path)}: merging it starts the run of that playbook.`;
  return `Asked for by ${encodeInline(run.requester.login)}${where}.${commits}${begins}${reference}`;
}

function checked({ run, tasks }: RunReport): string {
  const { verify = [] } = run.settings;
  if (verify.length === 0) return '';
  const commands = verify.slice(0, CHECKS).map((command) => codeSpan(clip(command, CHECK_LENGTH)));
  const more = verify.length > CHECKS ? [`${verify.length - CHECKS} more`] : [];
  const failed = formatFailedBefore(tasks);
  return [
    `Checked after each task with: ${[...commands, ...more].join(', ')}`,
    ...(failed === '' ? [] : ['', failed]),
  ].join('\n');
}

/** The work stays on the commit it was made from; that the base is elsewhere by now is for people to deal with (fault F29). */
function baseMoved({ run, base }: RunReport): string {
  if (base === undefined || base.sha === run.base.sha) return '';
  const ref = codeSpan(run.base.ref);
  const from = run.base.sha.slice(0, SHORT_COMMIT);
  if (base.sha === undefined) return `The base ${ref} is gone; this was made from its commit ${from}.`;
  return `The base ${ref} moved to ${base.sha.slice(0, SHORT_COMMIT)} while this was made; this is based on ${from}, and nothing was rebased.`;
}

function taskTable(report: RunReport, detail: Detail, rows: number): string {
  const { run, tasks } = report;
  const shown = tasks.slice(0, rows).map((task) => {
    const state = taskState(task, run);
    const commit = task.outcome?.kind === 'committed' ? commitCell(report, task.outcome.commit, detail) : '';
    const title = detail.title === 0 ? '' : encodeInline(clip(task.title, detail.title));
    const word = detail.least ? '' : ` ${state}`;
    return `| ${task.position} | ${STATE_ICONS[state]}${word} | ${title} | ${commit} |`;
  });
  const more = tasks.length - shown.length;
  return [
    '| # | State | Task | Commit |',
    '| ---: | --- | --- | --- |',
    ...shown,
    ...(more > 0 ? ['', `… and ${count(more, 'more task')}.`] : []),
  ].join('\n');
}

function commitCell({ links }: RunReport, commit: string, detail: Detail): string {
  if (detail.least) return commit;
  const short = commit.slice(0, SHORT_COMMIT);
  if (!detail.links || links?.repository === undefined) return short;
  return `[\`${short}\`](${links.repository}/commit/${commit})`;
}

function handovers({ tasks }: RunReport, detail: Detail): string {
  const lines = tasks.flatMap(({ position, handover }) =>
    handover === undefined ? [] : [`- Task ${position} ${takenOver(handover)}`],
  );
  if (lines.length === 0) return '';
  const more = lines.length > detail.reasons ? [`- … and ${count(lines.length - detail.reasons, 'more task')}`] : [];
  return ['### Taken over', '', ...lines.slice(0, detail.reasons), ...more].join('\n');
}

function notDone(report: RunReport, detail: Detail): string {
  const lines = report.tasks.flatMap((task) => {
    const reason = whyNotDone(task, detail);
    return reason === undefined ? [] : [`- ${task.position}. ${encodeInline(clip(task.title, 100))}: ${reason}`];
  });
  if (lines.length === 0) return '';
  const more = lines.length > detail.reasons ? [`- … and ${count(lines.length - detail.reasons, 'more task')}`] : [];
  return ['### Not done', '', ...lines.slice(0, detail.reasons), ...more].join('\n');
}

function whyNotDone({ outcome }: RunTask, detail: Detail): string | undefined {
  switch (outcome?.kind) {
    case 'failed': {
      const kept = outcome.failure.keptRef;
      const ref = kept === undefined ? '' : ` Its unfinished work is kept at ${codeSpan(kept)}.`;
      return `${encodeProse(clip(outcome.failure.message, detail.reason))} ${nextStep(outcome.failure)}${ref}`;
    }
    case 'cancelled': {
      const ref = outcome.keptRef === undefined ? '' : ` Its unfinished work is kept at ${codeSpan(outcome.keptRef)}.`;
      return `stopped by ${encodeInline(outcome.by)}: ${encodeProse(clip(outcome.reason, detail.reason))}${ref}`;
    }
    case 'skipped': {
      const why = outcome.reason === '' ? '' : `: ${encodeProse(clip(outcome.reason, detail.reason))}`;
      return `skipped, as ${encodeInline(outcome.by)} asked${why}`;
    }
    case 'parked':
      return encodeProse(clip(outcome.reason, detail.reason));
    case 'committed':
    case 'no-change':
    case undefined:
      return undefined;
  }
}

function howToContinue({ run }: RunReport): string {
  if (!isFinal(run.state)) return `Comment ${codeSpan('/maestro stop')} to end it here; what is committed stays.`;
  return howToTryAgain(run, run.pullRequest?.number);
}

function factsTable(report: RunReport, detail: Detail): string {
  const { run, tasks } = report;
  const usage = totalUsage(tasks);
  const time = elapsed(report);
  const cost = usage.costUsd === undefined ? 'not known' : spent(report);
  const runId = report.links?.run === undefined ? codeSpan(run.id) : `[${codeSpan(run.id)}](${report.links.run})`;
  const rows = [
    ['Run', runId],
    ['Playbook', run.playbook.kind === 'file' ? encodeInline(run.playbook.path) : playbookName(run.playbook)],
    ['Asked for by', encodeInline(run.requester.login)],
    ['Base', `${encodeInline(run.base.ref)} at ${run.base.sha}`],
    ['Tasks', String(tasks.length)],
    ['Provider', encodeInline([...providersOf(report), ...(run.model === undefined ? [] : [run.model])].join(', '))],
    ['Tokens', `${tokens(usage.inputTokens)} in, ${tokens(usage.outputTokens)} out`],
    ...(cost === '' ? [] : [['Cost', cost]]),
    ['Time', time === undefined ? 'not begun' : duration(time)],
    ...(detail.least ? [] : fullCommits(tasks)),
  ];
  return details('Facts', ['| | |', '| --- | --- |', ...rows.map((row) => `| ${row.join(' | ')} |`)].join('\n'));
}

function fullCommits(tasks: readonly RunTask[]): readonly (readonly [string, string])[] {
  return tasks.flatMap(({ position, outcome }) =>
    outcome?.kind === 'committed' ? [[`Commit ${position}`, outcome.commit] as const] : [],
  );
}

/** What the engine's own checks said of each task; left out where there is no room for titles. */
function checkTable({ tasks }: RunReport, detail: Detail): string {
  const evidence = detail.title === 0 ? '' : formatEvidence(tasks, detail.output);
  return evidence === '' ? '' : details('Checks', evidence);
}

function blockedHosts({ blockedHosts = [] }: RunReport): string {
  if (blockedHosts.length === 0) return '';
  const rows = blockedHosts.slice(0, 50).map(({ host, count: times }) => `- ${codeSpan(clip(host, 253))}: ${times}`);
  const more = blockedHosts.length > 50 ? [`- … and ${count(blockedHosts.length - 50, 'more host')}`] : [];
  return details('Hosts the agent asked for and did not get', [...rows, ...more].join('\n'));
}
