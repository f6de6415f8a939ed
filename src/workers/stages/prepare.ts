import { prepareCommand } from '../../git/lane-scripts.ts';
import { InfrastructureError } from '../../runners/runner.ts';
import { baseOf } from '../base.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { tendLane } from '../jobs.ts';
import { tailSink } from '../lines.ts';
import type { RunScope, TaskRecord } from '../record.ts';

/** Brings the lane's working copy to the tip of the run's branch. */
export async function prepare(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined) return record;
  const { run } = scope.held;
  const inside = scope.deps.runner.inside(scope.lane);
  const isFresh = await scope.deps.runner.ensureLane(scope.lane, baseOf(scope, record.session.id));
  const said = tailSink(4096);
  scope.ahead.begin(scope, record.session.id);
  const result = await tendLane(scope, {
    argv: prepareCommand({ ...inside, branch: run.branch, commit: run.tip, isFresh }),
    stdout: said.sink,
  });
  const ending = endingOf(scope.signal);
  if (ending === 'stop') return { ...record, stopped: true };
  if (ending !== undefined) throw new EndedEarly(ending);
  if (result.ending !== 'exited' || result.code !== 0) {
    throw new InfrastructureError(
      `the working copy of ${run.branch} could not be prepared: ${result.stderr || result.ending}`,
    );
  }
  return record;
}
