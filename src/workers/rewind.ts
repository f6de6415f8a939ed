import { rewoundBranchName } from '../domain/branch.ts';
import { isTakenBack } from '../domain/redo.ts';
import { ForgeError, type GitAccess } from '../forge/forge.ts';
import { isAncestor, fetchCommit } from '../git/mirror.ts';
import { BranchMovedError, pushBranch, remoteHead } from '../git/remote.ts';
import { untickTask } from '../playbook/tick.ts';
import { around } from '../telemetry/failpoint.ts';
import type { RunScope } from './record.ts';
import { assertMayWrite, stillOurs } from './stages/allowed.ts';
import { assertPullRequestOpen, PullRequestClosedError } from './stages/push.ts';

/**
 * Moves the run's branch back to where the run goes on from, once a task of its was taken back; what was on it gets a branch of its
 * own first. A branch that would be left with nothing of the run's stays where it is until the next push: GitHub closes a pull
 * request that has no commit. Does nothing while the branch is where it should be.
 */
export async function rewindBranch(scope: RunScope): Promise<void> {
  const { held, mirror } = scope;
  const { run } = held;
  const { pushed: from, tip: to } = run;
  if (from === undefined) return;
  const kept = rewoundBranchName(run.id, from);
  const way = { from, to, kept };
  try {
    const { at } = await held.effect({ key: keyOf(way), name: 'rewind', intent: way }, async () => {
      const { access, head } = await keepWhatWas(scope, way);
      const goesTo = to === run.base.sha ? head : to;
      stillOurs(scope);
      if (goesTo !== head) await pushBranch(mirror.gitDir, access, { branch: run.branch, commit: to, expected: head });
      await sayTakenBack(scope, way);
      return { at: goesTo };
    });
    const pushed = at === to ? undefined : at;
    scope.announcer.note(`What was taken back is kept at \`${kept}\`.`);
    if (pushed !== run.pushed) await held.changeRun({ pushed });
  } catch (error) {
    if (!(error instanceof PullRequestClosedError)) throw error;
    // Nothing is taken back from what people have decided on.
    const { clock, store } = scope.deps;
    await store.requestStop(run.id, { by: 'somebody', reason: error.message, at: clock.now() });
    await held.refreshStop();
  }
}

/** Makes a pull request that was ready a draft again, for a run that is opened again: what it holds is about to change. */
export async function backToDraft(scope: RunScope): Promise<void> {
  const { held, deps, announcer } = scope;
  const { pullRequest, repository } = held.run;
  if (pullRequest === undefined || pullRequest.draft) return;
  try {
    await deps.forge.markDraft(repository, pullRequest.number);
  } catch (error) {
    // Not every plan of GitHub's has drafts: where it says no the run goes on all the same.
    if (!(error instanceof ForgeError) || (error.kind !== 'invalid' && error.kind !== 'denied')) throw error;
    announcer.note(
      'The pull request could not be made a draft again; its work is not complete until this comment says so.',
    );
  }
  await held.changeRun({ pullRequest: { ...pullRequest, draft: true } });
}

/** From where to where a branch is moved, and the branch that keeps what was there. */
interface Rewinding {
  readonly from: string;
  readonly to: string;
  readonly kept: string;
}

function keyOf({ from, to }: Rewinding): string {
  return `rewind/${from}/${to}`;
}

/** Puts what is on the run's branch on one of its own. Gives where the run's branch is. */
async function keepWhatWas(
  scope: RunScope,
  { from, to, kept }: Rewinding,
): Promise<{ readonly access: GitAccess; readonly head: string }> {
  const { held, deps, mirror } = scope;
  const { run } = held;
  await assertMayWrite(scope);
  await assertPullRequestOpen(to, scope);
  const access = await deps.forge.gitAccess(run.repository);
  await fetchCommit(mirror, access, run.branch, from);
  const head = await remoteHead(mirror.gitDir, access, run.branch);
  // Between the two it is where an earlier try brought it, whose run then ended: all that is there is kept.
  const isOurs = head !== undefined && (head === to || (await isAncestor(mirror, head, from)));
  if (head === undefined || !isOurs) throw new BranchMovedError(run.branch, from, head);
  stillOurs(scope);
  await around('keep', {
    perform: async () => await pushBranch(mirror.gitDir, access, { branch: kept, commit: from, expected: undefined }),
  });
  return { access, head };
}

/** Brings what people see of the work that was taken back in line with that. */
async function sayTakenBack(scope: RunScope, way: Rewinding): Promise<void> {
  const { held, deps } = scope;
  const { run } = held;
  await untickIssue(scope);
  await deps.forge.ensureCheck(run.repository, {
    key: `run/${run.id}`,
    name: 'Maestro',
    headSha: way.from,
    unlessAbsent: true,
    status: 'completed',
    conclusion: 'neutral',
    title: 'Taken back',
    summary: `A task was asked for again; this commit is kept at \`${way.kept}\`.`,
  });
  await held.auditOnce(keyOf(way), deps.clock.now(), 'branch rewound', { branch: run.branch, ...way });
}

/** Takes back the ticks of what was taken back; somebody editing at the same moment wins and is retried. */
async function untickIssue({ held, deps }: RunScope): Promise<void> {
  const { playbook, repository } = held.run;
  if (playbook.kind !== 'checklist') return;
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const issue = await deps.forge.issue(repository, playbook.issue);
    if (issue === undefined) return;
    const body = held.tasks
      .filter(isTakenBack)
      .reduce((text, { key }) => untickTask(text, key, playbook.text) ?? text, issue.body);
    if (body === issue.body) return;
    if (await deps.forge.replaceIssueBody(repository, issue.number, issue.body, body)) return;
  }
}
