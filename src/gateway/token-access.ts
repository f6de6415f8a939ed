import type { Clock } from '../domain/clock.ts';
import type { Access } from './access.ts';

/** A token that runs out. */
export interface Token {
  readonly value: string;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Milliseconds before its end from which on a token is renewed: a request made with it must still be accepted. */
export const EARLY_MS = 5 * 60_000;

/** Authorizes with a bearer token that is fetched when it is needed, by one at a time, and used until shortly before its end. */
export function tokenAccess(options: {
  /** Rejects with `AccessError`. */
  readonly fetchToken: () => Promise<Token>;
  readonly clock: Clock;
}): Access {
  let known: Token | undefined;
  let fetching: Promise<Token> | undefined;

  async function fetchOnce(): Promise<Token> {
    fetching ??= options.fetchToken().finally(() => (fetching = undefined));
    known = await fetching;
    return known;
  }

  return {
    needsBody: false,
    async authorize() {
      const isFresh = known !== undefined && known.expiresAt - EARLY_MS > options.clock.now();
      const { value } = isFresh && known !== undefined ? known : await fetchOnce();
      return { headers: { authorization: `Bearer ${value}` }, secrets: [value] };
    },
    refused() {
      known = undefined;
    },
  };
}
