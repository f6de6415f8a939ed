/** Runs tasks with the same key one after another, in the order they came. */
export type Lock = <Result>(key: string | number, task: () => Promise<Result>) => Promise<Result>;

/** A new set of locks, one per key. */
export function createLock(): Lock {
  const tails = new Map<string | number, Promise<unknown>>();
  return async (key, task) => {
    const before = tails.get(key) ?? Promise.resolve();
    const run = before.then(task, task);
    // The next in line waits for the end of this one, not for its success.
    const tail = run.catch(() => undefined);
    tails.set(key, tail);
    try {
      return await run;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}
