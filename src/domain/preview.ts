import { digest } from './ids.ts';
import type { Run, RunTask } from './run.ts';

/*
 * A plan is what a request would come to, shown before anything is started. Whoever approves it approves this very text with these
 * settings: the hash they name is of both, so that nothing else is ever started by it.
 */

/** Hash of all that the agents of a run would be told and the engine would carry out, whatever commit it starts from. */
export function planHash(
  run: Pick<Run, 'playbook' | 'settings' | 'provider' | 'fallbacks' | 'model' | 'instructions'>,
): string {
  const { playbook, settings, provider, fallbacks = [], model = null, instructions } = run;
  const source = playbook.kind === 'file' ? [playbook.path] : [playbook.issue, playbook.title];
  return digest(JSON.stringify([source, playbook.text, settings, provider, fallbacks, model, instructions]), 10);
}

/** What a run may take, going by tasks of the same repository. */
export interface Estimate {
  /** How many tasks it goes by. */
  readonly sample: number;
  readonly durationMs: number;
  /** US dollars; undefined when no earlier task says what it cost. */
  readonly costUsd: number | undefined;
}

/** Guesses what `count` tasks take from tasks that were committed: the median of each. Undefined when there are none. */
export function estimate(earlier: readonly RunTask[], count: number): Estimate | undefined {
  const done = earlier.filter(({ outcome }) => outcome?.kind === 'committed');
  const durations = done.flatMap(({ startedAt, endedAt }) =>
    startedAt === undefined || endedAt === undefined ? [] : [endedAt - startedAt],
  );
  if (durations.length === 0) return undefined;
  const costs = done.flatMap(({ usage }) => usage.costUsd ?? []);
  return {
    sample: durations.length,
    durationMs: median(durations) * count,
    costUsd: costs.length === 0 ? undefined : median(costs) * count,
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [low = 0, high = 0] = [sorted[sorted.length % 2 === 0 ? middle - 1 : middle], sorted[middle]];
  return (low + high) / 2;
}
