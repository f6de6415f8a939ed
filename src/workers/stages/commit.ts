import { FILE_MODE } from '../../domain/file-mode.ts';
import { evidenceOf } from '../../domain/evidence.ts';
import { renderCommitMessage } from '../../domain/report/commit-message.ts';
import { writeCommit, type CommitFacts } from '../../git/commit.ts';
import { entryAt, readBlob, treeOf } from '../../git/tree.ts';
import { isConfiguration, noteUnconfigured } from '../configuration.ts';
import { isComplete, type RunScope, type TaskRecord } from '../record.ts';

/**
 * Makes the task's one commit: the agent's work, and the playbook as it was before with this task's boxes ticked, whatever the
 * agent did to it. The facts are recorded before anything is pushed, so that making it again gives the same commit.
 */
export async function commit(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined || !isComplete(record)) return record;
  const { run, tasks } = scope.held;
  const file = await withTick(record, scope);
  const oid = await writeCommit(scope.mirror, `refs/maestro/runs/${run.id}`, {
    tree: record.work.tree,
    ...(file === undefined ? {} : { file }),
    parent: run.tip,
    author: await author(scope),
    at: record.session.startedAt,
    message: scope.deps.forge.redact(
      renderCommitMessage({
        run,
        task: record.task,
        session: record.session,
        total: tasks.length,
        ...(record.summary === undefined ? {} : { summary: record.summary }),
        evidence: evidenceOf(record.session, record.earlier),
      }),
    ),
  });
  if (!record.work.configures && (file === undefined || !isConfiguration(file))) noteUnconfigured(scope, oid);
  return { ...record, commit: oid };
}

/** The App's bot account, as GitHub attributes commits to it: by the no-reply address that holds the account's id. */
export async function author(scope: RunScope): Promise<{ readonly name: string; readonly email: string }> {
  const self = await scope.deps.forge.self();
  return { name: self.login, email: `${self.id}+${self.login}@users.noreply.github.com` };
}

/** The playbook's file as it is to be in the task's commit; undefined where the playbook is no file. */
async function withTick(record: TaskRecord, scope: RunScope): Promise<CommitFacts['file']> {
  const { run } = scope.held;
  if (run.playbook.kind !== 'file') return undefined;
  const { path } = run.playbook;
  const before = await entryAt(scope.mirror, await treeOf(scope.mirror, run.tip), path);
  if (before === undefined) return { path, mode: FILE_MODE.file, content: undefined };
  // A BOM stays a character of the text, so that offsets and bytes agree.
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(await readBlob(scope.mirror, before.oid));
  const ticked = scope.ticker.tick(text, record.task.key) ?? text;
  return { path, mode: before.mode, content: new TextEncoder().encode(ticked) };
}
