import { apiUrl } from '../hub.ts';
import type { Hub } from '../hub.ts';
import { accountById } from '../lookup.ts';
import type { Installation } from '../state.ts';
import { presentAccount, presentAccountId } from './account.ts';
import type { Payload } from './account.ts';
import { nodeId } from './node-id.ts';

/** `integration`: the App. */
export function presentApp(hub: Hub): Payload {
  const { app } = hub.world;
  return {
    id: app.id,
    slug: app.slug,
    node_id: nodeId('app', app.id),
    client_id: `Iv23li${String(app.id).padStart(14, '0')}`,
    owner: presentAccount(hub, accountById(hub.world, app.ownerId)),
    name: app.name,
    description: '',
    external_url: hub.url(),
    html_url: `${hub.url()}/apps/${app.slug}`,
    created_at: app.createdAt,
    updated_at: app.createdAt,
    permissions: app.permissions,
    events: app.events,
  };
}

/** `installation`: where an account has installed the App. */
export function presentInstallation(hub: Hub, installation: Installation): Payload {
  const account = accountById(hub.world, installation.accountId);
  return {
    id: installation.id,
    client_id: `Iv23li${String(hub.world.app.id).padStart(14, '0')}`,
    account: presentAccount(hub, account),
    repository_selection: installation.repositorySelection,
    access_tokens_url: `${apiUrl(hub)}/app/installations/${installation.id}/access_tokens`,
    repositories_url: `${apiUrl(hub)}/installation/repositories`,
    html_url: `${hub.url()}/settings/installations/${installation.id}`,
    app_id: hub.world.app.id,
    app_slug: hub.world.app.slug,
    target_id: account.id,
    target_type: account.type,
    permissions: installation.permissions,
    events: hub.world.app.events,
    created_at: installation.createdAt,
    updated_at: installation.updatedAt,
    single_file_name: null,
    has_multiple_single_files: false,
    single_file_paths: [],
    suspended_by: presentAccountId(hub, installation.suspendedById),
    suspended_at: installation.suspendedAt,
  };
}
