import { keptBranchName } from '../../domain/branch.ts';
import { sessionsThatCount, settlement } from '../../domain/conduct.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { addUsage } from '../../domain/usage.ts';
import { writeCommit } from '../../git/commit.ts';
import { keepRef } from '../../git/mirror.ts';
import { BranchMovedError, PushRefusedError, pushBranch } from '../../git/remote.ts';
import { around } from '../../telemetry/failpoint.ts';
import type { RunScope, TaskRecord } from '../record.ts';
import { assertMayWrite, PermissionLostError, stillOurs } from './allowed.ts';
import { author } from './commit.ts';

const ASKED = 'The agent asks, and goes on from here when it is answered.';

/** Puts the work of an attempt that failed, was stopped or asks people on a branch of its own; where that can't be, it stays in the mirror. */
export async function keepWork(record: TaskRecord, tree: string, scope: RunScope): Promise<TaskRecord> {
  const { run } = scope.held;
  const { mirror } = scope;
  const why = record.failure?.message ?? (record.asks === undefined ? 'The run was stopped.' : ASKED);
  const local = `refs/maestro/kept/${record.session.id}`;
  const commit = await writeCommit(mirror, local, {
    tree,
    parent: run.tip,
    author: await author(scope),
    at: record.session.startedAt,
    message: `Partial work: ${record.task.title.slice(0, 50)}\n\n${why}\n\nMaestro-Run: ${run.id}\nMaestro-Session: ${record.session.id}\n`,
  });
  // GitHub would refuse what our own policy refuses; and what is done once more at once would only be noise there.
  const isHere = record.failure?.kind === 'policy' || isRepaired(record, scope);
  if (isHere) return withKept(record, commit, `${local} on the worker`);
  try {
    await assertMayWrite(scope);
    stillOurs(scope);
    return withKept(record, commit, await pushAside(record, commit, scope));
  } catch (error) {
    scope.log.warn({ runId: run.id, err: error }, 'partial work could not be pushed and stays on the worker');
    return withKept(record, commit, `${local} on the worker`);
  }
}

/** Whether another session does the task at once, because the playbook's checks failed on this one's work. */
function isRepaired({ failure, session, task, earlier }: TaskRecord, { deps }: RunScope): boolean {
  if (failure?.kind !== 'verify-failed') return false;
  const { retry } = deps.settings;
  const of = { session, sessions: sessionsThatCount(task, earlier), now: deps.clock.now(), retry };
  return settlement({ kind: 'failed', failure }, of).kind === 'again';
}

function withKept(record: TaskRecord, kept: string, keptRef: string): TaskRecord {
  return record.failure === undefined
    ? { ...record, kept, keptRef }
    : { ...record, kept, keptRef, failure: { ...record.failure, keptRef } };
}

/** Pushes a commit that can't go to the run's branch to a branch of its own beside it. Gives its name. */
export async function pushAside(record: TaskRecord, commit: string, scope: RunScope): Promise<string> {
  const { mirror, deps } = scope;
  const { run } = scope.held;
  const branch = keptBranchName(run.id, record.task.position, record.session.attempt);
  const access = await deps.forge.gitAccess(run.repository);
  await around('keep', {
    perform: async () => await pushBranch(mirror.gitDir, access, { branch, commit, expected: undefined }),
  });
  return branch;
}

/** Why a commit can't go to the run's branch, now or later. */
export type NotTaken = BranchMovedError | PushRefusedError | PermissionLostError;

/** Whether an error says that a commit can't go to the run's branch, now or later. */
export function isNotTaken(error: unknown): error is NotTaken {
  return error instanceof BranchMovedError || error instanceof PushRefusedError || error instanceof PermissionLostError;
}

/**
 * Writes down a task whose commit can't go to the run's branch, now or later: it ends as failed, with word of where its work is.
 * Beside a branch that somebody else changed it gets one of its own; where nothing may be pushed it stays in the mirror.
 */
export async function notTaken(record: TaskRecord, commit: string, scope: RunScope, error: NotTaken): Promise<void> {
  const isMoved = error instanceof BranchMovedError;
  const { held, deps, mirror } = scope;
  const { session, task } = record;
  const local = `refs/maestro/kept/${session.id}`;
  await keepRef(mirror, local, commit);
  const keptRef = isMoved ? await pushAside(record, commit, scope) : `${local} on the worker`;
  const failure = {
    kind: error instanceof PermissionLostError ? 'permission' : 'policy',
    message: error.message,
  } as const;
  const outcome: Outcome = { kind: 'failed', failure: { ...failure, keptRef } };
  const endedAt = deps.clock.now();
  await held.saveSession({ ...session, outcome, endedAt });
  await held.changeTask(task.key, { outcome, endedAt, usage: addUsage(task.usage, session.usage) });
}

/**
 * Writes down a task whose commit was on the run's branch until somebody took it off again, before there was a pull request to keep
 * it: as one that could not go there at all. The run is back where it was before, so that the task can be done again.
 */
export async function takenOff(record: TaskRecord, commit: string, scope: RunScope, error: NotTaken): Promise<void> {
  const { held } = scope;
  // Until the task has its outcome, what is on record of its push leads back here.
  await held.changeRun({ tip: record.parent ?? held.run.base.sha, pushed: undefined });
  await notTaken(record, commit, scope, error);
}
