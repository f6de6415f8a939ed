import { describe, expect, it } from 'vitest';
import { ask, askUnless } from '../../../src/runners/docker/engine.ts';
import { InfrastructureError } from '../../../src/runners/runner.ts';

const answered = (statusCode: number) => (): Promise<never> =>
  Promise.reject(
    Object.assign(new Error(`(HTTP code ${statusCode}) unexpected - words of the engine `), { statusCode }),
  );

const silent = (): Promise<never> => new Promise<never>(() => {});

describe('ask', () => {
  it('does not wait for ever', async () => {
    await expect(ask('start a container', 20, silent)).rejects.toThrow(InfrastructureError);
    await expect(ask('start a container', 20, silent)).rejects.toThrow(/did not start a container within 0.02 s/);
  });

  it('leaves an answer to the caller, whatever it is', async () => {
    await expect(ask('look', 1_000, async () => 7)).resolves.toBe(7);
    await expect(ask('look', 1_000, answered(404))).rejects.toMatchObject({ statusCode: 404 });
  });

  it('says that the engine is gone', async () => {
    await expect(ask('look', 1_000, async () => Promise.reject(new Error('connect ENOENT')))).rejects.toThrow(
      /No Docker engine/,
    );
  });
});

describe('askUnless', () => {
  it('takes some refusals for success and passes on the words of the others', async () => {
    await expect(askUnless([404], 'remove', 1_000, answered(404))).resolves.toBeUndefined();
    await expect(askUnless([404], 'remove', 1_000, answered(500))).rejects.toThrow(
      'The Docker engine could not remove: words of the engine',
    );
  });
});
