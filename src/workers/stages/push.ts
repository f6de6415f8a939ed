import type { PushBegun } from '../../domain/conduct.ts';
import { branchTip } from '../../domain/redo.ts';
import type { Session } from '../../domain/run.ts';
import { BranchMovedError, pushBranch } from '../../git/remote.ts';
import { around } from '../../telemetry/failpoint.ts';
import type { RunScope, TaskRecord } from '../record.ts';
import { adoptBranch } from './adopt.ts';
import { assertMayWrite, stillOurs } from './allowed.ts';
import { isNotTaken, keepWork, notTaken, pushAside } from './kept-work.ts';

/**
 * Puts the task's commit on the run's branch; the work of an attempt that failed or was stopped on a branch of its own, so that
 * nothing an agent did is lost.
 */
export async function push(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined) return await pushCommit(record, record.commit, scope);
  if (record.work?.changed === true) return await keepWork(record, record.work.tree, scope);
  return record;
}

async function pushCommit(record: TaskRecord, commit: string, scope: RunScope): Promise<TaskRecord> {
  const { held, deps, mirror } = scope;
  const parent = held.run.tip;
  if (parent === commit) return await withParent(record, scope);
  // After a rewind to its beginning the branch is where it was, until now.
  const expected = branchTip(held.run);
  // What the session cost is known to this process only, and whoever finishes its push reads it from the store.
  await held.saveSession(record.session);
  const { session } = record;
  const intent = { commit, parent, session: session.id };
  let pushed: PushResult;
  try {
    pushed = await held.effect({ key: pushKey(session), name: 'push', intent }, async () => {
      try {
        const [access] = await Promise.all([
          deps.forge.gitAccess(held.run.repository),
          assertMayWrite(scope),
          assertPullRequestOpen(commit, scope),
        ]);
        // The last look: between this and git nothing is waited for.
        stillOurs(scope);
        await pushBranch(mirror.gitDir, access, { branch: held.run.branch, commit, expected });
      } catch (error) {
        const adopted = expected === undefined ? await leftByUs(record, scope, error) : undefined;
        if (adopted !== undefined) return adopted;
        // Merging or closing often takes the branch along: what they did to the pull request says more.
        if (error instanceof BranchMovedError) await assertPullRequestOpen(commit, scope);
        if (isNotTaken(error)) await notTaken(record, commit, scope, error);
        throw error;
      }
      return { commit, tip: commit };
    });
  } catch (error) {
    if (!(error instanceof PullRequestClosedError)) throw error;
    return await endWithPullRequest(record, commit, scope, error);
  }
  const { commit: onBranch, tip = onBranch } = pushed;
  await held.changeRun({ tip, ...(held.run.pushed === undefined ? {} : { pushed: undefined }) });
  await held.audit(deps.clock.now(), 'commit pushed', {
    commit: onBranch,
    branch: held.run.branch,
    task: record.task.key,
    session: record.session.id,
  });
  return { ...record, commit: onBranch, parent: pushed.parent ?? parent };
}

/** Puts what was on the run's branch there again, once it is gone. */
export async function pushAgain(scope: RunScope): Promise<void> {
  const { held, deps, mirror } = scope;
  const { repository, branch, tip } = held.run;
  const [access] = await Promise.all([deps.forge.gitAccess(repository), assertMayWrite(scope)]);
  await around('push', {
    perform: async () => {
      stillOurs(scope);
      await pushBranch(mirror.gitDir, access, { branch, commit: tip, expected: undefined });
    },
  });
  await held.audit(deps.clock.now(), 'branch made again', { branch, commit: tip });
}

/** The record with what the commit stands on, where an earlier life has pushed it. */
async function withParent(record: TaskRecord, { held, deps }: RunScope): Promise<TaskRecord> {
  const effect = await deps.store.findEffect(held.run.id, pushKey(record.session));
  const { commit, parent } = (effect?.intent ?? {}) as Partial<PushBegun>;
  return commit === record.commit && parent !== undefined ? { ...record, parent } : record;
}

/** What a push came to: the task's commit, and where the branch is with it; results of before have no tip, and are at the commit. */
export interface PushResult {
  readonly commit: string;
  readonly tip?: string;
  /** What the commit stands on, when that is not the tip of before. */
  readonly parent?: string;
}

/** The task's commit on a branch that an earlier life of the run made, if it is that what stands in the way. */
async function leftByUs(record: TaskRecord, scope: RunScope, error: unknown): Promise<PushResult | undefined> {
  if (!(error instanceof BranchMovedError) || error.actual === undefined) return undefined;
  const adopted = await adoptBranch(record, scope, error.actual);
  return adopted === undefined ? undefined : { ...adopted, tip: error.actual };
}

/** Somebody closed or merged the run's pull request. */
export class PullRequestClosedError extends Error {
  override readonly name = 'PullRequestClosedError';
}

/**
 * Nothing is added to what people have decided on, and no second pull request is opened (fault F31). The webhook usually says so
 * first, and by whom. Looked at here, where the commit is on record already: should GitHub not answer, nothing is done again.
 */
export async function assertPullRequestOpen(commit: string, { held, deps }: RunScope): Promise<void> {
  const { run } = held;
  if (run.pullRequest === undefined) return;
  const found = await deps.forge.findPullRequest(run.repository, run.branch);
  if (found === undefined || found.open) return;
  // Pushed by an earlier try, before it was closed.
  if ((await deps.forge.branchHead(run.repository, run.branch)) === commit) return;
  throw new PullRequestClosedError(`pull request #${found.number} was ${found.merged ? 'merged' : 'closed'}`);
}

/** Ends the run as if it had been stopped; the commit goes to a branch of its own. */
async function endWithPullRequest(
  record: TaskRecord,
  commit: string,
  scope: RunScope,
  closed: PullRequestClosedError,
): Promise<TaskRecord> {
  const { held, deps } = scope;
  const { commit: _, ...uncommitted } = record;
  const branch = await pushAside(record, commit, scope);
  await deps.store.requestStop(held.run.id, { by: 'somebody', reason: closed.message, at: deps.clock.now() });
  return { ...uncommitted, stopped: true, keptRef: branch };
}

/** Key of a session's push among the run's effects. Not of its task's: what another session pushed says nothing about this one's. */
export function pushKey(session: Pick<Session, 'id'>): string {
  return `push/${session.id}`;
}
