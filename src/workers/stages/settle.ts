import type { Outcome } from '../../domain/outcome.ts';
import { addUsage } from '../../domain/usage.ts';
import { tickTask } from '../../playbook/tick.ts';
import { around } from '../../telemetry/failpoint.ts';
import type { RunScope, TaskRecord } from '../record.ts';

/** Writes down how the task ended, ticks it where it stands, and lets go of the session. */
export async function settle(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  const { ledger, deps } = scope;
  // The person who stopped it did so after this task began: the record must name them, and the run's verdict depends on it.
  if (record.stopped) await ledger.refreshStop();
  const outcome = outcomeOf(record, ledger.run.stop?.by ?? 'somebody');
  const endedAt = deps.clock.now();
  if (outcome.kind === 'committed') await tickIssue(record, scope);
  const usage = addUsage(record.task.usage, record.session.usage);
  const told = { task: record.task.key, session: record.session.id, outcome };
  await around('settle', {
    intent: async () => {
      await ledger.saveSession({ ...record.session, outcome, endedAt });
      await ledger.auditOnce(endedAt, `task ${outcome.kind}`, told);
    },
    perform: async () => await ledger.changeTask(record.task.key, { outcome, endedAt, usage }),
  });
  return { ...record, outcome };
}

function outcomeOf(record: TaskRecord, stoppedBy: string): Outcome {
  if (record.commit !== undefined) return { kind: 'committed', commit: record.commit };
  if (record.stopped) {
    const kept = record.keptRef === undefined ? {} : { keptRef: record.keptRef };
    return { kind: 'cancelled', by: stoppedBy, reason: 'the run was stopped', ...kept };
  }
  if (record.failure !== undefined) return { kind: 'failed', failure: record.failure };
  return { kind: 'no-change' };
}

/** Ticks the task in the issue it came from, if it still stands there; somebody editing at the same moment wins and is retried. */
async function tickIssue(record: TaskRecord, scope: RunScope): Promise<void> {
  const { run } = scope.ledger;
  if (run.playbook.kind !== 'checklist') return;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const issue = await scope.deps.forge.issue(run.repository, run.playbook.issue);
    const ticked = issue === undefined ? undefined : tickTask(issue.body, record.task.key);
    if (issue === undefined || ticked === undefined || ticked === issue.body) return;
    if (await scope.deps.forge.replaceIssueBody(run.repository, issue.number, issue.body, ticked)) return;
  }
}
