import type { Config } from '../config.ts';
import { startApp } from './app-part.ts';
import { openShared } from './shared.ts';
import { startWorkerPart } from './worker-part.ts';

const PARTS = { app: startApp, worker: startWorkerPart };

/** Starts `parts` in this process, in their order, over one store and one forge; disposing the result stops them, last one first. */
export function starting(...parts: readonly (keyof typeof PARTS)[]): (config: Config) => Promise<AsyncDisposable> {
  return async (config) => {
    await using stack = new AsyncDisposableStack();
    const shared = stack.use(await openShared(config));
    for (const part of parts) stack.use(await PARTS[part](shared));
    return stack.move();
  };
}
