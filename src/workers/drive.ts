import path from 'node:path';
import { missedQuestion } from '../domain/asking.ts';
import { sessionIdFor, type SessionId } from '../domain/ids.ts';
import { approach, isWaiting, nextInRun, sessionsThatCount, type Next } from '../domain/conduct.ts';
import type { Outcome } from '../domain/outcome.ts';
import { isFinal, type RunTask } from '../domain/run.ts';
import { hasOrders } from '../domain/order.ts';
import { afterInterruption, deathsBefore, gotFurther, handedBack, sessionBegins } from '../domain/setback.ts';
import { addUsage } from '../domain/usage.ts';
import { compact } from '../git/compact.ts';
import { removeLeftovers } from '../git/leftovers.ts';
import { ensureMirror, fetchCommit } from '../git/mirror.ts';
import { createTicker } from '../playbook/ticker.ts';
import type { Word } from '../queue/queue.ts';
import { budgetBefore } from './account.ts';
import { SessionAhead } from './ahead.ts';
import { Announcer } from './announce.ts';
import { comeBack, isOnlyToRun, runAside } from './aside.ts';
import { attempt } from './attempt.ts';
import { firstProvider, takeTurn } from './circuits.ts';
import { defaultBranchOf } from './default-branch.ts';
import type { WorkerDeps } from './deps.ts';
import { execute } from './exec.ts';
import { HeldRun } from './held-run.ts';
import { imageOf } from './image.ts';
import { interruptionOf } from './interruption.ts';
import { AT_ONCE, DONE, end, endAnyway, nowOf, park, pause, type Drive, type Driving } from './put-away.ts';
import { attendTo, tellAnswered } from './people.ts';
import { historyOf, taskToSeeThrough } from './pushed.ts';
import type { RunScope } from './record.ts';
import { backToDraft, rewindBranch } from './rewind.ts';
import { requireSpace } from './space.ts';
import { begin, takeUp } from './take-up.ts';

/** How long a run is left alone when not even its interruption could be recorded. Milliseconds. */
const UNRECORDED_MS = 30_000;

/** Works on a run, under its lease, until it is settled, has to wait, or the work is taken away. */
export async function driveRun(deps: WorkerDeps, drive: Drive): Promise<Word> {
  const log = deps.log.child({ runId: drive.run.id, epoch: drive.lease.epoch });
  const held: HeldRun = new HeldRun({
    store: deps.store,
    lease: drive.lease,
    hold: drive.hold,
    run: drive.run,
    tasks: await deps.store.tasksOf(drive.run.id),
    onChange: () => {
      announcer.touch();
      drive.onChange?.(held.run);
    },
  });
  const announcer: Announcer = new Announcer({
    deps,
    held,
    log,
    links: { repository: deps.forge.webUrl(drive.run.repository) },
  });
  try {
    if (drive.waits !== undefined)
      return await park(deps, { held, announcer, log, drive }, { ...drive.waits, at: undefined });
    return await goThrough(deps, { held, announcer, log, drive });
  } catch (error) {
    return await fold(deps, { held, announcer, log, drive }, error);
  } finally {
    await announcer.close();
  }
}

async function goThrough(deps: WorkerDeps, driving: Driving): Promise<Word> {
  const { held, announcer, log, drive } = driving;
  const refused = await takeUp(deps, held);
  if (refused !== undefined) return await endAnyway(deps, driving, refused);
  const isAside = await isOnlyToRun(deps, held);
  if (!isAside) {
    await begin(deps, held);
    await announcer.begin();
  }
  const { run } = held;
  const provider = firstProvider(deps, run);
  if (provider === undefined)
    return await endAnyway(deps, driving, {
      state: 'failed',
      reason: `This worker has no provider called \`${run.provider}\`.`,
    });
  const mirror = await ensureMirror(path.join(deps.settings.home, 'mirrors'), run.repository.id);
  await removeLeftovers(mirror, run.id);
  const started = run.tip !== run.base.sha;
  await fetchCommit(mirror, await deps.forge.gitAccess(run.repository), started ? run.branch : run.base.ref, run.tip);
  const lane = { name: run.id, mirror: mirror.gitDir };
  await using ahead = new SessionAhead(() => deps.runner.release(lane));
  const image = await imageOf({ deps, held, mirror, provider, announcer });
  const scope: RunScope = {
    deps,
    image,
    held,
    announcer,
    provider,
    endpoint: undefined,
    handover: undefined,
    mirror,
    lane,
    ahead,
    ticker: createTicker(),
    log,
    signal: drive.hold.signal,
    saving: drive.hold.saving,
  };

  if (isAside) return await runAside(scope);
  // Every lane's beginning needs it; whoever asks for it meets what goes wrong.
  defaultBranchOf(scope).catch(() => {});
  if (hasOrders(held.run)) await backToDraft(scope);
  const told = new Map<string, string>();
  for (;;) {
    await held.refreshStop();
    const isSteered = held.run.orders !== undefined || held.run.stop !== undefined;
    const begun = isSteered ? await taskToSeeThrough(scope) : undefined;
    const exec = hasOrders(held.run) ? await held.takeOrders(begun?.key) : undefined;
    await rewindBranch(scope);
    // What may be on the branch already comes first, whatever people have said meanwhile: a run does not end without a word on it.
    const next: Next = begun === undefined ? nextInRun(held.run, held.tasks) : { kind: 'task', task: begun };
    // Not over a push that was begun: the command is for all that is done so far.
    if (exec !== undefined && begun === undefined) {
      await execute(exec, scope);
      continue;
    }
    if (next.kind === 'end') {
      await tellAnswered(deps, driving, told);
      if (held.run.tip !== held.run.base.sha) await announcer.ensurePullRequest();
      return await end(deps, driving, next);
    }
    if (next.kind !== 'task') {
      const word = await attendTo(deps, driving, next);
      if (word === undefined) continue;
      return word;
    }
    // What is still to be taken in waits for a push to be seen through, which a pause must not put off; nor must it the end.
    const { steering, stop } = held.run;
    if (steering?.paused !== undefined && stop === undefined && !hasOrders(held.run)) return await pause(deps, driving);
    await requireSpace(deps.settings.home, deps.settings.diskFloorBytes);
    await compact(mirror, log);
    await tellAnswered(deps, driving, told);
    const wait = await workOn(next.task, scope);
    if (wait !== undefined && wait.at > deps.clock.now())
      return await park(deps, driving, { ...wait, setbacks: handedBack(held.run) });
  }
}

/** Brings one task to its outcome. Gives when to go on, and why not before, if that has to wait. */
async function workOn(
  task: RunTask,
  scope: RunScope,
): Promise<{ readonly at: number; readonly reason: string } | undefined> {
  const { deps, held } = scope;
  const history = await historyOf(task, scope);
  const missed = missedQuestion(task, history.sessions, held.tasks);
  if (missed !== undefined) {
    await held.changeTask(task.key, {
      questions: [...(task.questions ?? []), missed.question],
      usage: addUsage(task.usage, missed.session.usage),
      startedAt: undefined,
    });
    return undefined;
  }
  const how = approach(task, {
    ...history,
    stop: held.run.stop,
    deaths: deathsBefore(held.run),
    retry: deps.settings.retry,
  });
  const spent = how.kind === 'attempt' ? await budgetBefore(scope, sessionFor(task, how.number), task.key) : undefined;
  if (spent?.resetAt !== undefined) return { at: spent.resetAt, reason: spent.message };
  const goes = how.kind === 'attempt' && spent === undefined;
  const turn = goes ? await takeTurn(scope, sessionsThatCount(task, history.sessions)) : undefined;
  if (turn?.kind === 'wait') return turn;
  if (how.kind === 'give-up') await giveUp(deps, held, task, how.outcome);
  else if (spent !== undefined) await giveUp(deps, held, task, { kind: 'failed', failure: spent });
  else if (turn?.kind === 'none') await giveUp(deps, held, task, { kind: 'failed', failure: turn.failure });
  else {
    const begun = how.kind === 'attempt' ? sessionBegins(held.run) : undefined;
    if (begun !== undefined) await held.changeRun({ setbacks: begun });
    const record = await attempt(task, how, { ...(turn?.scope ?? scope), earlier: history.sessions });
    if (record.again !== undefined) return record.again;
  }
  const setbacks = gotFurther(held.run);
  if (setbacks !== undefined) await held.changeRun({ setbacks });
  return undefined;
}

function sessionFor({ runId, position }: RunTask, number: number): SessionId {
  return sessionIdFor(runId, position, number);
}

async function giveUp(deps: WorkerDeps, held: HeldRun, task: RunTask, outcome: Outcome): Promise<void> {
  const endedAt = deps.clock.now();
  await held.changeTask(task.key, { outcome, endedAt });
  await held.audit(endedAt, 'task given up', { task: task.key, outcome });
}

/** Every way the work can be thrown off its path, turned into what happens next. Nothing is lost: what was recorded stays. */
async function fold(deps: WorkerDeps, driving: Driving, error: unknown): Promise<Word> {
  const { held, log, drive } = driving;
  const interruption = interruptionOf(error, drive.hold.saving);
  if (interruption.kind === 'lost') {
    log.warn('lease lost; another worker goes on with the run');
    return DONE;
  }
  try {
    await held.reload();
    // The answer to its last write may be all that was lost: what is settled stays settled.
    if (isFinal(held.run.state)) return DONE;
    const means = afterInterruption(held.run, interruption, nowOf(deps));
    switch (means.kind) {
      case 'leave':
        return DONE;
      case 'hand-back':
        await held.changeRun({ setbacks: means.setbacks });
        return AT_ONCE;
      case 'end':
        return await endAnyway(deps, driving, { state: 'failed', reason: means.reason });
      case 'wait':
        log.error({ err: error }, 'run interrupted');
        // What it waits for is still to come: only what it was asked for meanwhile is tried again.
        if (isWaiting(held.run, deps.clock.now())) return await comeBack(held, means, deps.clock.now());
        return await park(deps, driving, means);
    }
  } catch (second) {
    if (interruptionOf(second, drive.hold.saving).kind === 'lost') return DONE;
    log.error({ err: second }, 'the interruption itself could not be recorded; the run is tried again');
    return isFinal(held.run.state) ? DONE : { kind: 'again', delayMs: UNRECORDED_MS };
  }
}
