import { digest, runIdFor, shortRunId, type RunId } from './ids.ts';
import type { PlaybookSource } from './playbook.ts';
import type { Run, RunState, RunTask } from './run.ts';
import { naturalKey, type Trigger } from './trigger.ts';

/**
 * What a run's pull request carries, signed, beside what people read: with it, the branch and the text that was asked for, a run is
 * rebuilt when the store is gone (design §5, "Truth, twice"). It holds no text of people's, only what tells whether theirs changed.
 */
export interface RunRecord {
  readonly version: 1;
  readonly id: RunId;
  /** Tells apart the runs of one request that names several playbooks. */
  readonly part: string;
  readonly trigger: Trigger;
  readonly source: { readonly path: string } | { readonly issue: number };
  readonly provider: string;
  readonly fallbacks?: readonly string[];
  readonly model: string | null;
  readonly base: Run['base'];
  readonly createdAt: number;
  readonly total: number;
  /** How many of them came after the run had begun, the last ones; none when omitted. */
  readonly added?: number;
  /** Digest of all that the agent is told or the engine carries out. */
  readonly asked: string;
  readonly state: RunState;
}

/** The record of a run with these tasks as it stands. */
export function recordOf(run: Run, tasks: readonly RunTask[]): RunRecord {
  const { playbook, trigger } = run;
  const added = tasks.filter((task) => task.added !== undefined).length;
  return {
    version: 1,
    id: run.id,
    part: trigger.kind !== 'push' && playbook.kind === 'file' ? playbook.path : '',
    trigger,
    source: playbook.kind === 'file' ? { path: playbook.path } : { issue: playbook.issue },
    provider: run.provider,
    ...(run.fallbacks === undefined ? {} : { fallbacks: run.fallbacks }),
    model: run.model ?? null,
    base: run.base,
    createdAt: run.createdAt,
    total: tasks.length,
    ...(added === 0 ? {} : { added }),
    asked: askedDigest(playbook, run.instructions),
    state: run.state,
  };
}

/** Digest of a playbook's text and the words that came with the request. Ticks do not change it. */
export function askedDigest(source: PlaybookSource, instructions: string): string {
  const unticked = source.text.replaceAll(/\[[xX ]\]/g, '[ ]').replaceAll('\r\n', '\n');
  const title = source.kind === 'file' ? '' : source.title;
  return digest(JSON.stringify([title, unticked, instructions]), 26);
}

/**
 * A record that was found with a pull request from `branch`; undefined unless it is one of this repository's, for this branch. Its
 * signature has been checked: it is ours, but perhaps of another version.
 */
export function checkRecord(found: unknown, repositoryId: number, branch: string): RunRecord | undefined {
  const record = found as RunRecord | undefined;
  if (record?.version !== 1) return undefined;
  const isOurs = runIdFor(naturalKey(repositoryId, record.trigger, record.part)) === record.id;
  return isOurs && branch.endsWith(`-${shortRunId(record.id)}`) ? record : undefined;
}
