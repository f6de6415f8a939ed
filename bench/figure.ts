import type { Components } from './components.ts';

/** One line of the table. */
export interface Figure {
  readonly name: string;
  /** What was measured of Maestro. */
  readonly ours: number;
  /** The same by the simplest means, measured in the same run; undefined where only a limit in absolute terms makes sense. */
  readonly baseline: number | undefined;
  readonly unit: string;
  /** A limit of the ratio ours / baseline, or of `ours` itself where there is no baseline. */
  readonly target: { readonly most: number } | { readonly least: number };
  /** What the baseline is, and what else is to be known. */
  readonly note: string;
}

/** What one benchmark is given. */
export interface BenchContext {
  /** A shorter measurement with the same figures: for a look, not for the page. */
  readonly quick: boolean;
  readonly components: Components;
  /** Tells the person at the terminal how far it is. */
  readonly say: (text: string) => void;
}

/** A benchmark: starts what it needs, measures, and leaves nothing behind. */
export type Bench = (context: BenchContext) => Promise<readonly Figure[]>;

/** Ours over the baseline; undefined without one. */
export function ratioOf(figure: Figure): number | undefined {
  return figure.baseline === undefined ? undefined : figure.ours / figure.baseline;
}

/** Whether a figure is within its target. */
export function isMet(figure: Figure): boolean {
  const value = ratioOf(figure) ?? figure.ours;
  return 'most' in figure.target ? value <= figure.target.most : value >= figure.target.least;
}
