import { keptBranchName } from '../../domain/branch.ts';
import { writeCommit } from '../../git/commit.ts';
import { keepRef } from '../../git/mirror.ts';
import { pushBranch } from '../../git/remote.ts';
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
  await ledger.effect(
    { key: pushKey(record), name: 'push', intent: { commit, parent, session: record.session.id } },
    async () => {
      await assertMayWrite(scope);
      stillOurs(scope);
      await pushBranch(mirror.gitDir, await deps.forge.gitAccess(ledger.run.repository), {
        branch: ledger.run.branch,
        commit,
        expected,
      });
      return { commit };
    },
  );
  await ledger.changeRun({ tip: commit });
  await ledger.audit(deps.clock.now(), 'commit pushed', {
    commit,
    branch: ledger.run.branch,
    task: record.task.key,
    session: record.session.id,
  });
  return record;
}

/** Key of a task's push among the run's effects. */
export function pushKey(record: Pick<TaskRecord, 'task'>): string {
  return `push/${record.task.key}`;
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

/** A last look before something leaves: a lease that is gone may not push. */
function stillOurs(scope: RunScope): void {
  const ending = endingOf(scope.saving);
  if (ending !== undefined) throw new EndedEarly(ending);
}
