import { ForgeError, type AppFacts, type Registration } from '../forge.ts';
import { asApp } from './as-app.ts';
import type { IdentityDeps } from './identity.ts';

/** Makes the verbs that say how the App is registered. They need no installation. */
export function createRegistration(deps: IdentityDeps): Registration {
  const { asApp: github } = deps.transport;

  async function registration(): Promise<AppFacts> {
    const what = 'read how the App is registered';
    return await asApp(deps, what, async () => {
      const { data: app, headers } = await github.rest.apps.getAuthenticated();
      if (app === null) throw new ForgeError('denied', `could not ${what}: GitHub does not accept its key`);
      const { data: hook } = await github.rest.apps.getWebhookConfigForApp();
      const { data: installations } = await github.rest.apps.listInstallations({ per_page: 100 });
      return {
        data: {
          name: app.name,
          permissions: levels(app.permissions),
          events: app.events,
          webhook: {
            url: hook.url,
            contentType: hook.content_type,
            verifiesTls: String(hook.insecure_ssl ?? '0') === '0',
          },
          installations: installations.map((one) => ({
            id: one.id,
            account: accountOf(one.account),
            suspended: one.suspended_at !== null,
            permissions: levels(one.permissions),
          })),
          clockAhead: headers.date === undefined ? undefined : deps.clock.now() - Date.parse(headers.date),
        },
      };
    });
  }

  return { registration };
}

function levels(permissions: object): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(permissions).filter(([, level]) => typeof level === 'string'));
}

function accountOf(account: object | null): string {
  if (account === null) return 'somebody who is gone';
  if ('login' in account) return String(account.login);
  return 'slug' in account ? String(account.slug) : 'an enterprise';
}
