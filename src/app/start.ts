import { ACTIVE_STATES, findObstacle } from '../domain/active-run.ts';
import { runIdFor } from '../domain/ids.ts';
import { planRun, type Plan, type RunRequest } from '../domain/plan-run.ts';
import type { PlaybookSource, Problem } from '../domain/playbook.ts';
import type { Refusal } from '../domain/refusal.ts';
import { fullName } from '../domain/repository.ts';
import { isFinal, type Run } from '../domain/run.ts';
import { naturalKey, triggerThread } from '../domain/trigger.ts';
import { around } from '../telemetry/failpoint.ts';
import { defaultsOf } from './defaults.ts';
import type { AppDeps, AppRules } from './deps.ts';
import type { NotStarted } from './not-started.ts';
import { parseSource } from './sources.ts';

/** What became of a request for a run. */
export type Started =
  | { readonly kind: 'started'; readonly run: Run; readonly isNew: boolean }
  | { readonly kind: 'problems'; readonly place: string; readonly problems: readonly Problem[] }
  | NotStarted;

/** One of the runs a request asks for. */
export interface Part {
  /** The playbook file to run; undefined when the issue itself is what to do. */
  readonly path: string | undefined;
  /** Gets the playbook as it was when the trigger fired; `head` is the default branch's commit, for files. */
  readonly read: (head: string) => Promise<PlaybookSource | NotStarted>;
  /** Looks at what it comes to before it is started, and says why it is not to be; asked once. */
  readonly accept?: (run: Run) => Refusal | undefined;
}

/**
 * Turns a permitted request into a saved run in the waiting line, once: for a request that was carried out before, or half of it
 * before a crash, whatever is missing is made up for. Rejects with `ForgeError` or the store's errors, and may then be repeated.
 */
export async function startRun(deps: AppDeps, request: RunRequest, part: Part): Promise<Started> {
  const { repository, trigger } = request;
  const partKey = trigger.kind === 'push' ? '' : (part.path ?? '');
  const id = runIdFor(naturalKey(repository.id, trigger, partKey));
  const earlier = await deps.store.findRun(id);
  if (earlier !== undefined) return await lineUp(deps, earlier, false);

  const active = await deps.store.listRuns({ repositoryId: repository.id, states: ACTIVE_STATES });
  const wanted = { id, trigger, path: part.path };
  const notStarted = inTheWay(active, wanted);
  if (notStarted !== undefined) return notStarted;

  const plan = await planPart(deps, request, part);
  if (plan.kind !== 'run') return plan;
  const refusal = part.accept?.(plan.run);
  if (refusal !== undefined) return { kind: 'refused', refusal };
  const { run, created } = await around('plan', {
    perform: async () => await deps.store.createRun(plan.run, plan.tasks),
  });
  // Another process may have saved a run for the same work since we looked.
  if (run.id !== id) {
    if (isFinal(run.state)) return await startRun(deps, request, part);
    return inTheWay([run], wanted) ?? { kind: 'ignored', reason: `same work as run ${run.id}` };
  }
  return await lineUp(deps, run, created);
}

/** What a request would come to as things are now, without starting it. */
export async function planPart(deps: AppDeps, request: RunRequest, part: Part): Promise<Plan | NotStarted> {
  const { repository, trigger } = request;
  const partKey = trigger.kind === 'push' ? '' : (part.path ?? '');
  const head = await deps.forge.branchHead(repository, repository.defaultBranch);
  if (head === undefined) return { kind: 'refused', refusal: emptyRepository(request) };
  const size = await deps.forge.size(repository);
  if (size > deps.rules.repositoryBytes) return { kind: 'refused', refusal: tooLarge(request, size, deps.rules) };
  const source = await part.read(head);
  if (source.kind === 'refused' || source.kind === 'ignored') return source;
  return planRun({
    request,
    part: partKey,
    defaults: await defaultsOf(deps, repository, head),
    ...parseSource(source),
    base: { ref: repository.defaultBranch, sha: head },
    providers: deps.rules.providers,
    defaultProviders: deps.rules.defaultProviders,
    createdAt: deps.clock.now(),
  });
}

/** Why a wanted run is not started beside those that are going; undefined when none is in its way. */
function inTheWay(active: readonly Run[], wanted: Parameters<typeof findObstacle>[1]): NotStarted | undefined {
  const obstacle = findObstacle(active, wanted);
  if (obstacle === undefined) return undefined;
  return obstacle.kind === 'same-request'
    ? { kind: 'ignored', reason: `same request as run ${obstacle.run.id}` }
    : { kind: 'refused', refusal: obstacle.refusal };
}

/** Does what follows the saving of a run, each step fine to repeat: record it, show it, put it in line. */
async function lineUp(deps: AppDeps, run: Run, isNew: boolean): Promise<Started> {
  const isAudited = !isNew && (await deps.store.auditOf(run.id)).some((entry) => entry.action === RUN_CREATED);
  if (!isAudited) {
    await deps.store.audit({
      at: run.createdAt,
      runId: run.id,
      actor: run.requester.login,
      action: RUN_CREATED,
      detail: {
        trigger: run.trigger,
        base: run.base,
        branch: run.branch,
        provider: run.provider,
        ...(run.resume === undefined ? {} : { resume: run.resume }),
        ...(run.defaults === undefined ? {} : { defaults: run.defaults }),
      },
    });
  }
  if (run.state === 'queued') await showQueued(deps, run);
  if (!isFinal(run.state)) await deps.queue.enqueue(run.id);
  return { kind: 'started', run, isNew };
}

const RUN_CREATED = 'run created';

/**
 * Puts the label on the issue, before a worker can take the run and put on its own: the last one to write wins. The label is a
 * courtesy; a run does not wait for it.
 */
async function showQueued(deps: AppDeps, run: Run): Promise<void> {
  const thread = triggerThread(run.trigger);
  if (thread === undefined) return;
  try {
    await deps.forge.setStateLabel(run.repository, thread, 'maestro-queued');
  } catch (error) {
    deps.log.warn({ err: error, run: run.id }, 'state label could not be set');
  }
}

/** Asked before anything is fetched: a clone that fills the disk helps nobody (fault F37). */
function tooLarge({ repository }: RunRequest, size: number, rules: AppRules): Refusal {
  const [has, may] = [size, rules.repositoryBytes].map((bytes) => `${Math.round(bytes / 1024 ** 2)} MB`);
  return {
    reason: 'too-large',
    message: `${fullName(repository)} takes ${has} on GitHub, and repositories of at most ${may} are worked on here. Ask whoever operates Maestro to raise \`MAESTRO_REPOSITORY_MB\`.`,
  };
}

function emptyRepository(request: RunRequest): Refusal {
  const { repository } = request;
  return {
    reason: 'empty-repository',
    message: `${fullName(repository)} has no commit on \`${repository.defaultBranch}\` to start from: push a first one, then ask again.`,
  };
}
