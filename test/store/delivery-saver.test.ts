import { expect, it } from 'vitest';
import type { Database } from '../../src/store/database.ts';
import { createDeliverySaver } from '../../src/store/delivery-saver.ts';

/** A database that takes every statement but one that holds a delivery called `bad`. */
async function query(_sql: string, params: readonly unknown[] = []) {
  const guids = params[0] as readonly string[];
  if (guids.includes('bad')) throw new Error('refused');
  return await Promise.resolve({ rows: guids.map((guid) => ({ guid })) });
}

it('saves the others of a batch when the database refuses one, and tells its sender alone', async () => {
  const save = createDeliverySaver({ query } as unknown as Database);

  const answers = await Promise.allSettled(
    ['a', 'b', 'bad', 'c'].map((guid) => save({ guid, event: 'push', action: undefined, body: '{}', receivedAt: 0 })),
  );

  expect(answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : 'refused'))).toEqual([
    'saved',
    'saved',
    'refused',
    'saved',
  ]);
});
