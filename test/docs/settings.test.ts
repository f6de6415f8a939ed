import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { configKeys } from '../../src/config.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/settings.md'), 'utf8');

/** Rows of the page's tables: the key in the first column, its default in the second. */
const rows = [...page.matchAll(/^\| `([A-Z][A-Z0-9_]*)` \| ([^|]*) \|/gm)].map(([, key = '', standard = '']) => ({
  key,
  standard,
}));

it('lists every setting once, and none that does not exist', () => {
  const listed = rows.map(({ key }) => key).toSorted();

  expect(listed).toEqual(
    configKeys()
      .map(({ key }) => key)
      .toSorted(),
  );
});

it('says of the same settings as the program that they are required', () => {
  const said = rows.filter(({ standard }) => standard === '**required**').map(({ key }) => key);

  expect(said.toSorted()).toEqual(
    configKeys()
      .filter(({ required }) => required)
      .map(({ key }) => key)
      .toSorted(),
  );
});
