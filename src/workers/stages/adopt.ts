import { parseTrailers } from '../../domain/report/commit-message.ts';
import { fetchCommit, type Mirror } from '../../git/mirror.ts';
import { git } from '../../git/plumbing.ts';
import type { RunScope, TaskRecord } from '../record.ts';
import { author } from './commit.ts';

/**
 * Takes over what an earlier life of this run left on its branch, one that nobody remembers: the store was wiped before the run's
 * pull request was there to tell of it. It is ours when every commit since the base is by the App's account and names this run and
 * one of its tasks. Gives the commit of the task at hand, and has those of other tasks on record; undefined when the branch is somebody else's.
 *
 * @param head Where the branch is.
 */
export async function adoptBranch(record: TaskRecord, scope: RunScope, head: string): Promise<Adopted | undefined> {
  const { held, deps, mirror } = scope;
  const { run, tasks } = held;
  await fetchCommit(mirror, await deps.forge.gitAccess(run.repository), run.branch, head);
  const self = await author(scope);
  const commits = await commitsSince(mirror, run.base.sha, head);
  const found = new Map<string, Adopted>();
  for (const [index, { sha, email, message }] of commits.entries()) {
    const trailers = parseTrailers(message);
    if (email !== self.email || trailers?.run !== run.id) return undefined;
    if (!tasks.some(({ key }) => key === trailers.task)) return undefined;
    found.set(trailers.task, { commit: sha, parent: commits[index + 1]?.sha ?? run.base.sha });
  }
  const commit = found.get(record.task.key);
  if (commit === undefined) return undefined;
  for (const task of tasks) {
    const own = found.get(task.key);
    if (own === undefined || task.key === record.task.key) continue;
    await held.changeTask(task.key, { outcome: { kind: 'committed', ...own }, endedAt: deps.clock.now() });
  }
  await held.audit(deps.clock.now(), 'branch adopted', { branch: run.branch, head, commits: commits.length });
  return commit;
}

/** A commit that was found on the branch, and what it stands on. */
interface Adopted {
  readonly commit: string;
  readonly parent: string;
}

interface BranchCommit {
  readonly sha: string;
  readonly email: string;
  readonly message: string;
}

/** Commits between a base and a head, along first parents, the newest first. */
async function commitsSince(mirror: Mirror, base: string, head: string): Promise<readonly BranchCommit[]> {
  const format = '--format=%H%x00%ae%x00%B%x01';
  const args = ['log', '--first-parent', '--max-count=1000', format, '--end-of-options', `${base}..${head}`];
  const listed = await git(mirror.gitDir, args);
  return listed
    .split('\u0001')
    .map((entry) => entry.trimStart().split('\0'))
    .flatMap(([sha = '', email = '', message = '']) => (sha === '' ? [] : [{ sha, email, message }]));
}
