import type { Ending } from '../domain/conduct.ts';
import { fullName } from '../domain/repository.ts';
import { takingUp } from '../domain/setback.ts';
import { mayWrite } from '../forge/forge.ts';
import type { WorkerDeps } from './deps.ts';
import type { HeldRun } from './held-run.ts';

/** Makes sure the run may go on. Gives its end when it may not. */
export async function takeUp(
  deps: WorkerDeps,
  held: HeldRun,
): Promise<(Ending & { readonly silent?: boolean }) | undefined> {
  const { run, lease } = held;
  const taken = takingUp(run);
  // Before anything that may break: a life that ends here must count.
  await held.changeRun({ setbacks: taken.setbacks });
  if (taken.kind === 'end') return { state: 'failed', reason: taken.reason, silent: taken.silent };
  await deps.runner.reap((owner) => owner.runId !== run.id || owner.epoch >= lease.epoch);
  const role = await deps.forge.role(run.repository, run.requester.login);
  if (!mayWrite(role))
    return {
      state: 'failed',
      reason: `@${run.requester.login} may not write to ${fullName(run.repository)}, so nothing was done.`,
    };
  return undefined;
}

/** Puts on record that the run goes on. */
export async function begin(deps: WorkerDeps, held: HeldRun): Promise<void> {
  const { run, lease } = held;
  const now = deps.clock.now();
  await held.changeRun({
    state: 'running',
    reason: undefined,
    parkedUntil: undefined,
    ...(run.waitsFor === undefined ? {} : { waitsFor: undefined }),
    startedAt: run.startedAt ?? now,
  });
  await held.audit(now, run.startedAt === undefined ? 'run started' : 'run resumed', {
    worker: lease.owner,
    epoch: lease.epoch,
  });
}
