import type { Store } from '../store/store.ts';
import type { Inbox } from './inbox.ts';

/** How long a new store waits for what GitHub knows. Milliseconds. */
const MOST_MS = 60_000;

/** Whether the store knows no run at all: it is new, or everything was lost. */
export async function isNewborn(store: Pick<Store, 'listRuns'>): Promise<boolean> {
  return (await store.listRuns({ limit: 1 })).length === 0;
}

/** An inbox that takes deliveries up later: they are saved and acknowledged meanwhile. */
export interface Opening {
  /** Wakes the inbox once it is open. */
  readonly wake: () => void;
  /** Opens the inbox when `ready` resolves, or after a minute. */
  openAfter(ready: Promise<void>): void;
  /** Keeps it shut if it is. */
  cancel(): void;
}

/**
 * Where everything was lost, runs are rebuilt before deliveries are dealt with: a copy of a request that has a run already would
 * otherwise make it a second time, on a branch that is there.
 */
export function openLater(inbox: Pick<Inbox, 'start' | 'wake'>): Opening {
  let state: 'shut' | 'open' | 'cancelled' = 'shut';
  let timer: NodeJS.Timeout | undefined;
  const open = (): void => {
    clearTimeout(timer);
    if (state !== 'shut') return;
    state = 'open';
    inbox.start();
  };
  return {
    wake: () => {
      if (state === 'open') inbox.wake();
    },
    openAfter: (ready) => {
      timer = setTimeout(open, MOST_MS);
      void ready.then(open);
    },
    cancel: () => {
      clearTimeout(timer);
      if (state === 'shut') state = 'cancelled';
    },
  };
}
