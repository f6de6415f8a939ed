import { expect, it } from 'vitest';
import { git, GitError } from '../../src/git/plumbing.ts';

it.each([
  ['fatal: write error: No space left on device', 128, true],
  ["fatal: unable to create temporary file '/x': Too many open files", 128, true],
  ['git could not be started', undefined, true],
  ['fatal: early EOF', 128, false],
  ['error: inflate: data stream error (incorrect header check)', 128, false],
])('git that says %j with code %s failed because of the machine: %s', (stderr, code, isMachines) => {
  expect(new GitError(['index-pack'], { stderr, code }).isMachines).toBe(isMachines);
});

it('gives what git said and its exit code', async () => {
  const failed = git('/nowhere.git', ['rev-parse', 'HEAD']);
  await expect(failed).rejects.toThrow(/git rev-parse failed with exit code 128: .*not a git repository/);
  await expect(failed).rejects.toMatchObject({ isMachines: false });
});
