import { branchName } from './branch.ts';
import { settle, type Defaults } from './defaults.ts';
import { runIdFor, digest, type TaskKey } from './ids.ts';
import { unknownProvider } from './label.ts';
import type { Box, Playbook, PlaybookSettings, PlaybookSource, Problem } from './playbook.ts';
import type { Refusal } from './refusal.ts';
import type { Repository } from './repository.ts';
import type { Resume, Run, RunTask } from './run.ts';
import { naturalKey, type Trigger } from './trigger.ts';
import { NO_USAGE } from './usage.ts';

/** A permitted request for a run. */
export interface RunRequest {
  readonly repository: Repository;
  readonly trigger: Trigger;
  /** The provider the label or command names: it wins over the playbook's. */
  readonly provider: string | undefined;
  /** The model the command names: it wins over the playbook's. */
  readonly model: string | undefined;
  /** Extra words of the person who asked, as they wrote them. */
  readonly instructions: string;
  /** The earlier conversation the first task is to go on with: one of `provider`'s, about this repository. */
  readonly resume?: Resume;
  /** The playbook file the run is to write, when that is what it is for. */
  readonly plan?: Run['plan'];
}

/** What a run is planned from. */
export interface PlanInput {
  readonly request: RunRequest;
  /** Tells apart the runs of a request that names several playbooks: the path, else empty. */
  readonly part: string;
  readonly source: PlaybookSource;
  /** `source`, parsed. */
  readonly playbook: Playbook;
  /** What counts where the playbook says nothing, the nearest first; none when left out. */
  readonly defaults?: readonly Defaults[];
  readonly base: Run['base'];
  readonly providers: readonly string[];
  /** What a run gets when nobody names one, in order of preference. At least one. */
  readonly defaultProviders: readonly string[];
  /** Epoch milliseconds. */
  readonly createdAt: number;
}

export type Plan =
  | { readonly kind: 'run'; readonly run: Run; readonly tasks: readonly RunTask[] }
  | { readonly kind: 'problems'; readonly place: string; readonly problems: readonly Problem[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Decides what a request comes to: a run with its tasks, problems to mend first, or a refusal. */
export function planRun(input: PlanInput): Plan {
  const { request, source, playbook } = input;
  if (playbook.problems.length > 0) return { kind: 'problems', place: placeOf(source), problems: playbook.problems };
  const { settings, used } = settle(playbook.settings, input.defaults ?? [], {
    asked: request.provider,
    standard: input.defaultProviders[0],
  });
  const [provider = '', ...fallbacks] = preferences(input, settings);
  const refusal = firstOf([provider, ...fallbacks], (name) => unknownProvider(name, input.providers));
  if (refusal !== undefined) return { kind: 'refused', refusal };

  const key = naturalKey(request.repository.id, request.trigger, input.part);
  const id = runIdFor(key);
  const tasks = tasksOf(source, openTasks(playbook)).map((task, index): RunTask => ({
    ...task,
    runId: id,
    position: index + 1,
    attempts: 0,
    outcome: undefined,
    usage: NO_USAGE,
    startedAt: undefined,
    endedAt: undefined,
  }));
  if (tasks.length === 0) return { kind: 'refused', refusal: nothingToDo(source) };

  const title = titleOf(source, playbook);
  const run: Run = {
    id,
    naturalKey: key,
    repository: request.repository,
    trigger: request.trigger,
    requester: request.trigger.sender,
    playbook: source,
    settings,
    ...(used.length === 0 ? {} : { defaults: used }),
    title,
    provider,
    ...(fallbacks.length === 0 ? {} : { fallbacks }),
    model: request.model ?? modelFor(provider, settings),
    instructions: request.instructions,
    ...(request.resume === undefined ? {} : { resume: request.resume }),
    ...(request.plan === undefined ? {} : { plan: request.plan }),
    base: input.base,
    branch: branchName({ title, runId: id }),
    createdAt: input.createdAt,
    state: 'queued',
    reason: undefined,
    startedAt: undefined,
    endedAt: undefined,
    parkedUntil: undefined,
    tip: input.base.sha,
    pullRequest: undefined,
    statusCommentId: undefined,
    stop: undefined,
    setbacks: undefined,
  };
  return { kind: 'run', run, tasks };
}

/**
 * The providers of a run in order: the one the label or command names, then those of the playbook, or else the operator's. One
 * provider alone is no order of preference: what a person names instead goes alone too.
 */
function preferences({ request, defaultProviders }: PlanInput, settings: PlaybookSettings): readonly string[] {
  const { provider, fallbacks = [] } = settings;
  const preferred = provider === undefined ? defaultProviders : [provider, ...fallbacks];
  if (request.provider === undefined) return [...new Set(preferred)];
  return preferred.length < 2 ? [request.provider] : [...new Set([request.provider, ...preferred])];
}

function firstOf<T, R>(items: readonly T[], find: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const found = find(item);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The tasks of a playbook still to be done, in document order. */
export function openTasks(playbook: Playbook): readonly Box[] {
  return playbook.boxes.filter((box) => box.parent === undefined && !box.checked);
}

/** The tasks of a source. An issue without a checklist is one task: its key hashes what was asked, as a checkbox's does. */
export function tasksOf(
  source: PlaybookSource,
  open: readonly Box[],
): readonly { readonly key: TaskKey; readonly title: string; readonly text: string }[] {
  if (source.kind !== 'issue') return open.map(({ key, title, text }) => ({ key, title, text }));
  const key = `${digest(`${source.title}\n${source.text}`, 12)}-1` as TaskKey;
  return [{ key, title: source.title, text: source.text }];
}

/** A model named beside one provider means nothing to another that the label or command chose instead. */
function modelFor(provider: string, { provider: named, model }: PlaybookSettings): string | undefined {
  return named === undefined || named === provider ? model : undefined;
}

function titleOf(source: PlaybookSource, playbook: Playbook): string {
  if (source.kind !== 'file') return source.title;
  const file = source.path.slice(source.path.lastIndexOf('/') + 1).replace(/\.md$/, '');
  return playbook.title ?? file;
}

function placeOf(source: PlaybookSource): string {
  return source.kind === 'file' ? source.path : `issue #${source.issue}`;
}

function nothingToDo(source: PlaybookSource): Refusal {
  const what = source.kind === 'file' ? `\`${source.path}\`` : 'This issue';
  return {
    reason: 'nothing-to-do',
    message: `${what} has no open task: every box of its checklist is ticked. Add a task or untick one, then ask again.`,
  };
}

/**
 * Whether two texts of a playbook differ in ticks alone. `after` is `afterText`, parsed. A tick replaces one character, so the
 * texts have the same length and every difference is the mark of a box.
 */
export function differsInTicksOnly(beforeText: string, afterText: string, after: Playbook): boolean {
  if (beforeText.length !== afterText.length) return false;
  const marks = new Set(after.boxes.map((box) => box.offset));
  for (let index = 0; index < afterText.length; index += 1) {
    if (beforeText[index] === afterText[index]) continue;
    if (!marks.has(index) || !/[ xX]/.test(beforeText[index] ?? '')) return false;
  }
  return true;
}

/** Whether a commit message carries a trailer of ours: the engine made the commit, or a squash of its commits. */
export function isEngineCommit(message: string): boolean {
  return /^Maestro-Run: r[a-z2-7]{15}\s*$/m.test(message);
}
