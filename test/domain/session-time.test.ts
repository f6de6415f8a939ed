import { expect, it } from 'vitest';
import { sessionWallMs } from '../../src/domain/playbook.ts';

it.each([
  ['the operator says how long', undefined, 60, 100, 60],
  ['a playbook may say less', 30, 60, 100, 30],
  ['or more', 90, 60, 100, 90],
  ['but not more than the operator allows', 500, 60, 100, 100],
  ['nor does anything else', undefined, 60, 40, 40],
])('how long a session may take: %s', (_, timeout, wallMs, mostWallMs, expected) => {
  expect(sessionWallMs(timeout === undefined ? {} : { timeout }, { wallMs, mostWallMs })).toBe(expected);
});
