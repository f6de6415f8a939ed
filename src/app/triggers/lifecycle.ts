import { ACTIVE_STATES } from '../../domain/active-run.ts';
import type { Run } from '../../domain/run.ts';
import type { AccessEvent, IssueClosedEvent, PullRequestClosedEvent } from '../../domain/webhook.ts';
import type { AppDeps } from '../deps.ts';
import { permissionOf } from '../permission.ts';
import { stopRuns } from '../stop.ts';

/** Handles the closing of an issue: a writer who closes it ends its runs. Returns the note for the delivery. */
export async function onClosed(deps: AppDeps, event: IssueClosedEvent): Promise<string> {
  const { repository, issue, sender, at } = event;
  const active = await deps.store.listRuns({ repositoryId: repository.id, issue: issue.number, states: ACTIVE_STATES });
  const runs = active.filter((run) => run.trigger.at <= at);
  if (runs.length === 0) return 'ignored: no run of this issue is going';
  const permission = await permissionOf(deps, repository, sender);
  if (permission.kind === 'ignored') return `ignored: ${permission.reason}`;
  if (permission.kind === 'denied') return 'ignored: sender may not stop runs';
  const current = await deps.forge.issue(repository, issue.number);
  if (current?.open) return 'ignored: the issue was opened again meanwhile';
  return await stopRuns(deps, runs, {
    by: sender.login,
    reason: `issue closed by @${sender.login}`,
    at: deps.clock.now(),
  });
}

/**
 * Handles the closing of a pull request: the run that works on it ends, whoever closed it, because there is nothing left to add
 * to (fault F31). Returns the note for the delivery.
 */
export async function onPullRequestClosed(deps: AppDeps, event: PullRequestClosedEvent): Promise<string> {
  const { repository, number, sender, merged } = event;
  const active = await deps.store.listRuns({ repositoryId: repository.id, states: ACTIVE_STATES });
  const run = active.find((one) => one.pullRequest?.number === number) ?? (await unrecorded(deps, active, number));
  if (run === undefined) return 'ignored: no run works on this pull request';
  const current = await deps.forge.findPullRequest(repository, run.branch);
  if (current?.open) return 'ignored: the pull request was opened again meanwhile';
  const how = merged ? 'merged' : 'closed';
  return await stopRuns(deps, [run], {
    by: sender.login,
    reason: `pull request #${number} ${how} by @${sender.login}`,
    at: deps.clock.now(),
  });
}

/** The run whose pull request this is though that is not on its record: it was closed in the moment it was opened. */
async function unrecorded({ forge }: AppDeps, active: readonly Run[], number: number): Promise<Run | undefined> {
  for (const run of active) {
    if (run.pullRequest !== undefined) continue;
    if ((await forge.findPullRequest(run.repository, run.branch))?.number === number) return run;
  }
  return undefined;
}

/** Handles the loss of an installation or of some of its repositories: nothing can be pushed there any more. Returns the note. */
export async function onAccessEnded(deps: AppDeps, event: AccessEvent): Promise<string> {
  const { scope, by, reason } = event;
  const active = await deps.store.listRuns({ states: ACTIVE_STATES });
  const runs = active.filter(({ repository }) =>
    scope.kind === 'installation' ? repository.installationId === scope.id : scope.ids.includes(repository.id),
  );
  if (runs.length === 0) return 'ignored: no run is going there';
  return await stopRuns(deps, runs, { by, reason: `${reason} by @${by}`, at: deps.clock.now() });
}
