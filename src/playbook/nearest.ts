/** The word of `words` a person probably meant by `written`: at most two slips away (fewer for short words), else undefined. */
export function nearest<Word extends string>(written: string, words: readonly Word[]): Word | undefined {
  const plain = written
    .slice(0, 40)
    .replaceAll(/([a-z])([A-Z])/g, '$1-$2')
    .replaceAll(/[_ ]/g, '-')
    .toLowerCase();
  const ranked = words.map((word) => ({ word, slips: distance(plain, word) })).toSorted((a, b) => a.slips - b.slips);
  const best = ranked[0];
  if (best === undefined) return undefined;
  return best.slips <= Math.min(2, Math.floor(best.word.length / 2)) ? best.word : undefined;
}

/** Levenshtein distance: letters to add, drop or replace. */
function distance(from: string, to: string): number {
  let previous = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= to.length; column += 1) {
      const swap = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1);
      current.push(Math.min(swap, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[to.length] ?? 0;
}
