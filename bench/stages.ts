import type { LogLine } from './server-process.ts';
import { median } from './statistics.ts';

/** The median of each stage that the worker logged, for whoever wonders where the time goes. */
export function stagesOf(lines: readonly LogLine[]): string {
  const byStage = Map.groupBy(lines, ({ stage }) => String(stage));
  return [...byStage].map(([stage, of]) => `${stage} ${median(of.map(({ ms }) => Number(ms)))} ms`).join(', ');
}
