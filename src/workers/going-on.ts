import { sessionsThatCount } from '../domain/conduct.ts';
import { isProviders } from '../domain/failover.ts';
import type { Question } from '../domain/question.ts';
import type { RunTask, Session } from '../domain/run.ts';
import { fetchCommit, hasObject, CommitGoneError, type Mirror } from '../git/mirror.ts';
import { git, GitError } from '../git/plumbing.ts';
import { workOnTip } from '../git/work-so-far.ts';
import type { RunScope, TaskRecord } from './record.ts';

/** Characters of a failed check's output that the next attempt is shown. */
const OUTPUT_KEPT = 3_000;

/** What an earlier session of the task left that this one goes on from. */
interface Left {
  readonly commit: string;
  /** The branch it was pushed to; undefined when it is in the mirror of the worker that made it. */
  readonly branch: string | undefined;
}

/**
 * The commit on the run's tip that shows what an earlier session of the task left: one that asked people, or whose work the
 * playbook's checks did not pass. Undefined where there is none, or where it can't be had here: then the task is begun anew.
 */
export async function workLeft(record: TaskRecord, scope: RunScope): Promise<string | undefined> {
  const { mirror, held, deps } = scope;
  const left = await leftBy(sessionsThatCount(record.task, record.earlier), mirror);
  if (left === undefined) return undefined;
  if (left.branch !== undefined && !(await hasObject(mirror, `${left.commit}^{commit}`))) {
    const access = await deps.forge.gitAccess(held.run.repository);
    try {
      await fetchCommit(mirror, access, left.branch, left.commit);
    } catch (error) {
      if (!(error instanceof CommitGoneError)) throw error;
    }
  }
  const { tip, createdAt } = held.run;
  const commit = await workOnTip(mirror, { work: left.commit, tip, at: createdAt });
  const detail = commit === undefined ? `${left.commit} can't be gone on from` : `from ${left.commit}`;
  await record.sessionLog.write({ type: 'stage', name: 'go on', detail });
  return commit;
}

/** The newest such session's; what comes after it may have failed before it came to anything of its own. */
async function leftBy(sessions: readonly Session[], mirror: Mirror): Promise<Left | undefined> {
  for (const { id, outcome } of sessions.toReversed()) {
    const work = outcome?.kind === 'parked' ? outcome.question?.work : undefined;
    if (work !== undefined) {
      const isHere = work.ref.startsWith('refs/');
      return { commit: work.commit, branch: isHere ? undefined : work.ref };
    }
    if (outcome?.kind !== 'failed' || outcome.failure.kind !== 'verify-failed') continue;
    const commit = await keptHere(mirror, id);
    if (commit !== undefined) return { commit, branch: undefined };
  }
  return undefined;
}

async function keptHere(mirror: Mirror, session: string): Promise<string | undefined> {
  try {
    return await git(mirror.gitDir, ['rev-parse', '--verify', '--quiet', `refs/maestro/kept/${session}^{commit}`]);
  } catch (error) {
    if (error instanceof GitError && !error.isMachines) return undefined;
    throw error;
  }
}

/** The session that asked people, if nothing came of the task since: others may have failed for want of a model. */
export function sessionThatAsked({ task, earlier }: Pick<TaskRecord, 'task' | 'earlier'>): Session | undefined {
  const last = sessionsThatCount(task, earlier).findLast(({ outcome }) => {
    if (outcome?.kind !== 'failed') return outcome !== undefined;
    return !isProviders(outcome.failure) && outcome.failure.kind !== 'infra';
  });
  return last?.outcome?.kind === 'parked' && last.outcome.question !== undefined ? last : undefined;
}

/** What a task's sessions asked people, as its next one is told. */
export function answersFor({ questions = [] }: RunTask): {
  readonly answers?: readonly { readonly asked: string; readonly answer: string }[];
} {
  const answers = questions.flatMap((question) => {
    const answer = answerTo(question);
    return answer === undefined ? [] : [{ asked: askedText(question), answer }];
  });
  return answers.length === 0 ? {} : { answers };
}

function askedText({ kind, text, options, tasks = [] }: Question): string {
  switch (kind) {
    case 'ask':
      return [text, ...options.map((option, index) => `${index + 1}. ${option}`)].join('\n');
    case 'replan':
      return [`Whether to do other tasks instead: ${text}`, ...tasks.map(({ title }) => `- ${title}`)].join('\n');
    case 'failure':
      return `(Maestro asked, after an earlier session failed: ${text})`;
  }
}

function answerTo({ kind, answer }: Question): string | undefined {
  if (answer === undefined) return undefined;
  if (answer.text.trim() !== '' && answer.by !== undefined) return answer.text;
  if (kind === 'failure') return undefined;
  const who =
    answer.by === undefined ? `Nobody answered. ${answer.text}`.trim() : 'You are to go on without an answer.';
  return `${who} Choose the simplest reading by yourself, and say in your last message what you chose.`;
}

/** What the session before came to, for the one that has to do better, or goes on. */
export function previousAttempt({ task, earlier, seen }: TaskRecord): { readonly previousAttempt?: string } {
  const before = sessionsThatCount(task, earlier).findLast(({ outcome }) => outcome !== undefined)?.outcome;
  const copy =
    seen?.goesOn === true
      ? 'The working copy holds its work, as the last commit: go on from there.'
      : 'The working copy is as it was before.';
  if (before?.kind === 'parked' && before.question !== undefined)
    return { previousAttempt: `An earlier session worked on this task until it asked what is above. ${copy}` };
  const outcome = earlier.findLast((one) => one.outcome?.kind === 'failed')?.outcome;
  if (outcome?.kind !== 'failed') {
    return seen?.goesOn === true ? { previousAttempt: `An earlier session worked on this task. ${copy}` } : {};
  }
  const { message, detail, kind } = outcome.failure;
  const output =
    kind === 'verify-failed' && detail ? `\n\nIts output ended with:\n\n${detail.slice(-OUTPUT_KEPT)}` : '';
  return {
    previousAttempt: `An earlier session worked on this task, and its work was not taken: ${message} ${copy}${output}`,
  };
}
