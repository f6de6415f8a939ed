import { ACTIVE_STATES } from '../domain/active-run.ts';
import type { Run } from '../domain/run.ts';
import type { Store } from '../store/store.ts';

/** The runs of an issue, or those that opened a pull request, newest first. */
export async function runsHere(
  store: Pick<Store, 'listRuns'>,
  repositoryId: number,
  thread: { readonly number: number; readonly isPullRequest: boolean },
): Promise<readonly Run[]> {
  if (!thread.isPullRequest) return await store.listRuns({ repositoryId, issue: thread.number });
  const isHere = (run: Run): boolean => run.pullRequest?.number === thread.number;
  const active = await store.listRuns({ repositoryId, states: ACTIVE_STATES });
  if (active.some(isHere)) return active.filter(isHere);
  return (await store.listRuns({ repositoryId })).filter(isHere);
}
