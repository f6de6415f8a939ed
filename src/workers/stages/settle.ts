import { nextQuestionId, questionOf, whyNotAsk } from '../../domain/asking.ts';
import { sessionsThatCount, settlement } from '../../domain/conduct.ts';
import { evidenceOf } from '../../domain/evidence.ts';
import type { Outcome } from '../../domain/outcome.ts';
import { threadOf } from '../../domain/report/run-report.ts';
import { addUsage } from '../../domain/usage.ts';
import { around } from '../../telemetry/failpoint.ts';
import { candidatesOf } from '../circuits.ts';
import type { RunScope, TaskRecord } from '../record.ts';

/**
 * Writes down how the attempt ended, ticks the task where it stands, and lets go of the session. A failure that heals by itself
 * leaves the task without an outcome, so that nobody is shown one that does not last.
 */
export async function settle(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  const { held, deps } = scope;
  const { session, task } = record;
  // The person who stopped it did so after this task began: the record must name them, and the run's verdict depends on it.
  if (record.stopped) await held.refreshStop();
  const endedAt = deps.clock.now();
  const outcome = asked(record, scope, endedAt) ?? outcomeOf(record, held.run.stop?.by ?? 'somebody');
  if (outcome.kind === 'committed') await tickIssue(record, scope);
  const settled = settlement(outcome, {
    session: { ...session, outcome, endedAt },
    sessions: sessionsThatCount(task, record.earlier),
    candidates: outcome.kind === 'failed' ? (await candidatesOf(scope)).map(({ candidate }) => candidate) : [],
    now: endedAt,
    retry: deps.settings.retry,
  });
  const again = settled.kind !== 'settled';
  const usage = addUsage(task.usage, session.usage);
  const questions = settled.kind === 'asked' ? { questions: [...(task.questions ?? []), settled.question] } : {};
  const change = again
    ? { outcome: undefined, endedAt: undefined, startedAt: undefined, usage, ...questions }
    : { outcome, endedAt, usage };
  const told = {
    task: task.key,
    session: session.id,
    outcome,
    ...(settled.kind === 'again' ? { until: settled.at } : {}),
  };
  await around('settle', {
    intent: async () => {
      await held.saveSession({ ...session, outcome, endedAt });
      await held.auditOnce(`settle/${session.id}`, endedAt, actionOf(outcome, again), told);
    },
    perform: async () => await held.changeTask(task.key, change),
  });
  if (settled.kind === 'again') return { ...record, again: { at: settled.at, reason: settled.reason } };
  return again ? record : { ...record, outcome };
}

function actionOf({ kind }: Outcome, again: boolean): string {
  if (kind === 'parked') return 'question asked';
  return again ? 'attempt failed' : `task ${kind}`;
}

/** The outcome of a session that asks people; undefined of any other. */
function asked(
  { asks, task, session, stopped, failure, kept, keptRef }: TaskRecord,
  scope: RunScope,
  at: number,
): Outcome | undefined {
  if (asks === undefined || stopped) return undefined;
  const { run, tasks } = scope.held;
  const not = whyNotAsk(task, threadOf(run));
  const keptAt = keptRef === undefined ? {} : { keptRef };
  if (not !== undefined) return { kind: 'failed', failure: { kind: 'blocked', message: not, ...keptAt } };
  // What may not be committed is not gone on from.
  const work =
    failure === undefined && kept !== undefined && keptRef !== undefined
      ? { commit: kept, ref: keptRef.split(' ', 1)[0] ?? keptRef }
      : undefined;
  const question = questionOf(asks, { id: nextQuestionId(tasks), session: session.id, at, work });
  return { kind: 'parked', reason: `Waits for an answer to ${question.id}.`, question };
}

function outcomeOf(record: TaskRecord, stoppedBy: string): Outcome {
  const evidence = evidenceOf(record.session, record.earlier);
  if (record.commit !== undefined) {
    const parent = record.parent === undefined ? {} : { parent: record.parent };
    return { kind: 'committed', commit: record.commit, ...parent, ...evidence };
  }
  if (record.stopped) {
    const kept = record.keptRef === undefined ? {} : { keptRef: record.keptRef };
    return { kind: 'cancelled', by: stoppedBy, reason: 'the run was stopped', ...kept };
  }
  if (record.failure !== undefined) return { kind: 'failed', failure: record.failure, ...evidence };
  return { kind: 'no-change' };
}

/** Ticks the task in the issue it came from, if it still stands there; somebody editing at the same moment wins and is retried. */
async function tickIssue(record: TaskRecord, scope: RunScope): Promise<void> {
  const { run } = scope.held;
  if (run.playbook.kind !== 'checklist') return;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const issue = await scope.deps.forge.issue(run.repository, run.playbook.issue);
    const ticked = issue === undefined ? undefined : scope.ticker.tick(issue.body, record.task.key);
    if (issue === undefined || ticked === undefined || ticked === issue.body) return;
    if (await scope.deps.forge.replaceIssueBody(run.repository, issue.number, issue.body, ticked)) return;
  }
}
