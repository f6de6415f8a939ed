import type { Clock } from '../../domain/clock.ts';
import type { Repository } from '../../domain/repository.ts';
import { ForgeError } from '../forge.ts';
import { asApp } from './as-app.ts';
import type { GithubClient } from './client.ts';
import type { Identity } from './context.ts';
import type { Transport } from './transport.ts';

export interface IdentityDeps {
  readonly transport: Transport;
  readonly client: GithubClient;
  readonly clock: Clock;
}

/** Makes the function that says who the App is on GitHub; asked once, since neither id ever changes. */
export function createIdentity(deps: IdentityDeps): (repository?: Repository) => Promise<Identity> {
  let known: Promise<Identity> | undefined;
  return (repository) => {
    const asked = known ?? look(deps, repository);
    known = asked;
    asked.catch(() => {
      if (known === asked) known = undefined;
    });
    return asked;
  };
}

async function look(deps: IdentityDeps, repository: Repository | undefined): Promise<Identity> {
  const app = await asApp(deps, 'read who the App is', () => deps.transport.asApp.rest.apps.getAuthenticated());
  if (app === null) throw new ForgeError('denied', 'could not read who the App is: GitHub does not accept its key');
  const login = `${app.slug ?? ''}[bot]`;
  // A JWT may not ask for users, and anonymous requests are limited or refused: any installation's token will do.
  const installationId = repository?.installationId ?? (await anyInstallation(deps));
  const { data: user } = await deps.client.send({ installationId }, 'self', `read user ${login}`, (github) =>
    github.rest.users.getByUsername({ username: login }),
  );
  return { bot: { id: user.id, login: user.login }, appId: app.id };
}

async function anyInstallation(deps: IdentityDeps): Promise<number> {
  const what = 'find an installation of the App';
  const installations = await asApp(deps, what, () =>
    deps.transport.asApp.rest.apps.listInstallations({ per_page: 1 }),
  );
  const first = installations[0];
  if (first === undefined)
    throw new ForgeError('gone', 'the App is not installed anywhere yet: install it on a repository');
  return first.id;
}
