import type { Refusal } from '../domain/refusal.ts';

/** A request nothing is started for: the person is told why, or it needs no answer. */
export type NotStarted =
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  | { readonly kind: 'ignored'; readonly reason: string };
