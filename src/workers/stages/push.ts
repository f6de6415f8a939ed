import type { Outcome } from '../../domain/outcome.ts';
import { addUsage } from '../../domain/usage.ts';
import { keptBranchName } from '../../domain/branch.ts';
import type { Session } from '../../domain/run.ts';
import { writeCommit } from '../../git/commit.ts';
import { keepRef } from '../../git/mirror.ts';
import { BranchMovedError, PushRefusedError, pushBranch } from '../../git/remote.ts';
import { mayWrite } from '../../forge/forge.ts';
import { around } from '../../telemetry/failpoint.ts';
import { EndedEarly, endingOf } from '../ending.ts';
import type { RunScope, TaskRecord } from '../record.ts';
import { author } from './commit.ts';

/** The person who asked may no longer write to the repository. */
export class PermissionLostError extends Error {
  override readonly name = 'PermissionLostError';
}

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
  const { ledger, deps, mirror } = scope;
  const parent = ledger.run.tip;
  if (parent === commit) return record;
  const expected = parent === ledger.run.base.sha ? undefined : parent;
  await keepRef(mirror, `refs/maestro/runs/${ledger.run.id}`, commit);
  // What the session cost is known to this process only, and whoever finishes its push reads it from the store.
  await ledger.saveSession(record.session);
  const { session } = record;
  const effect = {
    key: pushKey(session),
    name: 'push',
    intent: { commit, parent, session: session.id },
  } as const;
  try {
    await ledger.effect(effect, async () => {
      try {
        await Promise.all([assertMayWrite(scope), assertPullRequestOpen(commit, scope)]);
        stillOurs(scope);
        await pushBranch(mirror.gitDir, await deps.forge.gitAccess(ledger.run.repository), {
          branch: ledger.run.branch,
          commit,
          expected,
        });
      } catch (error) {
        await notTaken(record, commit, scope, error);
        throw error;
      }
      return { commit };
    });
  } catch (error) {
    if (!(error instanceof PullRequestClosedError)) throw error;
    return await endWithPullRequest(record, commit, scope, error);
  }
  await ledger.changeRun({ tip: commit });
  await ledger.audit(deps.clock.now(), 'commit pushed', {
    commit,
    branch: ledger.run.branch,
    task: record.task.key,
    session: record.session.id,
  });
  return record;
}

/** Somebody closed or merged the run's pull request. */
class PullRequestClosedError extends Error {
  override readonly name = 'PullRequestClosedError';
}

/**
 * Nothing is added to what people have decided on, and no second pull request is opened (fault F31). The webhook usually says so
 * first, and by whom. Looked at here, where the commit is on record already: should GitHub not answer, nothing is done again.
 */
async function assertPullRequestOpen(commit: string, { ledger, deps }: RunScope): Promise<void> {
  const { run } = ledger;
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
  const { ledger, deps, mirror } = scope;
  const { commit: _, ...uncommitted } = record;
  const { task, session } = record;
  const branch = keptBranchName(ledger.run.id, task.position, session.attempt);
  const access = await deps.forge.gitAccess(ledger.run.repository);
  await pushBranch(mirror.gitDir, access, { branch, commit, expected: undefined });
  await deps.store.requestStop(ledger.run.id, { by: 'somebody', reason: closed.message, at: deps.clock.now() });
  return { ...uncommitted, stopped: true, keptRef: branch };
}

/**
 * Writes down a task whose commit can't go to the run's branch, now or later: it ends as failed, with word of where its work is.
 * Beside a branch that somebody else changed it gets one of its own; where nothing may be pushed it stays in the mirror.
 */
async function notTaken(record: TaskRecord, commit: string, scope: RunScope, error: unknown): Promise<void> {
  const isMoved = error instanceof BranchMovedError;
  if (!isMoved && !(error instanceof PushRefusedError) && !(error instanceof PermissionLostError)) return;
  const { ledger, deps, mirror } = scope;
  const { session, task } = record;
  let keptRef = keptBranchName(ledger.run.id, task.position, session.attempt);
  if (isMoved) {
    const access = await deps.forge.gitAccess(ledger.run.repository);
    await pushBranch(mirror.gitDir, access, { branch: keptRef, commit, expected: undefined });
  } else {
    const local = `refs/maestro/kept/${session.id}`;
    await keepRef(mirror, local, commit);
    keptRef = `${local} on the worker`;
  }
  const failure = {
    kind: error instanceof PermissionLostError ? 'permission' : 'policy',
    message: error.message,
  } as const;
  const outcome: Outcome = { kind: 'failed', failure: { ...failure, keptRef } };
  const endedAt = deps.clock.now();
  await ledger.saveSession({ ...session, outcome, endedAt });
  await ledger.changeTask(task.key, { outcome, endedAt, usage: addUsage(task.usage, session.usage) });
}

/** Key of a session's push among the run's effects. Not of its task's: what another session pushed says nothing about this one's. */
export function pushKey(session: Pick<Session, 'id'>): string {
  return `push/${session.id}`;
}

async function keepWork(record: TaskRecord, tree: string, scope: RunScope): Promise<TaskRecord> {
  const { ledger, deps, mirror } = scope;
  const { run } = ledger;
  const why = record.failure?.message ?? 'The run was stopped.';
  const commit = await writeCommit(mirror, {
    tree,
    parent: run.tip,
    author: await author(scope),
    at: record.session.startedAt,
    message: `Partial work: ${record.task.title.slice(0, 50)}\n\n${why}\n\nMaestro-Run: ${run.id}\nMaestro-Session: ${record.session.id}\n`,
  });
  const local = `refs/maestro/kept/${record.session.id}`;
  await keepRef(mirror, local, commit);
  // GitHub would refuse what our own policy refuses; that work stays in the mirror.
  if (record.failure?.kind === 'policy') return withKept(record, `${local} on the worker`);
  const branch = keptBranchName(run.id, record.task.position, record.session.attempt);
  try {
    await assertMayWrite(scope);
    stillOurs(scope);
    const access = await deps.forge.gitAccess(run.repository);
    await around('keep', {
      perform: async () => await pushBranch(mirror.gitDir, access, { branch, commit, expected: undefined }),
    });
  } catch (error) {
    scope.log.warn({ runId: run.id, err: error }, 'partial work could not be pushed and stays on the worker');
    return withKept(record, `${local} on the worker`);
  }
  return withKept(record, branch);
}

function withKept(record: TaskRecord, keptRef: string): TaskRecord {
  return record.failure === undefined
    ? { ...record, keptRef }
    : { ...record, keptRef, failure: { ...record.failure, keptRef } };
}

async function assertMayWrite(scope: RunScope): Promise<void> {
  const { repository, requester } = scope.ledger.run;
  const role = await scope.deps.forge.role(repository, requester.login);
  if (!mayWrite(role))
    throw new PermissionLostError(
      `@${requester.login} may no longer write to this repository, so nothing more is pushed for them`,
    );
}

/** A last look before something leaves: a lease that is gone, or ran out while this process stood still, may not push. */
function stillOurs(scope: RunScope): void {
  scope.ledger.assertOurs();
  const ending = endingOf(scope.saving);
  if (ending !== undefined) throw new EndedEarly(ending);
}
