import { formatUnit, type OperatorBudget } from '../budget.ts';
import type { Failure } from '../outcome.ts';
import type { PlaybookSettings, PlaybookSource } from '../playbook.ts';
import type { Handover, Run, RunTask, Session } from '../run.ts';
import { triggerThread } from '../trigger.ts';
import { budgetStep, limitsOf, type Charge } from '../spending.ts';
import { addUsage, NO_USAGE, type Usage } from '../usage.ts';
import { defaultsNotes } from './defaults.ts';
import { count, money } from './quantities.ts';
import { clip, codeSpan, encodeInline } from './untrusted-text.ts';

/** All that the texts about a run are made from. Everything but `run`, `tasks` and `now` may be left out. */
export interface RunReport {
  readonly run: Run;
  /** In order of position. */
  readonly tasks: readonly RunTask[];
  /** Epoch milliseconds: what durations of unfinished things are measured against. */
  readonly now: number;
  /** Sessions so far, for the names of providers and links to logs. */
  readonly sessions?: readonly Session[];
  readonly links?: ReportLinks;
  /** What is on record as spent, and what the operator lets runs spend. */
  readonly spending?: { readonly spent: Charge; readonly operator: OperatorBudget };
  /** One sentence on what the run waits for. */
  readonly waiting?: string;
  /** Where the base branch was when the run ended: undefined once it is gone. Left out until then. */
  readonly base?: { readonly sha: string | undefined };
  /** Hosts the gateway refused, with how often. */
  readonly blockedHosts?: readonly { readonly host: string; readonly count: number }[];
  /** Agents that printed what their codec does not know, with how much of all they printed. */
  readonly notUnderstood?: readonly NotUnderstood[];
  /** Sentences on what a reader would not expect of the run, as markdown of ours. */
  readonly notes?: readonly string[];
}

/** An agent CLI whose output was not understood in part. */
export interface NotUnderstood {
  /** As people call the agent. */
  readonly agent: string;
  /** The package and version its codec was made for; undefined for an agent without one. */
  readonly madeFor: string | undefined;
  readonly unknown: number;
  /** Of so many events, the unknown ones among them. */
  readonly events: number;
}

export interface ReportLinks {
  /** The repository's page, e.g. `https://github.com/octo/demo`. */
  readonly repository?: string;
  /** The run's page on the dashboard. */
  readonly run?: string;
}

/** How far a task got, in a word people and `parsePullRequest` read. */
export type TaskState = 'waiting' | 'working' | 'committed' | 'no change' | 'failed' | 'stopped' | 'skipped' | 'parked';

/** The icon each state is shown with. */
export const STATE_ICONS: Readonly<Record<TaskState, string>> = {
  waiting: '⬜',
  working: '⏳',
  committed: '✅',
  'no change': '☑️',
  failed: '❌',
  stopped: '⏹️',
  skipped: '⏭️',
  parked: '⏸️',
};

/** How far a task of a run got. A task somebody works on has begun, has no outcome yet, and its run is running. */
export function taskState(task: RunTask, run: Pick<Run, 'state'>): TaskState {
  switch (task.outcome?.kind) {
    case 'committed':
      return 'committed';
    case 'no-change':
      return 'no change';
    case 'failed':
      return 'failed';
    case 'cancelled':
      return 'stopped';
    case 'skipped':
      return 'skipped';
    case 'parked':
      return 'parked';
    case undefined:
      return task.startedAt !== undefined && task.endedAt === undefined && run.state === 'running'
        ? 'working'
        : 'waiting';
  }
}

/** By whom a task was taken over and why, as markdown: `by codex: claude-code is out of quota until …`. */
export function takenOver({ provider, reason }: Handover): string {
  return `by ${encodeInline(provider)}: ${encodeInline(clip(reason, 300))}`;
}

/** What all tasks consumed together. */
export function totalUsage(tasks: readonly RunTask[]): Usage {
  return tasks.reduce((sum, task) => addUsage(sum, task.usage), NO_USAGE);
}

/** Names of the providers that worked on the run, first used first; the run's own when there was no session yet. */
export function providersOf(report: RunReport): readonly string[] {
  const used = new Set((report.sessions ?? []).map((session) => session.provider));
  return used.size === 0 ? [report.run.provider] : [...used];
}

/** Milliseconds since the run began; undefined before that. */
export function elapsed(report: RunReport): number | undefined {
  const { startedAt, endedAt } = report.run;
  return startedAt === undefined ? undefined : (endedAt ?? report.now) - startedAt;
}

/** Where a playbook is, as a path or an issue number with `#`. */
export function playbookName(playbook: PlaybookSource): string {
  return playbook.kind === 'file' ? playbook.path : `#${playbook.issue}`;
}

/** The issue a run's playbook is, or that it was asked for in; undefined for a push. */
export function issueOf(run: Run): number | undefined {
  return run.playbook.kind === 'file' ? triggerThread(run.trigger) : run.playbook.issue;
}

/** The thread that holds a run's status comment: the issue, or the pull request of a run that came from none. */
export function threadOf(run: Run): number | undefined {
  return issueOf(run) ?? run.pullRequest?.number;
}

/** What a run spent, of what it may spend; empty when it spent nothing and has no limit, or when that is not known. */
export function spent({ run, tasks, spending }: RunReport): string {
  const usage = totalUsage(tasks);
  const tokens = usage.inputTokens + usage.outputTokens + usage.cachedInputTokens;
  const charge = spending?.spent ?? { usd: usage.costUsd ?? 0, tokens, ms: 0 };
  const limits = limitsOf(run, spending?.operator ?? {}).filter(({ scope }) => scope === 'run');
  const parts = limits.map(({ unit, most }) => `${formatUnit(unit, charge[unit])} of ${formatUnit(unit, most)}`);
  if (limits.some(({ unit }) => unit === 'usd')) return parts.join(', ');
  return [...(usage.costUsd === undefined || usage.costUsd === 0 ? [] : [money(usage.costUsd)]), ...parts].join(', ');
}

/** A warning for each agent whose output was not understood in part; empty when all was. */
export function formatWarnings({ notUnderstood = [] }: RunReport): string {
  return notUnderstood
    .map(({ agent, madeFor, unknown, events }) => {
      const version = madeFor === undefined ? '' : ` (made for ${codeSpan(madeFor)})`;
      return `> [!WARNING]\n> Maestro${version} does not know ${count(unknown, 'event')} of ${events} that ${encodeInline(agent)} printed: its output format may have changed. What Maestro tells of this agent may be incomplete; the lines are in the session's log as \`unknown\`.`;
    })
    .join('\n\n');
}

/** What a reader would not expect of the run; empty when there is nothing. */
export function formatNotes({ run, notes = [] }: RunReport): string {
  return [...defaultsNotes(run), ...notes].map((note) => `> [!NOTE]\n> ${note}`).join('\n\n');
}

/** The command that asks for the same work again, as a code span. */
export function againCommand({ playbook }: Run): string {
  if (playbook.kind !== 'file') return codeSpan('/maestro run');
  const mark = playbook.path.includes('"') ? "'" : '"';
  const path = /[\s"']/u.test(playbook.path) ? `${mark}${playbook.path}${mark}` : playbook.path;
  return codeSpan(`/maestro run playbook=${path}`);
}

/**
 * How to try again when a run ended with something left to do, and what becomes of what there is; empty for other runs. `here`
 * is the number of the thread it is said in, if that is known.
 */
export function howToTryAgain(run: Run, here: number | undefined): string {
  if (run.state !== 'failed' && run.state !== 'stopped') return '';
  const issue = issueOf(run);
  const how =
    issue === undefined
      ? `comment ${againCommand(run)} in an issue, or push the playbook again`
      : `comment ${againCommand(run)} in #${issue}`;
  const number = run.pullRequest?.number;
  const stays = number === here ? 'here stays' : `in #${number} stays there`;
  const rest = number === undefined ? '' : `; what is committed ${stays}`;
  const on = `To go on where it ended, comment ${codeSpan('/maestro resume')}, ${codeSpan('/maestro retry N')} or ${codeSpan('/maestro skip N')} here.`;
  return `${on} To begin anew, ${how}: a new run starts from ${encodeInline(run.base.ref)}${rest}.`;
}

/** What a person can do about a failure of each kind. */
export function nextStep(failure: Failure): string {
  switch (failure.kind) {
    case 'auth':
      return 'Ask whoever operates Maestro to renew the key of this provider.';
    case 'quota':
      return 'Wait until the quota is back, or name another provider.';
    case 'overloaded':
    case 'network':
      return 'Wait a while: the provider could not be reached.';
    case 'context-full':
      return 'Split the task into smaller ones.';
    case 'permission':
      return 'Say in the task how to do without what was denied, or have it allowed.';
    case 'crash':
      return 'See in the last lines of the log whether the task can avoid it.';
    case 'idle':
      return 'See where it hung, and make the task smaller or clearer.';
    case 'wall':
      return 'Make the task smaller or raise `timeout` in the playbook.';
    case 'setup':
      return 'Read what it printed, and mend the setup on the default branch; a host it may not reach is allowed by whoever operates Maestro.';
    case 'verify-failed':
      return 'Read what the check printed, and make the task clearer or mend the check.';
    case 'policy':
      return 'Make that change by hand, or say in the task to leave it alone.';
    case 'budget':
      return budgetStep(failure.limit);
    case 'blocked':
      return 'Mend what stands in the way, or answer with `/maestro retry N` and what the agent should know.';
    case 'infra':
      return 'Nothing is wrong with the task: it can be tried again as it is.';
  }
}

/** Settings this version reads and checks, but does not act on. Whoever wrote one is told, rather than left to find out. */
const NOT_CARRIED_OUT: Readonly<Partial<Record<keyof PlaybookSettings, string>>> = {
  parallel: 'parallel',
  after: 'after',
  loop: 'loop',
  maxLoops: 'max-loops',
  reset: 'reset',
  reviewers: 'reviewers',
  schedule: 'schedule',
};

/** One sentence naming the playbook's settings that have no effect yet; empty when there are none. */
export function withoutEffect({ settings }: Pick<Run, 'settings'>): string {
  const names = Object.entries(NOT_CARRIED_OUT).flatMap(([key, name]) =>
    settings[key as keyof PlaybookSettings] === undefined ? [] : [`\`${name}\``],
  );
  if (settings.context !== undefined && settings.context !== 'fresh') names.push('`context`');
  if (settings.onFailure === 'ask') names.push('`on-failure: ask`');
  const { run, task } = settings.budget ?? {};
  if (task !== undefined || run?.tokens !== undefined || run?.ms !== undefined)
    names.push('`budget` for a task, in tokens or in time');
  if (names.length === 0) return '';
  return `This version of Maestro does not act on ${names.join(', ')} yet; the run goes on as if ${names.length === 1 ? 'it were' : 'they were'} not there.`;
}
