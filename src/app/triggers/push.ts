import { differsInTicksOnly, isEngineCommit, openTasks, type RunRequest } from '../../domain/plan-run.ts';
import type { PlaybookSource } from '../../domain/playbook.ts';
import type { Refusal } from '../../domain/refusal.ts';
import { renderProblemsCheck } from '../../domain/report/problems.ts';
import type { CheckReport } from '../../domain/report/check.ts';
import { encodeProse } from '../../domain/report/untrusted-text.ts';
import { ignoredPush, isZeroSha, type PushEvent } from '../../domain/webhook.ts';
import type { CheckAnnotation, FileEntry } from '../../forge/forge.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import type { AppDeps } from '../deps.ts';
import type { NotStarted } from '../not-started.ts';
import { permissionOf } from '../permission.ts';
import { putOff } from '../put-off.ts';
import { hasNoTasks, readPlaybookFile } from '../sources.ts';
import { startRun } from '../start.ts';
import { lookAtDefaults } from './defaults.ts';

/** Most playbooks one push starts: the rest is told so. */
const MOST_RUNS = 20;

/**
 * Handles a push: each playbook it changed on the default branch that has open tasks is a run, and defaults that it broke are told of.
 * Returns the note.
 */
export async function onPush(deps: AppDeps, push: PushEvent): Promise<string> {
  const ignored = ignoredPush(push, deps.rules.branchPrefix);
  if (ignored !== undefined) return `ignored: ${ignored}`;
  const defaults = await lookAtDefaults(deps, push);
  return [...defaults, await startPlaybooks(deps, push)].join(', ');
}

async function startPlaybooks(deps: AppDeps, push: PushEvent): Promise<string> {
  const changed = await changedPlaybooks(deps, push);
  if (changed.length === 0) return 'ignored: no playbook changed';
  const permission = await permissionOf(deps, push.repository, push.sender);
  if (permission.kind === 'ignored') return `ignored: ${permission.reason}`;
  if (permission.kind === 'denied') return `refused: not-permitted (${permission.role})`;

  const notes: string[] = [];
  for (const [index, entry] of changed.entries()) {
    const note =
      index < MOST_RUNS ? await startPlaybook(deps, push, entry) : await refuse(deps, push, entry.path, tooMany());
    notes.push(`${entry.path}: ${note}`);
  }
  return notes.join(', ');
}

/**
 * Playbooks whose content is new with this push. The trees are compared, because the payload lists the files of 2,048 commits at
 * most (threat S14). A file that only moved is not new.
 */
async function changedPlaybooks(deps: AppDeps, push: PushEvent): Promise<readonly FileEntry[]> {
  const [before, after] = await Promise.all([
    playbooksAt(deps, push, push.before),
    playbooksAt(deps, push, push.after),
  ]);
  const paths = new Set(after.map((entry) => entry.path));
  const kept = new Map(before.map((entry) => [entry.path, entry.blob]));
  const moved = new Set(before.filter((entry) => !paths.has(entry.path)).map((entry) => entry.blob));
  return after.filter(
    (entry) => kept.get(entry.path) !== entry.blob && !(moved.has(entry.blob) && !kept.has(entry.path)),
  );
}

async function playbooksAt(deps: AppDeps, push: PushEvent, sha: string): Promise<readonly FileEntry[]> {
  if (isZeroSha(sha)) return [];
  const files = await deps.forge.listFiles(push.repository, deps.rules.playbookDirectory, sha);
  return files.filter((file) => file.path.endsWith('.md'));
}

async function startPlaybook(deps: AppDeps, push: PushEvent, entry: FileEntry): Promise<string> {
  const { path, blob } = entry;
  const source = await readAt(deps, push, path, push.after);
  if (source.kind === 'refused') return await refuse(deps, push, path, source.refusal);
  if (source.kind === 'ignored') return `ignored: ${source.reason}`;
  const playbook = parsePlaybook(source.text);
  const isDone = playbook.problems.length === 0 && openTasks(playbook).length === 0;
  if (isDone || hasNoTasks(playbook)) return 'ignored: nothing open';
  if (await isOnlyOurTicks(deps, push, path, source.text)) return 'ignored: only ticks of ours';

  const sender = { id: push.sender.id, login: push.sender.login };
  const request: RunRequest = {
    repository: push.repository,
    trigger: { kind: 'push', path, blob, after: push.after, at: push.at, sender },
    provider: undefined,
    model: undefined,
    instructions: '',
  };
  // A later push may have changed the playbook again, and its event may have come first (fault F06): then that one counts.
  const read = async (head: string): Promise<PlaybookSource | NotStarted> =>
    (await blobAt(deps, push, path, head)) === blob ? source : { kind: 'ignored', reason: 'changed again meanwhile' };
  const started = await startRun(deps, request, { path, read });
  switch (started.kind) {
    case 'started':
      return `run ${started.run.id} ${started.isNew ? 'created' : 'is there already'}`;
    case 'ignored':
      return `ignored: ${started.reason}`;
    case 'problems':
      await check(deps, push, path, renderProblemsCheck(path, started.problems));
      return 'refused: bad-playbook';
    case 'refused':
      if (started.refusal.reason !== 'already-running') return await refuse(deps, push, path, started.refusal);
      await putOff(deps, push, path);
      return await tellWaiting(deps, push, path, started.refusal);
  }
}

/**
 * Whether a push brings back nothing but ticks that our own commits made. Merging the pull request of a run that did not finish
 * leaves open tasks behind, and would start them all over again, though nobody asked for it. A person who wants to go on changes
 * the playbook, or says so in a comment; and a merge that changes more than ticks is such a change.
 */
async function isOnlyOurTicks(deps: AppDeps, push: PushEvent, path: string, text: string): Promise<boolean> {
  if (isZeroSha(push.before) || !push.messages.some(isEngineCommit)) return false;
  const before = await readAt(deps, push, path, push.before);
  return before.kind === 'file' && differsInTicksOnly(before.text, text, parsePlaybook(text));
}

async function readAt(deps: AppDeps, push: PushEvent, path: string, sha: string): Promise<PlaybookSource | NotStarted> {
  return await readPlaybookFile(deps.forge, push.repository, { path, directory: deps.rules.playbookDirectory, sha });
}

async function blobAt(deps: AppDeps, push: PushEvent, path: string, sha: string): Promise<string | undefined> {
  const files = await playbooksAt(deps, push, sha);
  return files.find((entry) => entry.path === path)?.blob;
}

/** A push has no thread to answer in: the answer is a check run on its commit. */
async function refuse(deps: AppDeps, push: PushEvent, path: string, refusal: Refusal): Promise<string> {
  const summary = encodeProse(refusal.message);
  await check(deps, push, path, { status: 'completed', conclusion: 'neutral', title: 'Not started', summary });
  return `refused: ${refusal.reason}`;
}

/** A run goes on with the playbook as it was; what it is now is next. */
async function tellWaiting(deps: AppDeps, push: PushEvent, path: string, { message }: Refusal): Promise<string> {
  const summary = encodeProse(`${message} What the playbook says now is started by itself when that run has ended.`);
  await check(deps, push, path, { status: 'completed', conclusion: 'neutral', title: 'Comes next', summary });
  return 'put off: a run is at this playbook';
}

async function check(
  deps: AppDeps,
  push: PushEvent,
  path: string,
  report: CheckReport & { readonly annotations?: readonly CheckAnnotation[] },
): Promise<void> {
  const key = `playbook/${path}`;
  await deps.forge.ensureCheck(push.repository, { key, name: `Maestro: ${path}`, headSha: push.after, ...report });
}

function tooMany(): Refusal {
  return {
    reason: 'too-large',
    message: `One push starts ${MOST_RUNS} playbooks at most, and this one changed more: change this playbook in a push of its own.`,
  };
}
