import type { Run, RunTask } from './run.ts';

/*
 * What doing a task again takes back. The engine puts one commit a task on a run's branch, each on top of the one before, so taking
 * one back takes back all that were made after it, in the order they were made, which need not be the document's.
 */

/** What is undone when a task is done again from its beginning. */
export interface Undone {
  /** Where the run's branch is to be; undefined when no commit is taken back. */
  readonly tip: string | undefined;
  /** Positions of the tasks whose commits are taken back. */
  readonly positions: ReadonlySet<number>;
}

/** Decides what goes when the task at `position` is done again. Decided anew after some of it was written down, it is the same. */
export function undoneBy(position: number, of: { readonly base: string; readonly tasks: readonly RunTask[] }): Undone {
  const chain = commitsInOrder(of.tasks);
  const at = chain.findIndex((link) => link.position === position);
  const link = chain[at];
  if (link === undefined) return { tip: undefined, positions: new Set() };
  const known = new Set(chain.map(({ commit }) => commit));
  const undone = new Set([link.commit]);
  const positions = new Set([position]);
  for (const [index, one] of chain.entries()) {
    // What a commit of before parents were kept on record stands on is told by the order of the two.
    const isLinked = one.parent !== undefined && (one.parent === of.base || known.has(one.parent));
    const below = isLinked ? one.parent : chain[index - 1]?.commit;
    if (below === undefined || !undone.has(below)) continue;
    undone.add(one.commit);
    positions.add(one.position);
  }
  return { tip: link.parent ?? chain[at - 1]?.commit ?? of.base, positions };
}

/** Positions of the tasks that are committed, the last made first: what is on top is to be written down before what it stands on. */
export function newestFirst(tasks: readonly RunTask[]): readonly number[] {
  return commitsInOrder(tasks)
    .map(({ position }) => position)
    .toReversed();
}

/** Whether a task's newest work was taken back, and it has not been begun again. */
export function isTakenBack(task: RunTask): boolean {
  return task.outcome === undefined && task.attempts > 0 && task.since === task.attempts;
}

/** Where a run's branch is on GitHub; undefined when it has none. */
export function branchTip(run: Pick<Run, 'tip' | 'pushed' | 'base'>): string | undefined {
  if (run.pushed !== undefined) return run.pushed;
  return run.tip === run.base.sha ? undefined : run.tip;
}

interface Link {
  readonly position: number;
  readonly commit: string;
  readonly parent: string | undefined;
  readonly endedAt: number;
}

/** The commits there are, each after the one it stands on as far as that is on record; else after those that ended before. */
function commitsInOrder(tasks: readonly RunTask[]): readonly Link[] {
  const links = tasks.flatMap(({ position, outcome, endedAt }): readonly Link[] =>
    outcome?.kind === 'committed'
      ? [{ position, commit: outcome.commit, parent: outcome.parent, endedAt: endedAt ?? 0 }]
      : [],
  );
  const left = links.toSorted((a, b) => a.endedAt - b.endedAt || a.position - b.position);
  const ordered: Link[] = [];
  while (left.length > 0) {
    const waiting = new Set(left.map(({ commit }) => commit));
    const next = left.findIndex(({ parent }) => parent === undefined || !waiting.has(parent));
    ordered.push(...left.splice(Math.max(0, next), 1));
  }
  return ordered;
}
