/** The value below which a share `q` (0 to 1) of the values lies: the nearest one there is. Throws when there are none. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const found = sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * q))];
  if (found === undefined) throw new Error('nothing was measured');
  return found;
}

/** The middle value: what one slow moment of a shared machine does not move. */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}
