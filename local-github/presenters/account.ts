import { apiUrl } from '../hub.ts';
import type { Hub } from '../hub.ts';
import { accountById } from '../lookup.ts';
import type { Account } from '../state.ts';
import { nodeId } from './node-id.ts';

/** A JSON object on its way out. */
export type Payload = Readonly<Record<string, unknown>>;

/** `simple-user`: an account inside another resource. */
export function presentAccount(hub: Hub, account: Account): Payload {
  // A bot's login ends in `[bot]`, which its URLs write percent-encoded.
  const url = `${apiUrl(hub)}/users/${encodeURIComponent(account.login)}`;
  const kind = account.type === 'Bot' ? 'bot' : account.type === 'Organization' ? 'organization' : 'user';
  return {
    login: account.login,
    id: account.id,
    node_id: nodeId(kind, account.id),
    avatar_url: `${hub.url()}/_control/avatars/${account.id}.svg`,
    gravatar_id: '',
    url,
    html_url:
      account.type === 'Bot'
        ? `${hub.url()}/apps/${account.login.replace(/\[bot\]$/, '')}`
        : `${hub.url()}/${account.login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: account.type,
    user_view_type: 'public',
    site_admin: false,
  };
}

/** `simple-user` by id, or null for nobody. */
export function presentAccountId(hub: Hub, id: number | null): Payload | null {
  return id === null ? null : presentAccount(hub, accountById(hub.world, id));
}

/** `public-user`: what `GET /users/{login}` tells everybody. */
export function presentPublicUser(hub: Hub, account: Account): Payload {
  const owned = Object.values(hub.world.repositories).filter((repository) => repository.ownerId === account.id);
  return {
    ...presentAccount(hub, account),
    name: account.name,
    company: null,
    blog: '',
    location: null,
    email: null,
    hireable: null,
    bio: null,
    twitter_username: null,
    public_repos: owned.filter((repository) => !repository.private).length,
    public_gists: 0,
    followers: 0,
    following: 0,
    created_at: account.createdAt,
    updated_at: account.createdAt,
  };
}

/** `private-user`: what `GET /user` tells its owner. */
export function presentPrivateUser(hub: Hub, account: Account): Payload {
  const owned = Object.values(hub.world.repositories).filter((repository) => repository.ownerId === account.id);
  const closed = owned.filter((repository) => repository.private).length;
  return {
    ...presentPublicUser(hub, account),
    private_gists: 0,
    total_private_repos: closed,
    owned_private_repos: closed,
    disk_usage: 0,
    collaborators: 0,
    two_factor_authentication: true,
  };
}
