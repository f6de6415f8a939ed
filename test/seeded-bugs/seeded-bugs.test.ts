import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SEEDED_BUGS } from './bugs.ts';
import { copySource, withBug } from './copy.ts';

const ROOT = join(import.meta.dirname, '../..');

describe.each(SEEDED_BUGS)('$name', (bug) => {
  it('can be put into the source as it is', () => {
    const source = readFileSync(join(ROOT, bug.file), 'utf8');

    expect(withBug(source, bug)).not.toBe(source);
  });
});

it('says so when the source has changed under a bug', () => {
  const [bug] = SEEDED_BUGS;

  expect(() => withBug('something else', bug!)).toThrow('0 times, not once');
});

// That the same tests pass without the bugs, this very run of the suite shows. All twelve: npm run test:seeded-bugs
it.each(['src/domain/policy.ts', 'src/forge/redact.ts'])(
  'a bug in %s is caught in a copy of the source',
  async (file) => {
    await using copy = await copySource();
    const bug = SEEDED_BUGS.find((one) => one.file === file);
    await using planted = await copy.plant(bug!);
    void planted;

    expect(await copy.test(bug!)).toMatchObject({ failed: expect.toSatisfy((count: number) => count > 0) as number });
  },
  120_000,
);
