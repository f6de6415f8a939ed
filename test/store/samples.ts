import { naturalKey } from '../../src/domain/trigger.ts';
import { runIdFor, sessionIdFor, type RunId, type TaskKey } from '../../src/domain/ids.ts';
import type { Run, RunTask, Session } from '../../src/domain/run.ts';
import { NO_USAGE } from '../../src/domain/usage.ts';
import type { NewDelivery } from '../../src/store/store.ts';

let serial = 0;

/** A run of its own, of an issue of its own, asked for by a label; `change` replaces what a test is about. */
export function aRun(change: Partial<Run> = {}): Run {
  serial += 1;
  const issue = 10_000 + serial;
  const sender = { id: 7, login: 'octocat' };
  const trigger = { kind: 'label', issue, label: 'maestro', at: 1_700_000_000_000 + serial, sender } as const;
  const key = naturalKey(42, trigger);
  return {
    id: runIdFor(`${process.pid} ${serial} ${key}`),
    naturalKey: key,
    repository: { id: 42, owner: 'acme', name: 'shop', installationId: 3, defaultBranch: 'main' },
    trigger,
    requester: sender,
    playbook: { kind: 'issue', issue, title: 'Mend the till', text: 'It **rings** twice.' },
    settings: { provider: 'scripted', verify: ['npm test'] },
    title: 'Mend the till',
    provider: 'scripted',
    model: undefined,
    instructions: '',
    base: { ref: 'main', sha: 'a'.repeat(40) },
    branch: `maestro/mend-the-till-${serial}`,
    createdAt: 1_700_000_000_000 + serial,
    state: 'queued',
    reason: undefined,
    startedAt: undefined,
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

export function aTask(runId: RunId, position = 1, change: Partial<RunTask> = {}): RunTask {
  return {
    runId,
    key: `task${position}-1` as TaskKey,
    position,
    title: `Task ${position}`,
    text: `Task ${position}\n\nwith care`,
    attempts: 0,
    outcome: undefined,
    usage: NO_USAGE,
    startedAt: undefined,
    endedAt: undefined,
    ...change,
  };
}

export function aSession(runId: RunId, attempt = 1, change: Partial<Session> = {}): Session {
  return {
    id: sessionIdFor(runId, 1, attempt),
    runId,
    taskKey: 'task1-1' as TaskKey,
    attempt,
    provider: 'scripted',
    runner: 'docker',
    conversation: undefined,
    image: undefined,
    log: `sessions/${runId}-1-${attempt}.jsonl`,
    startedAt: 1_700_000_000_000 + attempt,
    endedAt: undefined,
    outcome: undefined,
    usage: NO_USAGE,
    ...change,
  };
}

export function aDelivery(change: Partial<NewDelivery> = {}): NewDelivery {
  serial += 1;
  return {
    guid: `guid-${process.pid}-${serial}`,
    event: 'issues',
    action: 'labeled',
    body: '{"action":"labeled"}',
    receivedAt: 1_700_000_000_000 + serial,
    ...change,
  };
}
