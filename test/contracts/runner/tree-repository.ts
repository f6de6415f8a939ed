import { execFileSync } from 'node:child_process';
import { plantCommand, prepareCommand } from '../../../src/git/lane-scripts.ts';
import type { LaneBase, LaneRef, Runner } from '../../../src/runners/runner.ts';
import * as h from './harness.ts';

const COMMITTER = 'committer A <a@b> 1700000000 +0000\ndata 1\nx\n';

/** Makes a directory a bare repository with 30 files, `d/0` to `d/29`. Gives its commit. */
export function fillMirror(mirror: string): string {
  execFileSync('git', ['init', '--quiet', '--bare', mirror]);
  const files = Array.from({ length: 30 }, (_, at) => `M 100644 inline d/${at}\ndata 3\n${String(at).padStart(3)}\n`);
  return commitTo(mirror, files.join(''));
}

/** Adds a commit of changes in the words of `git fast-import`, after another. Gives it. */
export function commitTo(mirror: string, changes: string, after?: string): string {
  const input = `commit refs/heads/main\n${COMMITTER}${after === undefined ? '' : `from ${after}\n`}${changes}`;
  execFileSync('git', ['-C', mirror, 'fast-import', '--quiet'], { input });
  return execFileSync('git', ['-C', mirror, 'rev-parse', 'main'], { encoding: 'utf8' }).trim();
}

/** What a lane starts from: the first tree there is, or a new one of a commit. */
export function treeBase(
  commit: string,
  nearest: (names: readonly string[]) => string | undefined = (names) => names[0],
): LaneBase {
  return {
    owner: h.owner(),
    limits: h.GENEROUS,
    group: '1',
    name: commit,
    nearest: async (names) => nearest(names),
    plant: (inside) => plantCommand({ ...inside, commit }),
  };
}

/** Brings a lane's working copy to a commit, as the worker does. */
export async function prepareOn(
  runner: Runner,
  lane: LaneRef,
  to: { readonly commit: string; readonly isFresh: boolean },
): Promise<h.Told> {
  return await h.tend(runner, { argv: prepareCommand({ ...runner.inside(lane), branch: 'maestro/x', ...to }), lane });
}
