import { describe, expect, it } from 'vitest';
import { ask, statusOf } from '../../../src/runners/docker/engine.ts';
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

  it('passes on what the engine says, and what it answered', async () => {
    await expect(ask('look', 1_000, async () => 7)).resolves.toBe(7);
    const refused: unknown = await ask('look', 1_000, answered(404)).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(InfrastructureError);
    expect(refused).toMatchObject({ message: 'The Docker engine could not look: words of the engine' });
    expect(statusOf(refused)).toBe(404);
  });

  it('leaves an error of ours as it is', async () => {
    const ours = new InfrastructureError('no room');
    await expect(ask('look', 1_000, async () => Promise.reject(ours))).rejects.toBe(ours);
  });

  it('says that the engine is gone', async () => {
    await expect(ask('look', 1_000, async () => Promise.reject(new Error('connect ENOENT')))).rejects.toThrow(
      /No Docker engine/,
    );
  });
});
