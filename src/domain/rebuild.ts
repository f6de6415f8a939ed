import { openTasks, tasksOf } from './plan-run.ts';
import type { Playbook, PlaybookSource } from './playbook.ts';
import type { Outcome } from './outcome.ts';
import { parseTrailers } from './report/commit-message.ts';
import type { PullRequestFacts, TaskFacts } from './report/pull-request-facts.ts';
import type { Repository } from './repository.ts';
import type { RunRecord } from './run-record.ts';
import { isFinal, isThrough, type PullRequestRef, type Run, type RunTask } from './run.ts';
import type { TaskKey } from './ids.ts';
import { naturalKey } from './trigger.ts';
import { NO_USAGE } from './usage.ts';

/** A commit as far as rebuilding needs it. */
export interface BranchCommit {
  readonly sha: string;
  readonly message: string;
}

/** All that GitHub still says of a run. */
export interface Remains {
  readonly repository: Repository;
  readonly record: RunRecord;
  readonly branch: string;
  readonly title: string;
  readonly pullRequest: PullRequestRef & { readonly open: boolean; readonly merged: boolean };
  /** What the pull request's text says; undefined when somebody rewrote it. */
  readonly facts: PullRequestFacts | undefined;
  /** From the base to the head, the oldest first. */
  readonly commits: readonly BranchCommit[];
  /** The playbook as it was asked for; undefined when that is not known any more. */
  readonly asked:
    | { readonly source: PlaybookSource; readonly playbook: Playbook; readonly instructions: string }
    | undefined;
  /** Epoch milliseconds. */
  readonly now: number;
}

const LOST = 'Maestro lost its record of this run';

/** What becomes of a task that somebody added and nobody has done: no more than its first line is known. */
const FORGOTTEN: Outcome = { kind: 'skipped', by: 'maestro', reason: `${LOST}: add the task again` };

/**
 * The run as it stood, from what GitHub still says: tasks whose commits are on the branch are committed, those the pull request
 * shows as ended are ended, the rest are open. A run that was going goes on; when what was asked is not known any more it is to be
 * stopped, and a run whose pull request was closed or merged is over.
 */
export function rebuildRun(remains: Remains): { readonly run: Run; readonly tasks: readonly RunTask[] } {
  const { record, repository, asked, pullRequest, now } = remains;
  const ours = remains.commits.filter(({ message }) => parseTrailers(message)?.run === record.id);
  const tasks = tasksOfRun(remains, ours);
  const over = isFinal(record.state) || !pullRequest.open;
  const done = tasks.every(isThrough);
  const state = isFinal(record.state) ? record.state : over ? (done ? 'succeeded' : 'stopped') : 'queued';
  const closed = pullRequest.merged ? 'merged' : 'closed';
  const run: Run = {
    id: record.id,
    setbacks: undefined,
    naturalKey: naturalKey(repository.id, record.trigger, record.part),
    repository,
    trigger: record.trigger,
    requester: record.trigger.sender,
    playbook: asked?.source ?? unknownSource(record, remains.title),
    settings: asked?.playbook.settings ?? {},
    title: remains.title,
    provider: record.provider,
    ...(record.fallbacks === undefined ? {} : { fallbacks: record.fallbacks }),
    model: record.model ?? undefined,
    instructions: asked?.instructions ?? '',
    base: record.base,
    branch: remains.branch,
    createdAt: record.createdAt,
    state,
    reason: over && !isFinal(record.state) ? `${LOST}, and the pull request was ${closed} meanwhile.` : undefined,
    startedAt: record.createdAt,
    endedAt: over ? now : undefined,
    parkedUntil: undefined,
    tip: ours.at(-1)?.sha ?? record.base.sha,
    pullRequest: { number: pullRequest.number, url: pullRequest.url, draft: pullRequest.draft },
    statusCommentId: undefined,
    stop:
      asked === undefined && !over
        ? { by: 'maestro', reason: `${LOST}, and what was asked has changed since: ask again`, at: now }
        : undefined,
  };
  return { run, tasks };
}

/** The run's tasks with what became of each. */
function tasksOfRun(remains: Remains, ours: readonly BranchCommit[]): readonly RunTask[] {
  const { record, now } = remains;
  const facts = new Map(remains.facts?.tasks.map((task) => [task.position, task]));
  const below = new Map(remains.commits.map(({ sha }, at) => [sha, remains.commits[at - 1]?.sha ?? record.base.sha]));
  const committed = new Map(
    ours.flatMap(({ sha, message }) => {
      const trailers = parseTrailers(message);
      return trailers === undefined ? [] : [[trailers.position, { sha, trailers }] as const];
    }),
  );
  const keys = new Set([...committed.values()].map(({ trailers }) => trailers.task));
  const known = askedTasks(remains, keys);
  return Array.from({ length: record.total }, (_, index): RunTask => {
    const position = index + 1;
    const commit = committed.get(position);
    const fact = facts.get(position);
    const title = fact?.title ?? `Task ${position}`;
    const task = known?.[index] ?? {
      key: commit?.trailers.task ?? (`lost-${position}` as TaskKey),
      title,
      text: title,
    };
    const isAdded = index >= record.total - (record.added ?? 0);
    const outcome: Outcome | undefined =
      commit === undefined
        ? (outcomeOf(fact) ?? (isAdded ? FORGOTTEN : undefined))
        : { kind: 'committed', commit: commit.sha, parent: below.get(commit.sha) ?? record.base.sha };
    const ended = outcome === undefined ? undefined : now;
    return {
      ...task,
      runId: record.id,
      position,
      attempts: attemptOf(commit?.trailers.session) ?? 0,
      outcome,
      usage: NO_USAGE,
      startedAt: ended,
      endedAt: ended,
      ...(isAdded ? { added: { by: 'somebody' } } : {}),
    };
  });
}

/** The tasks that were open when the run was asked for: those open now, and those it has committed since. */
function askedTasks(
  { asked, record }: Remains,
  committed: ReadonlySet<TaskKey>,
): readonly { readonly key: TaskKey; readonly title: string; readonly text: string }[] | undefined {
  if (asked === undefined) return undefined;
  const { source, playbook } = asked;
  const boxes = playbook.boxes.filter((box) => box.parent === undefined && (!box.checked || committed.has(box.key)));
  const tasks = tasksOf(source, source.kind === 'file' ? openTasks(playbook) : boxes);
  return tasks.length === record.total - (record.added ?? 0) ? tasks : undefined;
}

/** What the pull request shows of a task without a commit. Why it failed is told in older texts only. */
function outcomeOf(fact: TaskFacts | undefined): Outcome | undefined {
  switch (fact?.state) {
    case 'no change':
      return { kind: 'no-change' };
    case 'failed':
      return { kind: 'failed', failure: { kind: 'infra', message: `It failed; why is not known: ${LOST}.` } };
    case 'stopped':
      return { kind: 'cancelled', by: 'somebody', reason: 'the run was stopped' };
    case 'skipped':
      return { kind: 'skipped', by: 'somebody', reason: '' };
    case 'committed':
    case 'parked':
    case 'waiting':
    case 'working':
    case undefined:
      return undefined;
  }
}

/** Number of the attempt a session was: the last part of its id. */
function attemptOf(session: string | undefined): number | undefined {
  const number = Number(session?.split('-').at(-1));
  return Number.isInteger(number) ? number : undefined;
}

function unknownSource({ source }: RunRecord, title: string): PlaybookSource {
  if ('path' in source) return { kind: 'file', path: source.path, text: '' };
  return { kind: 'issue', issue: source.issue, title, text: '' };
}

/** Whether the tasks of what was asked can be told again: else it counts as not known. */
export function isWhole(remains: Remains): boolean {
  const keys = remains.commits.flatMap(({ message }) => parseTrailers(message)?.task ?? []);
  return askedTasks(remains, new Set(keys)) !== undefined;
}
