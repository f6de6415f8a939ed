import { AsyncLocalStorage } from 'node:async_hooks';

/** Asks whether what is going on may still have effects outside. Throws when not. */
export type Fence = () => void;

const fences = new AsyncLocalStorage<{ readonly owner: string; readonly fence: Fence } | undefined>();

/**
 * Does work whose every outside effect, however deep in an adapter, first passes `fence`. A worker that was asleep past its lease
 * is stopped there and not by what it last believed. `owner` is the run the work is for.
 */
export async function withFence<T>(owner: string, fence: Fence, work: () => Promise<T>): Promise<T> {
  return await fences.run({ owner, fence }, work);
}

/** Does work that is for no run, whichever run's work happens to begin it: it goes on when that run's lease is gone. */
export async function withoutFence<T>(work: () => Promise<T>): Promise<T> {
  return await fences.run(undefined, work);
}

/** The run the current work is for; undefined when it is for none. */
export function workedOn(): string | undefined {
  return fences.getStore()?.owner;
}

/** Passes the fence the current work is under, if it is under one. Throws what the fence throws. */
export function passFence(): void {
  fences.getStore()?.fence();
}
