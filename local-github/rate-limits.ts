import { actorName } from './auth/authenticate.ts';
import type { ServerClock } from './clock.ts';
import type { Actor } from './hub.ts';

/** As `rate_limit` shows it; `reset` is in seconds since 1970. */
interface RateLimit {
  readonly limit: number;
  readonly remaining: number;
  readonly used: number;
  readonly reset: number;
}

/** Counts requests an hour for each caller. Never refuses by itself: faults do. */
export interface RateLimits {
  of(actor: Actor): RateLimit;
  count(actor: Actor): void;
}

const HOUR = 3600;
// GitHub's hourly limits: with a token, and without.
const WITH_TOKEN = 5000;
const WITHOUT = 60;

/** Limits by the server's clock. */
export function createRateLimits(clock: ServerClock): RateLimits {
  const windows = new Map<string, { used: number; reset: number }>();

  function windowOf(actor: Actor): { used: number; reset: number } {
    const name = actorName(actor);
    const seconds = Math.floor(clock.now() / 1000);
    const known = windows.get(name);
    if (known !== undefined && known.reset > seconds) return known;
    const fresh = { used: 0, reset: seconds + HOUR };
    windows.set(name, fresh);
    return fresh;
  }

  return {
    of(actor) {
      const { used, reset } = windowOf(actor);
      const limit = actor.kind === 'anonymous' ? WITHOUT : WITH_TOKEN;
      return { limit, used, remaining: Math.max(0, limit - used), reset };
    },
    count(actor) {
      windowOf(actor).used += 1;
    },
  };
}
