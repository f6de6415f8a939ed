import type { PlaybookSource } from './playbook.ts';
import type { Refusal } from './refusal.ts';
import { isFinal, type Run, type RunState } from './run.ts';
import type { Trigger } from './trigger.ts';

/** States of runs that are still going. */
export const ACTIVE_STATES: readonly RunState[] = ['queued', 'running', 'parked'];

/**
 * The same person putting two labels on one issue within this time (an issue form does, with `maestro` and `maestro:codex`) asks
 * once, not twice. Milliseconds.
 */
const SAME_REQUEST_MS = 60_000;

/** What stands in the way of a new run. */
export type Obstacle =
  | { readonly kind: 'same-request'; readonly run: Run }
  | { readonly kind: 'already-running'; readonly refusal: Refusal };

/**
 * One active run per issue and part, and one per playbook file whoever asked for it: two would do the same work. `path` is the
 * playbook file asked for, if any. A request older than the run in its way was overtaken by it, not refused by it.
 */
export function findObstacle(
  runs: readonly Run[],
  wanted: { readonly id: Run['id']; readonly trigger: Trigger; readonly path: string | undefined },
): Obstacle | undefined {
  const run = runs.find((other) => !isFinal(other.state) && other.id !== wanted.id && isSameWork(other, wanted));
  if (run === undefined) return undefined;
  if (isSameRequest(run.trigger, wanted.trigger)) return { kind: 'same-request', run };
  return { kind: 'already-running', refusal: alreadyRunning(run) };
}

/**
 * Names what a run does, within its repository: a playbook file, or an issue. Two unsettled runs never have the same; the store
 * sees to it, since two processes may both have asked and found none.
 */
export function workKey(playbook: PlaybookSource): string {
  return playbook.kind === 'file' ? `file:${playbook.path}` : `issue:${playbook.issue}`;
}

function isSameWork(run: Run, wanted: { readonly trigger: Trigger; readonly path: string | undefined }): boolean {
  if (wanted.path !== undefined) return run.playbook.kind === 'file' && run.playbook.path === wanted.path;
  return run.playbook.kind !== 'file' && wanted.trigger.kind !== 'push' && run.playbook.issue === wanted.trigger.issue;
}

function isSameRequest(going: Trigger, wanted: Trigger): boolean {
  if (wanted.kind !== 'label') return false;
  if (wanted.at < going.at) return true;
  return (
    going.kind === 'label' &&
    going.label !== wanted.label &&
    going.sender.id === wanted.sender.id &&
    wanted.at - going.at <= SAME_REQUEST_MS
  );
}

function alreadyRunning(run: Run): Refusal {
  const where =
    run.pullRequest === undefined ? `on branch \`${run.branch}\`` : `in pull request #${run.pullRequest.number}`;
  const advice =
    run.stop === undefined ? 'Wait for it, or stop it first.' : 'It has been asked to stop: ask again once it has.';
  return {
    reason: 'already-running',
    message: `Run \`${run.id}\` is already working on this, ${where}. ${advice}`,
    refersTo: run.pullRequest === undefined ? [] : [run.pullRequest.number],
  };
}
