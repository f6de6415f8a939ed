import path from 'node:path';
import { plantCommand } from '../git/lane-scripts.ts';
import { countFiles, countChanges } from '../git/distance.ts';
import type { LaneBase } from '../runners/runner.ts';
import { placeOf } from './jobs.ts';
import type { RunScope } from './record.ts';

/** Below so many files an empty lane is filled in less time than a tree takes to be looked for. */
const WORTH_FILES = 1_000;

/** A tree that differs in more files is not near: at 0.2 ms a file, bringing it forward takes as long as a container. */
const NEAR_FILES = 1_000;

/** What a new lane of this run may start from: a prepared tree of its repository, near the tip of its branch. */
export function baseOf(scope: RunScope, session: string): LaneBase {
  const { mirror, held } = scope;
  const commit = held.run.tip;
  const { owner, limits } = placeOf(scope, { purpose: 'plant', session });
  return {
    owner,
    limits,
    group: path.basename(mirror.gitDir, '.git'),
    name: commit,
    nearest: async (names) => {
      const distances = await Promise.all(
        names.map(async (name) => ({ name, files: await countChanges(mirror, name, commit) })),
      );
      const [nearest] = distances
        .flatMap(({ name, files }) => (files === undefined || files > NEAR_FILES ? [] : [{ name, files }]))
        .toSorted((a, b) => a.files - b.files);
      if (nearest !== undefined) return nearest.name;
      return (await countFiles(mirror, commit)) < WORTH_FILES ? 'none' : undefined;
    },
    plant: (inside) => plantCommand({ ...inside, commit }),
  };
}
