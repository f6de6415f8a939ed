import type { IncomingMessage } from 'node:http';
import { authorOf, canSee, checkAccess } from './auth/access.ts';
import { authenticate } from './auth/authenticate.ts';
import { HttpError, notFound } from './errors.ts';
import { readJson } from './http.ts';
import { apiUrl, gitDirectory } from './hub.ts';
import type { Actor, Hub } from './hub.ts';
import { fullNameOf, repositoryByName } from './lookup.ts';
import type { RateLimits } from './rate-limits.ts';
import type { Match, Router } from './router.ts';
import type { Call, Reply, RepositoryRoute } from './routes.ts';
import { undecodable } from './auth/jwt.ts';
import { operationAt } from './unimplemented.ts';

/** What became of a REST request, for the reply and for the audit. */
export interface Handled {
  readonly reply: Reply;
  readonly operation: string | undefined;
  readonly actor: Actor;
  readonly body: unknown;
}

/** Answers one REST request. `url` is its address without the prefix `/api/v3`. Refusals are replies too: it does not reject. */
export async function handleRest(
  parts: { readonly hub: Hub; readonly router: Router; readonly limits: RateLimits },
  request: IncomingMessage,
  url: URL,
): Promise<Handled> {
  const { hub, router, limits } = parts;
  const method = request.method === 'HEAD' ? 'GET' : (request.method ?? 'GET');
  let actor: Actor = { kind: 'anonymous' };
  let body: unknown;
  let operation: string | undefined;
  let reply: Reply;
  try {
    body = await readJson(request);
    actor = authenticate(hub, request.headers.authorization);
    const path = byName(hub, url.pathname);
    const match = router.find(method, path);
    operation = match?.route.operation;
    if (match === undefined) throw await unmatched(method, path);
    const address = `${apiUrl(hub)}${url.pathname}`;
    const call = { hub, actor, params: match.params, query: url.searchParams, body, headers: request.headers, address };
    reply = await run(call, match, url);
  } catch (error) {
    reply = refusal(error);
  }
  limits.count(actor);
  return { reply: withLimits(reply, limits, actor), operation, actor, body };
}

// `/repositories/{id}/…` is `/repos/{owner}/{name}/…` by the id that never changes.
function byName(hub: Hub, path: string): string {
  const [, id, rest = ''] = /^\/repositories\/(\d+)(\/.*)?$/.exec(path) ?? [];
  if (id === undefined) return path;
  const repository = hub.world.repositories[Number(id)];
  if (repository === undefined) throw notFound();
  return `/repos/${fullNameOf(hub.world, repository)}${rest}`;
}

async function unmatched(method: string, path: string): Promise<HttpError> {
  const operation = await operationAt(method, path);
  if (operation === undefined) return notFound();
  return new HttpError(501, `The local GitHub does not implement ${operation} (${method} ${path}).`);
}

async function run(call: Call, match: Match, url: URL): Promise<Reply> {
  const { route } = match;
  if ('access' in route) return await runOnRepository(call, route, url);
  if (route.who === 'app' && call.actor.kind !== 'app') throw undecodable();
  if (route.who === 'installation' && call.actor.kind !== 'installation') {
    throw new HttpError(
      403,
      'You must authenticate with an installation access token in order to list repositories for an installation.',
    );
  }
  if (route.who === 'author') {
    if (call.actor.kind === 'installation') throw new HttpError(403, 'Resource not accessible by integration');
    authorOf(call.actor);
  }
  return await route.handle(call);
}

async function runOnRepository(call: Call, route: RepositoryRoute, url: URL): Promise<Reply> {
  const { hub, actor } = call;
  const { owner = '', repo = '' } = call.params;
  const found = repositoryByName(hub.world, `${owner}/${repo}`);
  if (found === undefined) throw notFound();
  const { repository } = found;
  checkAccess(hub, actor, repository, route.access);
  if (found.moved && canSee(hub, actor, repository)) return moved(call, route, repository.id, url);
  const repositoryCall = { ...call, repository, directory: gitDirectory(hub, repository) };
  if (route.method === 'GET') return await route.handle(repositoryCall);
  return await hub.lock(repository.id, async () => await route.handle(repositoryCall));
}

function moved(call: Call, route: RepositoryRoute, id: number, url: URL): Reply {
  const rest = url.pathname.split('/').slice(4).join('/');
  const location = `${apiUrl(call.hub)}/repositories/${id}${rest === '' ? '' : `/${rest}`}${url.search}`;
  return {
    status: route.method === 'GET' ? 301 : 307,
    body: { message: 'Moved Permanently', url: location, documentation_url: 'https://docs.github.com/rest' },
    headers: { location },
  };
}

/** The reply to something thrown: GitHub's refusal, or 500 for a fault of ours. */
export function refusal(error: unknown): Reply {
  if (error instanceof HttpError) return { status: error.status, body: error.body(), headers: error.headers };
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { status: 500, body: { message: `The local GitHub failed: ${message}`, status: '500' } };
}

function withLimits(reply: Reply, limits: RateLimits, actor: Actor): Reply {
  const { limit, remaining, used, reset } = limits.of(actor);
  return {
    ...reply,
    headers: {
      'x-ratelimit-limit': String(limit),
      'x-ratelimit-remaining': String(remaining),
      'x-ratelimit-used': String(used),
      'x-ratelimit-reset': String(reset),
      'x-ratelimit-resource': 'core',
      ...reply.headers,
    },
  };
}
