import type { ForgeError } from '../forge.ts';
import { isKind } from './client.ts';

/** How often a write whose reply was lost is looked for and made again. */
const TRIES = 3;

export interface Ensure<T> {
  /** What is wanted, if it is there already. */
  readonly find: () => Promise<T | undefined>;
  readonly make: () => Promise<T>;
  /** Whether the caller has just looked, and found nothing. */
  readonly looked?: boolean;
  /** Waits before the next look. */
  readonly pause: (attempt: number) => Promise<void>;
}

/**
 * Looks, and makes what it does not find. A make that got no answer may have happened, and one that GitHub refuses may have been
 * overtaken by another process: both look again before anything else (faults F23).
 */
export async function ensure<T>({ find, make, pause, looked = false }: Ensure<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    const found = looked && attempt === 1 ? undefined : await find();
    if (found !== undefined) return found;
    try {
      return await make();
    } catch (error) {
      if (isKind(error, 'invalid')) return await foundOr(find, error);
      if (!isKind(error, 'unavailable')) throw error;
      if (attempt === TRIES) return await foundOr(find, error);
      await pause(attempt);
    }
  }
}

async function foundOr<T>(find: () => Promise<T | undefined>, error: ForgeError): Promise<T> {
  const found = await find();
  if (found === undefined) throw error;
  return found;
}

/** Runs what is given under the same key one after the other, so that this process never looks twice and then makes twice. */
export type Serially = <T>(key: string, work: () => Promise<T>) => Promise<T>;

/** Makes a `Serially` with a memory of its own. */
export function createSerially(): Serially {
  const last = new Map<string, Promise<unknown>>();
  return async (key, work) => {
    const before = last.get(key) ?? Promise.resolve();
    const mine = before.then(work, work);
    last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (last.get(key) === mine) last.delete(key);
    }
  };
}
