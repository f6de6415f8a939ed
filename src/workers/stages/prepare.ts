import { NOT_PREPARED, prepareCommand } from '../../git/lane-scripts.ts';
import { InfrastructureError } from '../../runners/runner.ts';
import { baseOf, preparedBaseOf } from '../base.ts';
import { seenAt } from '../configuration.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { workLeft } from '../going-on.ts';
import { tendLane } from '../jobs.ts';
import { tailSink } from '../lines.ts';
import type { LaneUse, RunScope, TaskRecord } from '../record.ts';
import { SetupFailedError, carryOut, carryOutOnLane, setupOf, type RunSetup } from './setup.ts';

/**
 * Brings the lane's working copy to the tip of the run's branch, with what the repository's setup prepares, and what an earlier session
 * of the task left that this one goes on from.
 */
export async function prepare(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined) return record;
  const left = await workLeft(record, scope);
  try {
    const seen = await bringLane(
      record,
      scope,
      async () => await seenAt(scope, left ?? scope.held.run.tip),
      () => {
        scope.ahead.begin(scope, record.session.id, record.task.key);
      },
    );
    return { ...record, seen: left === undefined ? seen : { ...seen, goesOn: true } };
  } catch (error) {
    if (endingOf(scope.signal) === 'stop') return { ...record, stopped: true };
    if (error instanceof SetupFailedError) return { ...record, failure: error.failure };
    throw error;
  }
}

/**
 * Makes the run's lane if it is not there, and brings its working copy to a commit, with what the repository's setup prepares.
 *
 * @param goal Finds the commit, while the lane is made.
 * @param meanwhile Called once the lane is there, before what may take long.
 * @returns What `goal` found.
 * @throws SetupFailedError when the setup fails · EndedEarly when the work has to end · InfrastructureError when our side breaks.
 */
export async function bringLane<Goal extends { readonly commit: string }>(
  use: LaneUse,
  scope: RunScope,
  goal: () => Promise<Goal>,
  meanwhile?: () => void,
): Promise<Goal> {
  const setup = await setupOf(scope);
  const [isFresh, found] = await Promise.all([
    scope.deps.runner.ensureLane(scope.lane, laneBase(use, scope, setup)),
    goal(),
  ]);
  const { commit } = found;
  meanwhile?.();
  if (await bring(scope, { commit, setup, isFresh })) return found;
  if (setup !== undefined) await carryOutOnLane(use, scope, setup);
  if (await bring(scope, { commit, setup, isFresh: false })) return found;
  throw new InfrastructureError(`the working copy of ${scope.held.run.branch} does not stay prepared`);
}

function laneBase(use: LaneUse, scope: RunScope, setup: RunSetup | undefined): ReturnType<typeof baseOf> {
  const session = use.session.id;
  if (setup === undefined) return baseOf(scope, session);
  return preparedBaseOf(scope, session, {
    key: setup.key,
    furnish: async (run) => await carryOut(use, scope, setup, run),
  });
}

/** Brings the working copy to a commit; false when the setup has not been done here. */
async function bring(
  scope: RunScope,
  of: { readonly commit: string; readonly setup: RunSetup | undefined; readonly isFresh: boolean },
): Promise<boolean> {
  const { run } = scope.held;
  const { commit, setup, isFresh } = of;
  const inside = scope.deps.runner.inside(scope.lane);
  const prepared = setup === undefined ? {} : { prepared: setup.key };
  const result = await tendLane(scope, {
    argv: prepareCommand({ ...inside, branch: run.branch, commit, isFresh, ...prepared }),
    stdout: tailSink(4096).sink,
  });
  const ending = endingOf(scope.signal);
  if (ending !== undefined) throw new EndedEarly(ending);
  if (result.ending === 'exited' && result.code === 0) return true;
  if (result.code === NOT_PREPARED && setup !== undefined) return false;
  throw new InfrastructureError(
    `the working copy of ${run.branch} could not be prepared: ${result.stderr || result.ending}`,
  );
}
