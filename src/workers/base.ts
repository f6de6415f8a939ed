import path from 'node:path';
import { plantCommand } from '../git/lane-scripts.ts';
import { sealTreeCommand } from '../git/setup-scripts.ts';
import { countFiles, countChanges } from '../git/distance.ts';
import type { Furnishing, LaneBase } from '../runners/runner.ts';
import { placeOf } from './jobs.ts';
import type { RunScope } from './record.ts';

/** Below so many files an empty lane is filled in less time than a tree takes to be looked for. */
const WORTH_FILES = 1_000;

/** A tree that differs in more files is not near: at 0.2 ms a file, bringing it forward takes as long as a container. */
const NEAR_FILES = 1_000;

/** A tree with what a setup prepared is worth more steps: making it anew costs minutes. */
const NEAR_PREPARED_FILES = 10_000;

/** What a new lane of this run may start from: a prepared tree of its repository, near the tip of its branch. */
export function baseOf(scope: RunScope, session: string): LaneBase {
  const { mirror, held } = scope;
  const commit = held.run.tip;
  return {
    ...commonOf(scope, session),
    name: commit,
    nearest: async (names) => {
      const plain = names.filter((name) => /^[0-9a-f]+$/.test(name)).map((name) => ({ name, commit: name }));
      const nearest = await nearestOf(scope, plain, { commit, most: NEAR_FILES });
      if (nearest !== undefined) return nearest;
      return (await countFiles(mirror, commit)) < WORTH_FILES ? 'none' : undefined;
    },
    plant: (inside) => plantCommand({ ...inside, commit }),
  };
}

/**
 * The same for a run with a setup: a tree that holds what the setup of this key prepared. It is made at the commit of the default
 * branch that the run began from, never at one of the run's own, so that no agent has a hand in it.
 */
export function preparedBaseOf(
  scope: RunScope,
  session: string,
  prepared: { readonly key: string; readonly furnish: Furnishing['furnish'] },
): LaneBase {
  const { base } = scope.held.run;
  const { key, furnish } = prepared;
  return {
    ...commonOf(scope, session),
    name: `${key}-${base.sha}`,
    nearest: async (names) => {
      const alike = names.filter((name) => name.startsWith(`${key}-`));
      const known = alike.map((name) => ({ name, commit: name.slice(key.length + 1) }));
      return await nearestOf(scope, known, { commit: base.sha, most: NEAR_PREPARED_FILES });
    },
    plant: (inside) => plantCommand({ ...inside, commit: base.sha, branch: base.ref }),
    furnishing: { furnish, seal: (inside) => sealTreeCommand({ ...inside, commit: base.sha, key }) },
  };
}

function commonOf(scope: RunScope, session: string): Pick<LaneBase, 'owner' | 'limits' | 'group'> {
  const { owner, limits } = placeOf(scope, { purpose: 'plant', session });
  return { owner, limits, group: path.basename(scope.mirror.gitDir, '.git') };
}

async function nearestOf(
  { mirror }: RunScope,
  trees: readonly { readonly name: string; readonly commit: string }[],
  to: { readonly commit: string; readonly most: number },
): Promise<string | undefined> {
  const distances = await Promise.all(
    trees.map(async ({ name, commit }) => ({ name, files: await countChanges(mirror, commit, to.commit) })),
  );
  const [nearest] = distances
    .flatMap(({ name, files }) => (files === undefined || files > to.most ? [] : [{ name, files }]))
    .toSorted((a, b) => a.files - b.files);
  return nearest?.name;
}
