import { digest, type RunId, type TaskKey } from './ids.ts';
import type { RunTask } from './run.ts';
import { NO_USAGE } from './usage.ts';

/*
 * Tasks that came to a run after it had begun. They are on its record alone: the playbook, or the issue, stays as its author wrote it.
 */

/** The task that a person's order adds to the end of a run; undefined when it is there already, since a worker died over it. */
export function addedTask(
  runId: RunId,
  tasks: readonly RunTask[],
  given: { readonly number: number; readonly by: string },
  text: string,
): RunTask | undefined {
  const title = text.split('\n', 1)[0] ?? text;
  const key = keyOfAdded({ title, text }, `a${given.number}`);
  if (tasks.some((task) => task.key === key)) return undefined;
  return freshTask({ runId, key, position: nextPosition(tasks), title, text, by: given.by });
}

/** A task nobody has begun, as it is added to a run. */
export function freshTask(
  of: Pick<RunTask, 'runId' | 'key' | 'position' | 'title' | 'text'> & { readonly by: string },
): RunTask {
  const { by, ...task } = of;
  const fresh = { attempts: 0, outcome: undefined, usage: NO_USAGE, startedAt: undefined, endedAt: undefined };
  return { ...task, ...fresh, added: { by } };
}

/** Never the key of a task of the document: its box is not to be ticked for this. `where` is unique within a run. */
export function keyOfAdded({ title, text }: Pick<RunTask, 'title' | 'text'>, where: string): TaskKey {
  return `${digest(`${title}\n${text}`, 12)}-${where}` as TaskKey;
}

/** The position of a task that comes after these. */
export function nextPosition(tasks: readonly RunTask[]): number {
  return 1 + Math.max(0, ...tasks.map(({ position }) => position));
}
