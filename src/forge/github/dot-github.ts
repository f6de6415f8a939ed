import type { Clock } from '../../domain/clock.ts';
import type { Repository } from '../../domain/repository.ts';
import type { Forge } from '../forge.ts';
import { isKind, type GithubClient } from './client.ts';

/** How long it is believed that an owner has such a repository, or has none. Milliseconds. */
const TTL_MS = 60_000;

/** The repository that is an organisation's own. */
const NAME = '.github';

/** Makes the verb that finds an owner's repository `.github`. */
export function createDotGithub(deps: {
  readonly client: Pick<GithubClient, 'send' | 'current'>;
  readonly clock: Clock;
}): Forge['dotGithub'] {
  const { client, clock } = deps;
  const known = new Map<string, { readonly found: Repository | undefined; readonly until: number }>();

  return async (repository) => {
    const { installationId, owner } = repository;
    const key = `${installationId}/${owner.toLowerCase()}`;
    const before = known.get(key);
    if (before !== undefined && before.until > clock.now()) return before.found;
    const found = await find(repository);
    known.set(key, { found, until: clock.now() + TTL_MS });
    return found;
  };

  async function find({ installationId, owner }: Repository): Promise<Repository | undefined> {
    try {
      const { data } = await client.send({ installationId }, 'self', `look for ${owner}/${NAME}`, (github) =>
        github.rest.repos.get({ owner, repo: NAME }),
      );
      const { id, name, default_branch: defaultBranch } = data;
      if (name.toLowerCase() !== NAME || data.owner.login.toLowerCase() !== owner.toLowerCase()) return undefined;
      // A public one is seen without being installed on. A token for it alone tells whether it is.
      return await client.current({ id, owner: data.owner.login, name, installationId, defaultBranch });
    } catch (error) {
      if (isKind(error, 'gone')) return undefined;
      throw error;
    }
  }
}
