import { shortRunId, type RunId } from './ids.ts';

/** Longest slug, in characters: the whole name stays readable in GitHub's branch list. */
const SLUG_LENGTH = 40;

/**
 * The branch a run works on: `maestro/<slug of the title>-<short run id>`. A valid git ref for every title, since only lower-case
 * ASCII letters, digits and single hyphens get in.
 */
export function branchName(options: { readonly title: string; readonly runId: RunId }): string {
  return `maestro/${slugOf(options.title) ?? 'run'}-${shortRunId(options.runId)}`;
}

/** A title as a name of lower-case ASCII letters, digits and single hyphens; undefined when nothing is left of it. */
export function slugOf(title: string): string | undefined {
  const words = title
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, '-')
    .replaceAll(/^-|-$/gu, '');
  const slug = words.slice(0, SLUG_LENGTH).replace(/-$/u, '');
  return slug === '' ? undefined : slug;
}

/** The branch that keeps what was on a run's branch up to `tip` when a task was taken back. */
export function rewoundBranchName(run: RunId, tip: string): string {
  return `maestro/kept/${shortRunId(run)}-before-${tip.slice(0, 12)}`;
}

/** The branch that keeps what an attempt left when it was not committed: below the same prefix, apart from every run's own branch. */
export function keptBranchName(run: RunId, position: number, attempt: number): string {
  return `maestro/kept/${shortRunId(run)}-${position}-${attempt}`;
}
