import { describe, expect, it } from 'vitest';
import { symlinkStaysInside } from '../../src/domain/policy.ts';

describe('a symlink', () => {
  it.each([
    ['link', 'README.md'],
    ['a/b/link', '../../README.md'],
    ['a/link', './b/../c'],
    ['a/link', '..'],
  ])('at %s to %s stays inside', (path, target) => {
    expect(symlinkStaysInside(path, target)).toBe(true);
  });

  it.each([
    ['link', '/etc/passwd'],
    ['link', '..'],
    ['a/link', '../../outside'],
    ['a/link', 'b/../../../a/inside-again'],
    ['link', '.git/config'],
    ['a/link', '../.GIT/hooks'],
    ['link', String.raw`..\outside`],
    ['link', 'C:/outside'],
  ])('at %s to %s does not', (path, target) => {
    expect(symlinkStaysInside(path, target)).toBe(false);
  });
});
