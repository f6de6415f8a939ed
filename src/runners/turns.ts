/** Does `work` once all that was asked under the same `key` before is over, well or badly. */
export type Turns = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Lets work under one key go one after another, in the order it was asked for; keys do not wait for each other. */
export function createTurns(): Turns {
  /** Per key, the end of what was asked last. */
  const last = new Map<string, Promise<unknown>>();

  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work);
    const over = turn
      .catch(() => {})
      .finally(() => {
        if (last.get(key) === over) last.delete(key);
      });
    last.set(key, over);
    return turn;
  };
}
