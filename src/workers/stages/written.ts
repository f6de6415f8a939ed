import { FILE_MODE } from '../../domain/file-mode.ts';
import { openTasks } from '../../domain/plan-run.ts';
import type { Failure } from '../../domain/outcome.ts';
import { differences, entryAt, readBlob } from '../../git/tree.ts';
import { decodeText } from '../../playbook/decode.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import { endsTurn } from '../../domain/talk.ts';
import type { RunScope, TaskRecord } from '../record.ts';

/** Most problems a next attempt is told of. */
const TOLD = 20;

/** Where a run is to write a playbook, reads what the agent wrote: one that could not be run is not taken, and the next session is told why. */
export async function written(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  const { plan } = scope.held.run;
  if (plan === undefined || record.commit !== undefined || record.failure !== undefined || record.stopped)
    return record;
  // An agent that asked something has not finished.
  if (record.work === undefined || record.words?.some(endsTurn) === true) return record;
  const complaints = record.work.changed
    ? await complaintsOf(scope, record.work.tree, plan.path)
    : [`\`${plan.path}\` was not written.`];
  if (complaints.length === 0) return record;
  const failure: Failure = {
    kind: 'verify-failed',
    message: `The playbook \`${plan.path}\` can not be taken as it was left.`,
    detail: complaints.slice(0, TOLD).join('\n'),
  };
  return { ...record, failure };
}

async function complaintsOf({ mirror, held, deps }: RunScope, tree: string, path: string): Promise<readonly string[]> {
  const others = (await differences(mirror, held.run.tip, tree)).filter((change) => change.path !== path);
  const elsewhere = others.map((change) => `${change.path} was changed: only ${path} is to be.`);
  const entry = await entryAt(mirror, tree, path);
  if (entry === undefined) return [`There is no ${path}.`, ...elsewhere];
  if (entry.mode !== FILE_MODE.file) return [`${path} has to be an ordinary file.`, ...elsewhere];
  const decoded = decodeText(await readBlob(mirror, entry.oid));
  if (decoded.kind === 'binary') return [`${path} is no text.`, ...elsewhere];
  const playbook = decoded.kind === 'text' ? parsePlaybook(decoded.text) : undefined;
  const problems = decoded.kind === 'problem' ? [decoded.problem] : (playbook?.problems ?? []);
  const { provider, fallbacks = [] } = playbook?.settings ?? {};
  const unknown = [provider, ...fallbacks].filter((id) => id !== undefined && deps.findProvider(id) === undefined);
  return [
    ...problems.map(({ line, column, message, fix }) => `${path}:${line}:${column}: ${message} ${fix}`),
    ...unknown.map((id) => `There is no provider \`${id}\` here: leave \`provider\` out.`),
    ...(problems.length === 0 && playbook !== undefined && openTasks(playbook).length === 0
      ? [`${path} has no open task.`]
      : []),
    ...elsewhere,
  ];
}
