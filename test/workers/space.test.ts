import { tmpdir } from 'node:os';
import { expect, it } from 'vitest';
import { InfrastructureError } from '../../src/runners/runner.ts';
import { requireSpace } from '../../src/workers/space.ts';

it('is content with what there is, and says what is missing when it is too little', async () => {
  await requireSpace(tmpdir(), 1);
  const starved = requireSpace(tmpdir(), 1024 ** 5);
  await expect(starved).rejects.toThrow(InfrastructureError);
  await expect(starved).rejects.toThrow(/nearly full: \d+ MB left, 1073741824 MB needed to begin a task/);
});
