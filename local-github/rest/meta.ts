import { apiUrl } from '../hub.ts';
import { plain } from '../routes.ts';
import type { Route } from '../routes.ts';
import type { RateLimits } from '../rate-limits.ts';

/** What is about the server rather than about anything on it. */
export function metaRoutes(limits: RateLimits): readonly Route[] {
  return [
    plain('GET /rate_limit', 'rate-limit/get', 'any', (call) => {
      const core = limits.of(call.actor);
      const none = { limit: 30, remaining: 30, used: 0, reset: core.reset };
      return { status: 200, body: { resources: { core, search: none, graphql: core }, rate: core } };
    }),
    plain('GET /meta', 'meta/get', 'any', () => ({
      status: 200,
      body: { verifiable_password_authentication: false, hooks: ['127.0.0.1/32'], git: ['127.0.0.1/32'] },
    })),
    plain('GET /', 'meta/root', 'any', (call) => ({
      status: 200,
      body: { current_user_url: `${apiUrl(call.hub)}/user`, rate_limit_url: `${apiUrl(call.hub)}/rate_limit` },
    })),
  ];
}
