import { doneCount, type Run, type RunTask } from '../../domain/run.ts';

/** What the demonstration prints as its last line with `--json`. */
export interface DemoResult {
  readonly runs: readonly DemoRun[];
  /** Jobs, lanes and files that were still there after everything was shut down. */
  readonly leftovers: number;
}

export interface DemoRun {
  readonly id: string;
  readonly trigger: { readonly kind: string };
  readonly status: Run['state'];
  readonly tasks: { readonly done: number; readonly total: number };
  readonly pullRequest: { readonly number: number; readonly url: string; readonly draft: boolean } | null;
  /** Oldest first. */
  readonly commits: readonly string[];
}

/** One run, as the demonstration reports it. */
export function demoRun(run: Run, tasks: readonly RunTask[]): DemoRun {
  return {
    id: run.id,
    trigger: { kind: run.trigger.kind },
    status: run.state,
    tasks: { done: doneCount(tasks), total: tasks.length },
    pullRequest: run.pullRequest ?? null,
    commits: tasks.flatMap((task) => (task.outcome?.kind === 'committed' ? [task.outcome.commit] : [])),
  };
}

/** Whether all that was promised is there: every run succeeded, in a pull request that is ready, one commit per task. */
export function isAsPromised(result: DemoResult): boolean {
  return (
    result.runs.length > 0 &&
    result.leftovers === 0 &&
    result.runs.every(
      (run) =>
        run.status === 'succeeded' &&
        run.tasks.done === run.tasks.total &&
        run.pullRequest?.draft === false &&
        run.commits.length === run.tasks.total,
    )
  );
}
