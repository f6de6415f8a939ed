/** What happened, oldest first; the newest of it is kept. */
export interface Journal<Item> {
  readonly add: (...items: readonly Item[]) => void;
  /** How many there have been: where to look on from, with `since`. */
  readonly total: () => number;
  readonly kept: () => readonly Item[];
  /**
   * All that came after the first `total`.
   *
   * @throws Error when some of it is not kept any more: whoever looks for something there would find nothing, and be content.
   */
  readonly since: (total: number) => readonly Item[];
}

/** An empty one that keeps so many. */
export function createJournal<Item>(most: number): Journal<Item> {
  const items: Item[] = [];
  let total = 0;
  return {
    add: (...more) => {
      items.push(...more);
      total += more.length;
      while (items.length > most) items.shift();
    },
    total: () => total,
    kept: () => [...items],
    since: (seen) => {
      const forgotten = total - items.length;
      if (seen < forgotten)
        throw new Error(
          `The local GitHub keeps the newest ${most} of what happened; ${forgotten - seen} that are asked for are gone.`,
        );
      return items.slice(seen - forgotten);
    },
  };
}
