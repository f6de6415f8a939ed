import { remedy } from '../domain/retry.ts';
import { fullName } from '../domain/repository.ts';
import { isFinal, verdict, type Run, type RunTask } from '../domain/run.ts';
import { ForgeError, mayWrite } from '../forge/forge.ts';
import { ensureMirror, fetchCommit } from '../git/mirror.ts';
import { BranchMovedError, PushRefusedError } from '../git/remote.ts';
import type { Word } from '../queue/queue.ts';
import { InfrastructureError } from '../runners/runner.ts';
import { LeaseLostError, type Lease } from '../store/store.ts';
import path from 'node:path';
import { SessionAhead } from './ahead.ts';
import { Announcer } from './announce.ts';
import { attempt, crashes, failuresAlike } from './attempt.ts';
import type { WorkerDeps } from './deps.ts';
import { EndedEarly, endingOf } from './ending.ts';
import { Ledger } from './ledger.ts';
import type { RunScope } from './record.ts';
import { PermissionLostError } from './stages/push.ts';

const DONE: Word = { kind: 'done' };

/** How long a run waits when GitHub or our own side did not answer and nobody said for how long. */
const UNANSWERED_MS = 30_000;

export interface Drive {
  readonly lease: Lease;
  readonly run: Run;
  /** Aborted with an `EndedEarly`. */
  readonly signal: AbortSignal;
  readonly saving: AbortSignal;
}

/** Works on a run, under its lease, until it is settled, has to wait, or the work is taken away. */
export async function driveRun(deps: WorkerDeps, drive: Drive): Promise<Word> {
  const log = deps.log.child({ runId: drive.run.id, epoch: drive.lease.epoch });
  const ledger = new Ledger({
    store: deps.store,
    lease: drive.lease,
    run: drive.run,
    tasks: await deps.store.tasksOf(drive.run.id),
    onChange: () => announcer.touch(),
  });
  const announcer: Announcer = new Announcer({
    deps,
    ledger,
    log,
    links: { repository: deps.forge.webUrl(drive.run.repository) },
  });
  try {
    return await goThrough(deps, { ledger, announcer, log, drive });
  } catch (error) {
    return await fold(deps, { ledger, announcer, log, drive }, error);
  } finally {
    await announcer.close();
  }
}

interface Driving {
  readonly ledger: Ledger;
  readonly announcer: Announcer;
  readonly log: RunScope['log'];
  readonly drive: Drive;
}

async function goThrough(deps: WorkerDeps, driving: Driving): Promise<Word> {
  const { ledger, announcer, log, drive } = driving;
  const refused = await takeUp(deps, ledger);
  if (refused !== undefined) return await end(deps, driving, 'failed', refused);
  await announcer.begin();
  const provider = deps.findProvider(ledger.run.provider);
  if (provider === undefined)
    return await end(deps, driving, 'failed', `This worker has no provider called \`${ledger.run.provider}\`.`);
  const { run } = ledger;
  const mirror = await ensureMirror(path.join(deps.settings.home, 'mirrors'), run.repository.id);
  const started = run.tip !== run.base.sha;
  await fetchCommit(mirror, await deps.forge.gitAccess(run.repository), started ? run.branch : run.base.ref, run.tip);
  const lane = { name: run.id, mirror: mirror.gitDir };
  await using ahead = new SessionAhead(() => deps.runner.release(lane));
  const scope: RunScope = {
    deps,
    ledger,
    announcer,
    provider,
    mirror,
    lane,
    ahead,
    log,
    signal: drive.signal,
    saving: drive.saving,
  };

  for (let task = nextTask(ledger); task !== undefined; task = nextTask(ledger)) {
    if (await ledger.refreshStop()) break;
    const word = await workOn(task, scope);
    if (word !== undefined) return await park(deps, driving, word);
    const outcome = ledger.tasks.find((one) => one.key === task.key)?.outcome;
    if (outcome?.kind === 'cancelled') break;
    if (outcome?.kind === 'failed' && run.settings.onFailure !== 'continue') break;
  }
  if (ledger.run.tip !== ledger.run.base.sha) await announcer.ensurePullRequest();
  return await end(deps, driving, verdict(ledger.tasks, ledger.run.stop), reasonFor(ledger));
}

/** Makes sure the run may go on, and says so in its record. Gives the reason when it may not. */
async function takeUp(deps: WorkerDeps, ledger: Ledger): Promise<string | undefined> {
  const { run, lease } = ledger;
  await deps.runner.reap((owner) => owner.runId !== run.id || owner.epoch >= lease.epoch);
  const role = await deps.forge.role(run.repository, run.requester.login);
  if (!mayWrite(role))
    return `@${run.requester.login} may not write to ${fullName(run.repository)}, so nothing was done.`;
  const now = deps.clock.now();
  await ledger.changeRun({
    state: 'running',
    reason: undefined,
    parkedUntil: undefined,
    startedAt: run.startedAt ?? now,
  });
  await ledger.audit(now, run.startedAt === undefined ? 'run started' : 'run resumed', {
    worker: lease.owner,
    epoch: lease.epoch,
  });
  return undefined;
}

/** The next task nobody has settled. */
function nextTask(ledger: Ledger): RunTask | undefined {
  return ledger.tasks.find((task) => task.outcome === undefined);
}

/** Brings one task to its outcome. Gives when to go on, and why not before, if that has to wait. */
async function workOn(
  task: RunTask,
  scope: RunScope,
): Promise<{ readonly at: number; readonly reason: string } | undefined> {
  const { deps, ledger } = scope;
  const { retry } = deps.settings;
  if ((await crashes(task, scope)) >= retry.infraAttempts) {
    const message = 'The worker crashed every time it worked on this task.';
    await ledger.changeTask(task.key, {
      outcome: { kind: 'failed', failure: { kind: 'infra', message } },
      endedAt: deps.clock.now(),
    });
    return undefined;
  }
  const record = await attempt(task, scope);
  const failure = record.outcome?.kind === 'failed' ? record.outcome.failure : undefined;
  if (failure === undefined) return undefined;
  const next = remedy(failure, await failuresAlike(task, failure, scope), deps.clock.now(), retry);
  if (next.kind === 'fail') return undefined;
  await ledger.changeTask(task.key, { outcome: undefined, endedAt: undefined, startedAt: undefined });
  return { at: next.at, reason: next.reason };
}

/** Lets a run wait, holding nothing. */
async function park(
  deps: WorkerDeps,
  driving: Driving,
  wait: { readonly at: number; readonly reason: string },
): Promise<Word> {
  const { ledger, announcer } = driving;
  await ledger.changeRun({ state: 'parked', reason: wait.reason, parkedUntil: wait.at });
  await ledger.audit(deps.clock.now(), 'run parked', wait);
  await announcer.sayNow();
  return { kind: 'again', delayMs: Math.max(0, wait.at - deps.clock.now()) };
}

/** Says the last word, then writes it down: a crash between the two says it again. */
async function end(
  deps: WorkerDeps,
  driving: Driving,
  state: 'succeeded' | 'failed' | 'stopped',
  reason: string | undefined,
): Promise<Word> {
  const { ledger, announcer, log } = driving;
  const endedAt = deps.clock.now();
  try {
    await announcer.finish({ ...ledger.run, state, reason, endedAt });
  } catch (error) {
    // Where GitHub does not let us in any more there is nobody to tell, and trying again would keep the run for ever.
    if (finalReason(error) === undefined) throw error;
    log.warn({ err: error }, 'GitHub does not take the last word on the run; it is on record only');
  }
  await deps.runner.removeLane({ name: ledger.run.id, mirror: '' });
  const draft = state !== 'succeeded';
  const { pullRequest } = ledger.run;
  await ledger.changeRun({
    state,
    reason,
    endedAt,
    ...(pullRequest === undefined ? {} : { pullRequest: { ...pullRequest, draft } }),
  });
  await ledger.audit(endedAt, `run ${state}`, { reason });
  return DONE;
}

function reasonFor(ledger: Ledger): string | undefined {
  const { stop } = ledger.run;
  // Every reason names the person who gave it.
  if (stop !== undefined) return `${stop.reason.charAt(0).toUpperCase()}${stop.reason.slice(1)}.`;
  return ledger.tasks.every((task) => task.outcome?.kind === 'no-change')
    ? 'There was nothing to change, so no pull request was opened.'
    : undefined;
}

/** Every way the work can be thrown off its path, turned into what happens next. Nothing is lost: what was recorded stays. */
async function fold(deps: WorkerDeps, driving: Driving, error: unknown): Promise<Word> {
  const { ledger, log, drive } = driving;
  const ending =
    error instanceof EndedEarly ? error.kind : error instanceof LeaseLostError ? 'lost' : endingOf(drive.saving);
  if (ending === 'lost') {
    log.warn('lease lost; another worker goes on with the run');
    return DONE;
  }
  if (ending === 'shutdown') return { kind: 'again', delayMs: 0 };
  try {
    const final = finalReason(error);
    if (final !== undefined) return await end(deps, driving, 'failed', final);
    log.error({ err: error }, 'run interrupted');
    const retryAt = error instanceof ForgeError ? error.retryAt : undefined;
    const at = retryAt ?? deps.clock.now() + Math.min(UNANSWERED_MS, deps.settings.retry.baseMs);
    return await park(deps, driving, { at, reason: waitingReason(error) });
  } catch (second) {
    log.error({ err: second }, 'the interruption itself could not be recorded; the run is tried again');
    return isFinal(ledger.run.state) ? DONE : { kind: 'again', delayMs: UNANSWERED_MS };
  }
}

/** Why a run can't go on for good; undefined when waiting may help. */
function finalReason(error: unknown): string | undefined {
  if (error instanceof BranchMovedError)
    return `Somebody else changed the run's branch (${error.message}); theirs is kept, and Maestro stops here.`;
  if (error instanceof PushRefusedError) return `GitHub refused the push: ${error.message}`;
  if (error instanceof PermissionLostError) return error.message;
  if (error instanceof ForgeError && (error.kind === 'gone' || error.kind === 'denied' || error.kind === 'invalid'))
    return `GitHub said no: ${error.message}`;
  return undefined;
}

function waitingReason(error: unknown): string {
  if (error instanceof ForgeError)
    return error.kind === 'limited' ? 'GitHub asked us to wait.' : 'GitHub does not answer; trying again.';
  if (error instanceof InfrastructureError)
    return `Our side broke (${error.message.split('\n')[0] ?? ''}); trying again.`;
  return 'Something unexpected happened on our side; trying again.';
}
