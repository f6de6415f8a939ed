import { FILE_MODE } from '../../domain/file-mode.ts';
import type { Failure } from '../../domain/outcome.ts';
import { symlinkStaysInside, violations, type Change, type Violation } from '../../domain/policy.ts';
import { codeSpan } from '../../domain/report/untrusted-text.ts';
import { captureStream } from '../../git/capture-stream.ts';
import { quarantine, type Quarantine } from '../../git/ingest.ts';
import { captureCommand } from '../../git/lane-scripts.ts';
import { unmask } from '../../git/mask.ts';
import { GitError } from '../../git/plumbing.ts';
import { assertConnected, differences, readBlob, sizesOf, treeOf, type Difference } from '../../git/tree.ts';
import { isConfiguration } from '../configuration.ts';
import { endingOf, EndedEarly } from '../ending.ts';
import { InfrastructureError, type JobResult } from '../../runners/runner.ts';
import { tendLane } from '../jobs.ts';
import type { RunScope, TaskRecord } from '../record.ts';

/**
 * Takes the working copy out as a pack, whatever the agent's end, looks at it in quarantine, and lets it into the mirror if it
 * may be. Partial work is taken as carefully as finished work.
 */
export async function capture(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined) return record;
  if (record.failure?.kind === 'auth' && record.summary === undefined) return record;
  if (record.failure?.kind === 'setup') return record;
  scope.ahead.beginAfter(record, scope);
  const { result, quarantined, tree } = await takeOut(record, scope);
  const ending = endingOf(scope.saving);
  if (ending !== undefined) throw new EndedEarly(ending);
  if (!('accept' in quarantined)) return withFailure(record, quarantined);
  await using work = quarantined;
  if (result.ending !== 'exited' || result.code !== 0) {
    return withFailure(record, {
      kind: 'crash',
      message: 'The working copy could not be read after the agent ended.',
      detail: result.stderr || result.ending,
    });
  }
  return await inspect(record, scope, { tree: await tree, work });
}

interface TakenOut {
  readonly result: JobResult & { readonly stderr: string };
  readonly quarantined: Quarantine | Failure;
  /** Rejects when the lane's keeper printed no tree. */
  readonly tree: Promise<string>;
}

/** Once more when our side breaks: the work of a session is worth a second try. */
async function takeOut(record: TaskRecord, scope: RunScope): Promise<TakenOut> {
  try {
    return await takeOutOnce(record, scope);
  } catch (error) {
    if (!(error instanceof InfrastructureError) || scope.saving.aborted) throw error;
    scope.log.warn({ err: error, sessionId: record.session.id }, 'the work could not be taken out; trying once more');
    return await takeOutOnce(record, scope);
  }
}

async function takeOutOnce(record: TaskRecord, scope: RunScope): Promise<TakenOut> {
  const inside = scope.deps.runner.inside(scope.lane);
  const stream = captureStream();
  const taking = quarantine(scope.mirror, {
    name: record.session.id,
    pack: stream.pack,
    maxBytes: scope.deps.settings.session.packBytes,
  });
  taking.catch(() => stream.pack.resume());
  const taken = taking.catch((error: unknown) => asFailure(error));
  // Looked at once the errand is over, which may be later.
  taken.catch(() => undefined);
  try {
    const result = await tendLane(scope, {
      argv: captureCommand({ ...inside, commit: record.seen?.commit ?? scope.held.run.tip }),
      stdout: stream.sink,
      signal: scope.saving,
    });
    stream.sink.end();
    return { result, quarantined: await taken, tree: stream.tree };
  } catch (error) {
    stream.sink.end();
    await taking.then(
      async (work) => await work[Symbol.asyncDispose](),
      () => undefined,
    );
    throw error;
  }
}

async function inspect(
  record: TaskRecord,
  scope: RunScope,
  taken: { tree: string; work: Quarantine },
): Promise<TaskRecord> {
  const { env } = taken.work;
  const { run } = scope.held;
  const looked = await lookAt(record, scope, taken).catch((error: unknown) => asFailure(error));
  if ('kind' in looked) return withFailure(record, looked);
  const { tree, changes } = looked;
  const base = await treeOf(scope.mirror, run.tip);
  const ours = run.playbook.kind === 'file' ? run.playbook.path : undefined;
  const changed = changes.some((change) => change.path !== ours);
  if (tree === base || !changed) return { ...record, work: { tree: base, changed: false, configures: false } };
  const found = [...violations(changes, scope.deps.settings.policy), ...(await escapingLinks(scope, changes, env))];
  await taken.work.accept();
  const work = { tree, changed: true, configures: changes.some(isConfiguration) };
  return found.length === 0 ? { ...record, work } : withFailure({ ...record, work }, notAllowed(found));
}

/** A change with what it puts there; sizes of those only that may matter. */
type Looked = Change & Pick<Difference, 'oid'>;

/** The tree as it may be committed, and what it changes. */
async function lookAt(
  record: TaskRecord,
  scope: RunScope,
  taken: { tree: string; work: Quarantine },
): Promise<{ readonly tree: string; readonly changes: readonly Looked[] }> {
  const { mirror, held, deps } = scope;
  const { env } = taken.work;
  const { fileBytes } = deps.settings.policy;
  const unmasked = await unmask(mirror, taken.tree, record.seen?.masked ?? [], env);
  const { tree, changedUnseen } = unmasked;
  // What is not whole fails either way, and looking at both takes half the time.
  const [connected, seen] = await Promise.allSettled([
    assertConnected(mirror, { tree, base: held.run.tip, bytes: fileBytes }, env),
    differences(mirror, held.run.tip, tree, env),
  ]);
  if (connected.status === 'rejected') throw connected.reason;
  if (seen.status === 'rejected') throw seen.reason;
  const large = connected.value;
  const sized = seen.value.filter(({ oid, mode }) => large.has(oid) || mode === FILE_MODE.link).map(({ oid }) => oid);
  const sizes = await sizesOf(mirror, sized, env);
  const changes = seen.value.map((change) => {
    const size = sizes.get(change.oid);
    return size === undefined ? change : { ...change, size };
  });
  if (changedUnseen.length > 0) {
    const paths = changedUnseen.slice(0, 10).map(codeSpan).join(', ');
    scope.announcer.note(`The agent wrote ${paths} without having been shown what is in there: look twice.`);
  }
  return { tree, changes };
}

async function escapingLinks(
  scope: RunScope,
  changes: readonly Looked[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Violation[]> {
  const found: Violation[] = [];
  for (const change of changes.filter((one) => one.mode === FILE_MODE.link && (one.size ?? 0) < 4096)) {
    const target = Buffer.from(await readBlob(scope.mirror, change.oid, env)).toString('utf8');
    if (!symlinkStaysInside(change.path, target)) {
      found.push({
        path: change.path,
        message: `${JSON.stringify(change.path)} is a symlink that leaves the repository`,
      });
    }
  }
  return found;
}

function notAllowed(found: readonly Violation[]): Failure {
  return {
    kind: 'policy',
    message: `The work holds something that may not be committed: ${found[0]?.message ?? ''}.`,
    detail: found.map((violation) => violation.message).join('\n'),
  };
}

/** A pack git does not believe is the agent's failure; anything else is ours and is thrown on. */
function asFailure(error: unknown): Failure {
  if (error instanceof GitError && error.isMachines)
    throw new InfrastructureError(`the work could not be taken in: ${error.message}`, { cause: error });
  if (error instanceof GitError) {
    return {
      kind: 'policy',
      message: 'The work the agent left is not sound git data and was not taken.',
      detail: error.message,
    };
  }
  throw error;
}

/** The attempt's first failure stays; this one is only told when there was none. */
function withFailure(record: TaskRecord, failure: Failure): TaskRecord {
  return record.failure === undefined ? { ...record, failure } : record;
}
