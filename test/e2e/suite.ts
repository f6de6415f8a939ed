import { afterAll, beforeAll } from 'vitest';
import { startModelEndpoint, type ModelEndpoint } from '../../local-model/server.ts';
import { openHarness, type Harness, type HarnessOptions } from './harness.ts';
import type { Place } from './place.ts';
import { KEY_CANARY } from './stage.ts';

/** One product for all tests of a suite, each of which takes repositories of its own from it. */
export interface Suite {
  readonly harness: () => Harness;
  readonly place: (seed?: Parameters<Harness['place']>[0]) => Promise<Place>;
}

/** Starts a product before the suite's tests and closes it after them. */
export function useHarness(options: HarnessOptions | (() => HarnessOptions)): Suite {
  let opened: Harness | undefined;
  beforeAll(async () => {
    opened = await openHarness(typeof options === 'function' ? options() : options);
  });
  afterAll(async () => {
    await opened?.[Symbol.asyncDispose]();
  });
  const harness = (): Harness => {
    if (opened === undefined) throw new Error('The product did not start.');
    return opened;
  };
  return { harness, place: async (seed) => await harness().place(seed) };
}

/** A scripted model endpoint for all tests of a suite, which takes no key but the canary. Gives it once it is there. */
export function useModel(options: { readonly keepTexts?: boolean } = {}): () => ModelEndpoint {
  let model: ModelEndpoint | undefined;
  beforeAll(async () => {
    model = await startModelEndpoint({ port: 0, keys: [KEY_CANARY], ...options });
  });
  afterAll(async () => {
    await model?.[Symbol.asyncDispose]();
  });
  return () => {
    if (model === undefined) throw new Error('The model endpoint did not start.');
    return model;
  };
}
