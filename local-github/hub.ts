import { join } from 'node:path';
import type { ServerClock } from './clock.ts';
import type { Faults } from './faults.ts';
import type { HookQueue } from './hooks.ts';
import type { Lock } from './lock.ts';
import type { Account, InstallationToken, Repository, World } from './state.ts';
import type { Audit } from './audit.ts';

/** What every part of the server works on. */
export interface Hub {
  readonly world: World;
  readonly clock: ServerClock;
  /** One writer at a time per repository, git pushes included. */
  readonly lock: Lock;
  readonly hooks: HookQueue;
  readonly faults: Faults;
  readonly audit: Audit;
  readonly dataDirectory: string;
  /** `http://127.0.0.1:PORT`, known once the server listens. */
  url(): string;
}

/** Who asks: a person, the App's bot through an installation token, the App itself, or nobody. */
export type Actor =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'app' }
  | { readonly kind: 'user'; readonly account: Account }
  | { readonly kind: 'installation'; readonly account: Account; readonly token: InstallationToken };

/** Somebody with an account: who can be an author or a sender. */
export type Author = Extract<Actor, { readonly account: Account }>;

/** Where a repository's bare git directory is. */
export function gitDirectory(hub: Pick<Hub, 'dataDirectory'>, repository: Repository): string {
  return join(hub.dataDirectory, 'git', `${repository.id}.git`);
}

/** Base URL of REST, as in the `url` fields of payloads. */
export function apiUrl(hub: Pick<Hub, 'url'>): string {
  return `${hub.url()}/api/v3`;
}
