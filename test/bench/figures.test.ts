import { expect, it } from 'vitest';
import { isMet, ratioOf, type Figure } from '../../bench/figure.ts';
import { withParts } from '../../bench/page.ts';
import { median, quantile } from '../../bench/statistics.ts';
import { markdownTable, plainTable } from '../../bench/table.ts';

const figure: Figure = { name: 'a thing', ours: 3, baseline: 2, unit: 'ms', target: { most: 1.5 }, note: 'by hand' };

it('holds a target against the ratio, and against the value where there is no baseline', () => {
  expect(ratioOf(figure)).toBe(1.5);
  expect(isMet(figure)).toBe(true);
  expect(isMet({ ...figure, ours: 3.1 })).toBe(false);
  expect(isMet({ ...figure, target: { least: 1.6 } })).toBe(false);
  expect(isMet({ ...figure, baseline: undefined, target: { most: 3 } })).toBe(true);
  expect(isMet({ ...figure, baseline: undefined, target: { most: 2 } })).toBe(false);
});

it('takes what could not be measured for missed', () => {
  expect(isMet({ ...figure, ours: Number.NaN })).toBe(false);
});

it('prints a line for each figure', () => {
  expect(plainTable([figure])).toMatch(/^figure .*\na thing +3 ms +2 ms +1\.5 +≤ 1\.5 +met$/);
  expect(markdownTable([{ ...figure, ours: 1234.5 }])).toContain(
    '| a thing | 1,235 ms | 2 ms | 617 | ≤ 1.5 | missed | by hand |',
  );
});

it('finds the middle and the tail, and says so when nothing was measured', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(quantile([...Array(100).keys()], 0.99)).toBe(99);
  expect(() => median([])).toThrow('nothing was measured');
});

it('puts what was measured into the page, and leaves what other runs put there', () => {
  const where = { date: 'today', commit: 'c2', cores: 2, memoryGib: 8, kernel: 'k', node: 'n', docker: 'd' };
  const measured = { where, isQuick: false, order: ['one', 'two', 'three'] };
  const first = withParts(
    'Before\n<!-- bench -->\nold\n<!-- /bench -->\nAfter\n',
    new Map([['two', [figure]]]),
    measured,
  );
  const page = withParts(first, new Map([['one', [{ ...figure, name: 'another thing' }]]]), {
    ...measured,
    where: { ...where, commit: 'c3' },
    isQuick: true,
  });

  expect(page).toMatch(/^Before\n<!-- bench -->\n\n### `one`\n/u);
  expect(page).toMatch(
    /commit c3.*--only one --quick`\.[^#]*\| another thing \|[^#]*### `two`\n[^#]*commit c2.*two`\./su,
  );
  expect(page).toMatch(/<!-- \/bench -->\nAfter\n$/u);
  expect(page).not.toContain('old');
});
