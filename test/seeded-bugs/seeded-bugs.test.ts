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

it('notices two of them in a copy of the source, and passes without (the rest: npm run test:seeded-bugs)', async () => {
  await using copy = await copySource();
  const quick = SEEDED_BUGS.filter(({ file }) => file === 'src/domain/policy.ts' || file === 'src/forge/redact.ts');
  const verdicts = [];
  for (const bug of quick) {
    const { passed, failed } = await copy.test(bug);
    await using planted = await copy.plant(bug);
    void planted;
    verdicts.push({ soundPasses: passed > 0 && failed === 0, bugFails: (await copy.test(bug)).failed > 0 });
  }

  expect(verdicts).toEqual([
    { soundPasses: true, bugFails: true },
    { soundPasses: true, bugFails: true },
  ]);
}, 120_000);
