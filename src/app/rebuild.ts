import { parseCommand } from '../domain/command.ts';
import { settle } from '../domain/defaults.ts';
import type { PlaybookSource } from '../domain/playbook.ts';
import { isWhole, rebuildRun, type Remains } from '../domain/rebuild.ts';
import { parsePullRequest } from '../domain/report/pull-request-facts.ts';
import type { Repository } from '../domain/repository.ts';
import { askedDigest, checkRecord, type RunRecord } from '../domain/run-record.ts';
import { isFinal, type Run, type RunTask } from '../domain/run.ts';
import type { OurPullRequest } from '../forge/forge.ts';
import type { RunQueue } from '../queue/queue.ts';
import type { Store } from '../store/store.ts';
import { tickTask } from '../playbook/tick.ts';
import { defaultsBack } from './defaults.ts';
import type { ScanDeps } from './scan-deps.ts';
import { around } from '../telemetry/failpoint.ts';
import { parseSource } from './sources.ts';

export interface RebuildDeps extends Pick<ScanDeps, 'survey' | 'forge' | 'clock' | 'log'> {
  readonly store: Pick<Store, 'findRun' | 'createRun' | 'audit' | 'findMarks' | 'setMark'>;
  readonly queue: Pick<RunQueue, 'enqueue'>;
}

/**
 * Rebuilds the runs of a repository that the store does not know though their pull requests are there: all that are open, and those
 * that changed since. One that was going is put in line and goes on; one that was over is only recorded, so that it is not begun
 * again. Says how many were rebuilt.
 */
export async function rebuildRuns(deps: RebuildDeps, repository: Repository, since: number): Promise<number> {
  let rebuilt = 0;
  for (const pull of await deps.survey.ourPullRequests(repository, since)) {
    const record = checkRecord(pull.record, repository.id, pull.branch);
    if (record === undefined || (await deps.store.findRun(record.id)) !== undefined) continue;
    await rebuild(deps, repository, pull, record);
    rebuilt += 1;
  }
  return rebuilt;
}

async function rebuild(
  deps: RebuildDeps,
  repository: Repository,
  pull: OurPullRequest,
  record: RunRecord,
): Promise<void> {
  const remains = await gather(deps, repository, pull, record);
  const { run, tasks } = rebuildRun(isWhole(remains) ? remains : { ...remains, asked: undefined });
  if (remains.asked !== undefined && pull.open) await tickIssue(deps, run, tasks);
  const { created } = await around('rebuild', { perform: async () => await deps.store.createRun(run, tasks) });
  if (!created) return;
  const committed = tasks.filter(({ outcome }) => outcome?.kind === 'committed').length;
  await deps.store.audit({
    at: deps.clock.now(),
    runId: run.id,
    actor: 'maestro',
    action: 'run rebuilt',
    detail: { pullRequest: pull.number, branch: run.branch, tip: run.tip, committed, state: run.state },
  });
  deps.log.info({ runId: run.id, pull: pull.number, state: run.state, committed }, 'run rebuilt from its pull request');
  if (!isFinal(run.state)) await deps.queue.enqueue(run.id);
}

/** Ticks what is committed: the end may have come between a commit and its tick. Somebody who edits at the same moment wins. */
async function tickIssue({ forge }: RebuildDeps, run: Run, tasks: readonly RunTask[]): Promise<void> {
  if (run.playbook.kind !== 'checklist') return;
  const { issue, text } = run.playbook;
  const committed = tasks.filter(({ outcome }) => outcome?.kind === 'committed');
  const ticked = committed.reduce((body, { key }) => tickTask(body, key) ?? body, text);
  if (ticked !== text) await forge.replaceIssueBody(run.repository, issue, text, ticked);
}

async function gather(
  deps: RebuildDeps,
  repository: Repository,
  pull: OurPullRequest,
  record: RunRecord,
): Promise<Remains> {
  return {
    repository,
    record,
    branch: pull.branch,
    title: pull.title,
    pullRequest: pull,
    facts: parsePullRequest(pull.body),
    commits: await deps.survey.commitsOn(repository, pull.headSha, record.base.sha),
    asked: await whatWasAsked(deps, repository, record),
    now: deps.clock.now(),
  };
}

/** The playbook and the words of the request, if they still are what they were. */
async function whatWasAsked(deps: RebuildDeps, repository: Repository, record: RunRecord): Promise<Remains['asked']> {
  const source = await readSource(deps, repository, record);
  const instructions = await readInstructions(deps, repository, record);
  if (source === undefined || instructions === undefined) return undefined;
  if (askedDigest(source, instructions) !== record.asked) return undefined;
  const parsed = parseSource(source);
  const defaults = await defaultsBack(deps, repository, record.base.sha);
  const around = { asked: record.provider, standard: record.provider };
  const { settings } = settle(parsed.playbook.settings, defaults, around);
  return { ...parsed, playbook: { ...parsed.playbook, settings }, instructions };
}

async function readSource(
  { forge }: RebuildDeps,
  repository: Repository,
  { source, base }: RunRecord,
): Promise<PlaybookSource | undefined> {
  if ('path' in source) {
    const file = await forge.readFile(repository, source.path, base.sha);
    return file && { kind: 'file', path: source.path, text: file.text };
  }
  const issue = await forge.issue(repository, source.issue);
  return issue && { kind: 'checklist', issue: issue.number, title: issue.title, text: issue.body };
}

async function readInstructions(
  { survey }: RebuildDeps,
  repository: Repository,
  { trigger }: RunRecord,
): Promise<string | undefined> {
  if (trigger.kind !== 'command') return '';
  const body = await survey.commentBody(repository, trigger.commentId);
  const command = body === undefined ? undefined : parseCommand(body);
  // What was approved with more words is not known any more, and the digest says so.
  if (command?.kind === 'approve') return '';
  return command?.kind === 'run' ? command.instructions : undefined;
}
