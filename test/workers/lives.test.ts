import { describe, expect, it } from 'vitest';
import type { RunId } from '../../src/domain/ids.ts';
import { fruitlessLives } from '../../src/workers/lives.ts';

const lives = async (...actions: readonly string[]): Promise<number> =>
  await fruitlessLives(
    {
      auditOf: async (runId) =>
        await Promise.resolve(actions.map((action) => ({ at: 0, runId, actor: 'a worker', action, detail: {} }))),
    },
    'r1' as RunId,
  );

describe('fruitlessLives', () => {
  it('counts how often in a row a run was taken up and nothing came of it', async () => {
    expect(await lives()).toBe(0);
    expect(await lives('run created')).toBe(0);
    expect(await lives('run created', 'run started')).toBe(1);
    expect(await lives('run created', 'run started', 'run resumed', 'run resumed')).toBe(3);
    expect(await lives('run created', 'run started', 'session started', 'run resumed')).toBe(1);
    expect(await lives('run started', 'run resumed', 'run handed back')).toBe(0);
  });
});
