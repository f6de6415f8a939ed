/** A place in a text as people count it: both 1-based, columns in UTF-16 units. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/**
 * Answers where a UTF-16 offset of `text` is. Lines end at `\n`, `\r\n` or a lone `\r`, as markdown counts them; a byte order mark
 * at the start has no column of its own, because no editor shows one.
 */
export function positionsOf(text: string): (offset: number) => Position {
  const starts = [0];
  for (const match of text.matchAll(/\r\n|\r|\n/g)) starts.push(match.index + match[0].length);
  const mark = text.startsWith('\uFEFF') ? 1 : 0;
  return (offset) => {
    let low = 0;
    let high = starts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const column = offset - (starts[low] ?? 0) + 1;
    return { line: low + 1, column: low === 0 ? Math.max(1, column - mark) : column };
  };
}
