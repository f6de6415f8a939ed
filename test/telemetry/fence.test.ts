import { describe, expect, it } from 'vitest';
import { around } from '../../src/telemetry/failpoint.ts';
import { withFence, withoutFence, workedOn } from '../../src/telemetry/fence.ts';

const closed = (): void => {
  throw new Error('not ours any more');
};
const open = (): void => undefined;
const perform = async (): Promise<string> => await Promise.resolve('done');
const besideIt = async (): Promise<string> => `${await around('lane', { perform })} for ${workedOn() ?? 'nobody'}`;

describe('a fence', () => {
  it('holds back the effects of the work that is under it, however late they come', async () => {
    const late = withFence('run', closed, async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return await around('comment', { perform });
    });
    await expect(late).rejects.toThrow('not ours any more');
    await expect(withFence('run', open, async () => await around('comment', { perform }))).resolves.toBe('done');
  });

  it('lets pass what is not under it, and what cleans up', async () => {
    const beside = withFence('run', closed, perform);
    await expect(around('comment', { perform })).resolves.toBe('done');
    await expect(beside).resolves.toBe('done');
    await expect(withFence('run', closed, async () => await around('clean', { perform }))).resolves.toBe('done');
  });

  it('is not for work that belongs to no run, though a run begins it', async () => {
    const begun = withFence('run', closed, async () => await withoutFence(besideIt));
    await expect(begun).resolves.toBe('done for nobody');
  });
});
