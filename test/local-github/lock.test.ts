import { expect, it } from 'vitest';
import { createLock } from '../../local-github/lock.ts';

it('runs what has one key in order, each after the last has ended, failed or not', async () => {
  const lock = createLock();
  const seen: string[] = [];
  const task =
    (name: string, fails = false) =>
    async () => {
      seen.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    };
  const results = await Promise.allSettled([lock(1, task('a', true)), lock(1, task('b')), lock(1, task('c'))]);
  expect(seen).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  expect(results.map((result) => result.status)).toEqual(['rejected', 'fulfilled', 'fulfilled']);
});

it('lets other keys go on meanwhile', async () => {
  const lock = createLock();
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = lock('one', async () => await promise);
  await expect(lock('other', async () => 'done')).resolves.toBe('done');
  resolve();
  await first;
});
