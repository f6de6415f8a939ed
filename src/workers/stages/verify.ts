import type { PassedCheck } from '../../domain/outcome.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { cachesOf, runOnLane } from '../jobs.ts';
import { tailSink } from '../lines.ts';
import type { RunScope, TaskRecord } from '../record.ts';

/** Runs the playbook's `verify` commands on the working copy, each in a place of its own, without any wire. */
export async function verify(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  const commands = scope.held.run.settings.verify ?? [];
  if (record.commit !== undefined || record.failure !== undefined || record.stopped || record.work?.changed !== true)
    return record;
  const inside = scope.deps.runner.inside(scope.lane);
  const passed: PassedCheck[] = [];
  for (const command of commands) {
    const output = tailSink(8 * 1024);
    const result = await runOnLane(scope, {
      purpose: 'verify',
      session: record.session.id,
      argv: ['sh', '-c', 'cd "$1" && exec sh -c "$2" 2>&1', 'maestro-verify', inside.repo, command],
      env: cachesOf(inside),
      stdout: output.sink,
    });
    const ending = endingOf(scope.signal);
    if (ending === 'stop') return { ...record, stopped: true };
    if (ending !== undefined) throw new EndedEarly(ending);
    await record.sessionLog.write({
      type: 'stage',
      name: 'verify',
      detail: `${command}: ${result.ending} ${result.code ?? ''} after ${Math.round(result.durationMs)} ms\n${output.text()}`,
    });
    if (result.ending !== 'exited' || result.code !== 0) {
      const how = result.ending === 'exited' ? `exit code ${result.code ?? 'unknown'}` : result.ending;
      return {
        ...record,
        failure: { kind: 'verify-failed', message: `The check \`${command}\` failed (${how}).`, detail: output.text() },
      };
    }
    passed.push({ command, durationMs: result.durationMs });
  }
  return passed.length === 0 ? record : { ...record, session: { ...record.session, checks: passed } };
}
