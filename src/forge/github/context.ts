import type { Actor, Repository } from '../../domain/repository.ts';
import type { GithubClient } from './client.ts';
import type { Serially } from './ensure.ts';

/** What every verb of the forge is made from. */
export interface ForgeContext {
  readonly client: GithubClient;
  readonly serially: Serially;
  /** Takes known secrets out of a text before it is sent. */
  readonly redact: (text: string) => string;
  readonly markerSecret: string;
  /** The App's bot account and numeric id. A repository it can reach saves a request. */
  readonly identity: (repository?: Repository) => Promise<Identity>;
}

export interface Identity {
  readonly bot: Actor;
  readonly appId: number;
}
