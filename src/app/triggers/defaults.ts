import { SETTINGS_FILE } from '../../domain/defaults.ts';
import { renderDefaultsCheck } from '../../domain/report/problems.ts';
import type { PushEvent } from '../../domain/webhook.ts';
import { isRemembered, readVersion, rememberGood } from '../defaults.ts';
import type { AppDeps } from '../deps.ts';

/**
 * Looks at the defaults a push to the default branch leaves: a version without problems is remembered before any run needs it, one with
 * problems gets a check on its commit, once. Whoever pushed it, it is what counts. Returns what to note of it.
 */
export async function lookAtDefaults(deps: AppDeps, push: PushEvent): Promise<readonly string[]> {
  const { forge, store, clock } = deps;
  const { repository, after } = push;
  const version = await readVersion(forge, repository, after);
  if (version === undefined || version.problems.length === 0) {
    if (await isRemembered(deps, repository, version)) return [];
    // Events come in any order (fault F06): an older version is nothing to go back to.
    if ((await forge.branchHead(repository, repository.defaultBranch)) === after)
      await rememberGood(deps, repository, version);
    return [];
  }
  const name = `defaults-told/${repository.id}`;
  if ((await store.findMarks([name])).get(name)?.value === version.blob) return [];
  const check = { key: 'defaults', name: `Maestro: ${SETTINGS_FILE}`, headSha: after };
  await forge.ensureCheck(repository, { ...check, ...renderDefaultsCheck(version.problems) });
  await store.setMark(name, { value: version.blob, at: clock.now() });
  return [`told of problems in ${SETTINGS_FILE}`];
}
