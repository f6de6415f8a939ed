import { runIdFor, sessionIdFor, type TaskKey } from '../../../src/domain/ids.ts';
import type { Outcome } from '../../../src/domain/outcome.ts';
import type { RunReport } from '../../../src/domain/report/run-report.ts';
import type { Run, RunTask, Session } from '../../../src/domain/run.ts';
import { NO_USAGE } from '../../../src/domain/usage.ts';

const RUN_ID = runIdFor('label|1|12|maestro|0|');
export const START = Date.UTC(2026, 10, 22, 9, 0);
export const MINUTE = 60_000;

/** A run of an issue's checklist, running since `START`. */
export function aRun(change: Partial<Run> = {}): Run {
  const requester = { id: 7, login: 'mona' };
  return {
    id: RUN_ID,
    naturalKey: 'label|1|12|maestro|0|',
    repository: { id: 1, owner: 'octo', name: 'demo', installationId: 5, defaultBranch: 'main' },
    trigger: { kind: 'label', issue: 12, label: 'maestro', at: START, sender: requester },
    requester,
    playbook: { kind: 'checklist', issue: 12, title: 'Tidy the API', text: '- [ ] one' },
    settings: {},
    title: 'Tidy the API',
    provider: 'claude-code',
    model: undefined,
    instructions: '',
    base: { ref: 'main', sha: 'a'.repeat(40) },
    branch: 'maestro/tidy-the-api-abc2345',
    createdAt: START,
    state: 'running',
    reason: undefined,
    startedAt: START,
    endedAt: undefined,
    parkedUntil: undefined,
    tip: 'a'.repeat(40),
    pullRequest: undefined,
    statusCommentId: undefined,
    stop: undefined,
    setbacks: undefined,
    ...change,
  };
}

export function aTask(position: number, change: Partial<RunTask> = {}): RunTask {
  return {
    runId: RUN_ID,
    key: `k${position}-1` as TaskKey,
    position,
    title: `Task number ${position}`,
    text: `Task number ${position}\n\nwith some words`,
    attempts: 1,
    outcome: undefined,
    usage: NO_USAGE,
    startedAt: undefined,
    endedAt: undefined,
    ...change,
  };
}

export function aDoneTask(position: number, outcome: Outcome, change: Partial<RunTask> = {}): RunTask {
  return aTask(position, {
    outcome,
    startedAt: START,
    endedAt: START + 3 * MINUTE,
    usage: { inputTokens: 12_000, outputTokens: 900, cachedInputTokens: 0, costUsd: 0.12 },
    ...change,
  });
}

export function aSession(provider: string): Session {
  return {
    id: sessionIdFor(RUN_ID, 1, 1),
    runId: RUN_ID,
    taskKey: 'k1-1' as TaskKey,
    attempt: 1,
    provider,
    runner: 'docker',
    conversation: undefined,
    image: undefined,
    log: '/log',
    startedAt: START,
    endedAt: undefined,
    outcome: undefined,
    usage: NO_USAGE,
  };
}

export function aReport(change: Partial<RunReport> = {}): RunReport {
  return { run: aRun(), tasks: [aTask(1)], now: START + 12 * MINUTE, ...change };
}

/** A commit id made of one digit. */
export function sha(digit: string): string {
  return digit.repeat(40);
}
