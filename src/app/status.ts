import { threadOf, type RunReport } from '../domain/report/run-report.ts';
import { renderStatusComment } from '../domain/report/status-comment.ts';
import type { Repository } from '../domain/repository.ts';
import type { Run } from '../domain/run.ts';
import type { AppDeps } from './deps.ts';

/** How often a status comment is written anew while the run goes on; its worker writes it, too. */
const REFRESH_ROUNDS = 3;

/**
 * Writes a run's one status comment as the store has it. A run that a worker moved on meanwhile is written again: this must not
 * be the last word on it. A run that is in no thread yet has no comment.
 */
export async function refreshStatus(
  deps: Pick<AppDeps, 'store' | 'forge' | 'clock' | 'rules'>,
  repository: Repository,
  asked: Run,
  commentId?: number,
): Promise<void> {
  let run: Run | undefined = asked;
  let told: string | undefined;
  for (let round = 0; round < REFRESH_ROUNDS && run !== undefined; round++) {
    const thread = threadOf(run);
    if (thread === undefined) return;
    const tasks = await deps.store.tasksOf(run.id);
    const state = JSON.stringify([run, tasks]);
    if (state === told) return;
    const report: RunReport = {
      run,
      tasks,
      sessions: await deps.store.sessionsOf(run.id),
      now: deps.clock.now(),
      spending: { spent: await deps.store.spentByRun(run.id), operator: deps.rules.budget },
      links: { repository: deps.forge.webUrl(repository) },
    };
    const known = commentId ?? run.statusCommentId;
    await deps.forge.ensureComment(repository, thread, `run/${run.id}`, renderStatusComment(report), known);
    told = state;
    run = await deps.store.findRun(run.id);
  }
}
