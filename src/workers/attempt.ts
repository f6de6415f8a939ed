import path from 'node:path';
import type { Approach } from '../domain/conduct.ts';
import { sessionIdFor } from '../domain/ids.ts';
import type { RunTask, Session } from '../domain/run.ts';
import { addUsage, NO_USAGE } from '../domain/usage.ts';
import { InfrastructureError } from '../runners/runner.ts';
import { LeaseLostError } from '../store/store.ts';
import { EndedEarly } from './ending.ts';
import type { RunScope, Stage, TaskRecord } from './record.ts';
import { SessionLog } from './session-log.ts';
import { capture } from './stages/capture.ts';
import { commit } from './stages/commit.ts';
import { converse } from './stages/converse.ts';
import { prepare } from './stages/prepare.ts';
import { publish } from './stages/publish.ts';
import { push } from './stages/push.ts';
import { settle } from './stages/settle.ts';
import { verify } from './stages/verify.ts';
import { written } from './stages/written.ts';

/** The path of a task, in order. A stage whose work an earlier life of the worker has done passes the record on. */
const STAGES: readonly (readonly [name: string, stage: Stage])[] = [
  ['prepare', prepare],
  ['converse', converse],
  ['capture', capture],
  ['written', written],
  ['verify', verify],
  ['commit', commit],
  ['push', push],
  ['publish', publish],
  ['settle', settle],
];

/** One attempt at a task, or the rest of one that a crash cut off. Gives the record as the last stage left it. */
export async function attempt(
  task: RunTask,
  how: Exclude<Approach, { readonly kind: 'give-up' }>,
  scope: RunScope & { readonly earlier: readonly Session[] },
): Promise<TaskRecord> {
  const session = how.kind === 'resume' ? how.session : await beginSession(task, how.number, scope);
  await using sessionLog = await SessionLog.open(session.log, {
    maxBytes: scope.deps.settings.session.logBytes,
    now: () => scope.deps.clock.now(),
    onBroken: (error) => scope.log.warn({ err: error, sessionId: session.id }, "a session's log can't be written"),
  });
  const commit = how.kind === 'resume' ? { commit: how.commit } : {};
  let record: TaskRecord = { task, session, sessionLog, earlier: scope.earlier, ...commit };
  try {
    for (const [name, stage] of STAGES) {
      const began = scope.deps.clock.monotonic();
      record = await stage(record, scope);
      const ms = Math.round(scope.deps.clock.monotonic() - began);
      scope.log.debug({ runId: task.runId, sessionId: session.id, stage: name, ms }, 'stage done');
    }
    return record;
  } catch (error) {
    if (record.commit === undefined) return await cutShort(record, scope, error);
    throw error;
  }
}

/**
 * Writes down an attempt that was cut short before it came to a commit, so that it does not count as a crash: one that our side
 * broke ends as a failure of ours, one that a shutdown ended is to be made again. What is neither is thrown on.
 */
async function cutShort(record: TaskRecord, scope: RunScope, error: unknown): Promise<TaskRecord> {
  if (error instanceof InfrastructureError && isFull(error)) {
    // However long that lasts, it is no failure of the task's: the run waits, and the task is begun again.
    const until = scope.deps.clock.now();
    const outcome = { kind: 'parked', until, reason: 'a disk of ours is full; the task is begun again' } as const;
    const { task, session } = record;
    await scope.held.saveSession({ ...session, outcome, endedAt: until });
    await scope.held.changeTask(task.key, { usage: addUsage(task.usage, session.usage) });
    throw error;
  }
  if (error instanceof InfrastructureError) {
    scope.log.warn({ err: error, sessionId: record.session.id }, 'attempt failed on our side');
    const message = `Our side broke: ${error.message.split('\n')[0] ?? ''}`;
    return await settle(
      { ...record, failure: record.failure ?? { kind: 'infra', message, detail: error.message } },
      scope,
    );
  }
  if (error instanceof EndedEarly && error.kind === 'shutdown') {
    const reason = 'the worker was shut down; the task is begun again';
    const outcome = { kind: 'cancelled', by: scope.held.lease.owner, reason } as const;
    await scope.held.saveSession({ ...record.session, outcome, endedAt: scope.deps.clock.now() });
  } else if (!(error instanceof EndedEarly) && !(error instanceof LeaseLostError)) {
    // The worker lives: what threw the attempt off its path must not count as its crash.
    const message = `The attempt was broken off: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''}`;
    const outcome = { kind: 'failed', failure: { kind: 'infra', message } } as const;
    await scope.held
      .saveSession({ ...record.session, outcome, endedAt: scope.deps.clock.now() })
      .catch((second: unknown) => scope.log.warn({ err: second }, 'a broken attempt could not be recorded'));
  }
  throw error;
}

/** Whether a disk was full, ours or the engine's: the engine, git and the kernel say so in the same words. */
function isFull(error: InfrastructureError): boolean {
  return /no space left on device/i.test(error.message);
}

async function beginSession(task: RunTask, number: number, scope: RunScope): Promise<Session> {
  const { held, deps } = scope;
  const id = sessionIdFor(task.runId, task.position, number);
  const startedAt = deps.clock.now();
  const session: Session = {
    id,
    runId: task.runId,
    taskKey: task.key,
    attempt: number,
    provider: scope.provider.id,
    runner: deps.runner.name,
    conversation: undefined,
    image: (await deps.runner.check(scope.image)).image,
    log: path.join(deps.settings.home, 'logs', task.runId, `${id}.jsonl`),
    startedAt,
    endedAt: undefined,
    outcome: undefined,
    usage: NO_USAGE,
  };
  await held.saveSession(session);
  const begun = { attempts: number, startedAt, endedAt: undefined, outcome: undefined };
  await held.changeTask(task.key, { ...begun, handover: scope.handover });
  await held.audit(startedAt, 'session started', {
    session: id,
    provider: session.provider,
    runner: session.runner,
    image: session.image,
  });
  return session;
}
