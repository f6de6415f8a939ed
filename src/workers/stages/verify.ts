import { checkOf, howItEnded, isPassed, type Check } from '../../domain/evidence.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { cachesOf, runOnLane } from '../jobs.ts';
import { tailSink } from '../lines.ts';
import { isComplete, type RunScope, type TaskRecord } from '../record.ts';

/** Bytes of what a check printed that a session's log and the next attempt get. */
const OUTPUT = 8 * 1024;

/**
 * Runs the playbook's `verify` commands on the working copy, each in a place of its own, without any wire, up to the first that
 * fails. What was run and how it ended is evidence, which goes with the session whatever becomes of it.
 */
export async function verify(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  const commands = scope.held.run.settings.verify ?? [];
  if (record.commit !== undefined || !isComplete(record)) return record;
  const inside = scope.deps.runner.inside(scope.lane);
  const checks: Check[] = [];
  for (const command of commands) {
    const output = tailSink(OUTPUT);
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
    const check = checkOf(command, result, { durationMs: result.durationMs, output: output.text() });
    checks.push(check);
    await record.sessionLog.write({ type: 'check', ...check, tail: output.text() });
    if (!isPassed(check)) {
      const message = `The check \`${command}\` failed (${howItEnded(check)}).`;
      const failure = { kind: 'verify-failed', message, detail: output.text() } as const;
      return { ...record, session: { ...record.session, checks }, failure };
    }
  }
  return checks.length === 0 ? record : { ...record, session: { ...record.session, checks } };
}
