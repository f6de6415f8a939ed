import { execFileSync } from 'node:child_process';
import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { branchName } from '../../src/domain/branch.ts';
import { runIdFor } from '../../src/domain/ids.ts';

const runId = runIdFor('x');

it('names a branch after the title', () => {
  expect(branchName({ title: 'Füge den Cache hinzu (schnell!)', runId })).toMatch(
    /^maestro\/fuge-den-cache-hinzu-schnell-[a-z2-7]{7}$/u,
  );
  expect(branchName({ title: '日本語', runId })).toMatch(/^maestro\/run-/u);
});

it('cuts the slug to 40 characters without a hyphen at its end', () => {
  expect(branchName({ title: `${'a'.repeat(39)} b`, runId })).toMatch(/^maestro\/a{39}-[a-z2-7]{7}$/u);
});

it('names a branch git accepts, for any title', () => {
  const titles = fc.sample(fc.oneof(fc.string({ unit: 'binary' }), fc.string()), 20);
  for (const title of [...titles, '..', 'a.lock', '@{', '-', '/', '~^:?*[\\', 'x\u0000y']) {
    const branch = branchName({ title, runId });

    expect(branch).toMatch(/^maestro\/[a-z0-9-]{1,40}-[a-z2-7]{7}$/u);
    execFileSync('git', ['check-ref-format', '--branch', branch], { stdio: 'pipe' });
  }
});
