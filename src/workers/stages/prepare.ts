import { NOT_PREPARED, prepareCommand } from '../../git/lane-scripts.ts';
import { InfrastructureError } from '../../runners/runner.ts';
import { baseOf, preparedBaseOf } from '../base.ts';
import { seenAtTip } from '../configuration.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { tendLane } from '../jobs.ts';
import { tailSink } from '../lines.ts';
import type { RunScope, Seen, TaskRecord } from '../record.ts';
import { SetupFailedError, carryOut, carryOutOnLane, setupOf, type RunSetup } from './setup.ts';

/** Brings the lane's working copy to the tip of the run's branch, with what the repository's setup prepares. */
export async function prepare(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined) return record;
  const { runner } = scope.deps;
  const [setup, seen] = [await setupOf(scope), await seenAtTip(scope)];
  try {
    const isFresh = await runner.ensureLane(scope.lane, laneBase(record, scope, setup));
    scope.ahead.begin(scope, record.session.id, record.task.key);
    if (await bring(scope, { seen, setup, isFresh })) return { ...record, seen };
    if (setup !== undefined) await carryOutOnLane(record, scope, setup);
    if (await bring(scope, { seen, setup, isFresh: false })) return { ...record, seen };
    throw new InfrastructureError(`the working copy of ${scope.held.run.branch} does not stay prepared`);
  } catch (error) {
    if (endingOf(scope.signal) === 'stop') return { ...record, stopped: true };
    if (error instanceof SetupFailedError) return { ...record, failure: error.failure };
    throw error;
  }
}

function laneBase(record: TaskRecord, scope: RunScope, setup: RunSetup | undefined): ReturnType<typeof baseOf> {
  const session = record.session.id;
  if (setup === undefined) return baseOf(scope, session);
  return preparedBaseOf(scope, session, {
    key: setup.key,
    furnish: async (run) => await carryOut(record, scope, setup, run),
  });
}

/** Brings the working copy to the tip; false when the setup has not been done here. */
async function bring(
  scope: RunScope,
  { seen, setup, isFresh }: { readonly seen: Seen; readonly setup: RunSetup | undefined; readonly isFresh: boolean },
): Promise<boolean> {
  const { run } = scope.held;
  const inside = scope.deps.runner.inside(scope.lane);
  const prepared = setup === undefined ? {} : { prepared: setup.key };
  const result = await tendLane(scope, {
    argv: prepareCommand({ ...inside, branch: run.branch, commit: seen.commit, isFresh, ...prepared }),
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
