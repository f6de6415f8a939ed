import type { IncomingHttpHeaders } from 'node:http';
import type { Access } from './auth/access.ts';
import type { Actor, Hub } from './hub.ts';
import type { Repository } from './state.ts';

/** A request that was matched, authenticated and let in. */
export interface Call {
  readonly hub: Hub;
  readonly actor: Actor;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: unknown;
  readonly headers: IncomingHttpHeaders;
  /** Address of the request without its query, for `Link` headers. */
  readonly address: string;
}

/** A call on a repository. */
export interface RepositoryCall extends Call {
  readonly repository: Repository;
  /** The bare git repository. */
  readonly directory: string;
}

/** `body` is sent as JSON, `raw` as it is. */
export interface Reply {
  readonly status: number;
  readonly body?: unknown;
  readonly raw?: { readonly content: Buffer; readonly type: string };
  readonly headers?: Readonly<Record<string, string>>;
}

export type Route = RepositoryRoute | PlainRoute;

interface RouteBase {
  readonly method: string;
  /** As in GitHub's document: `{name}` is one path segment, `{name+}` is one or more. */
  readonly path: string;
  /** Operation id in GitHub's OpenAPI document. */
  readonly operation: string;
}

/** An operation below `/repos/{owner}/{repo}`; other methods than GET hold the repository's lock. */
export interface RepositoryRoute extends RouteBase {
  readonly access: Access;
  readonly handle: (call: RepositoryCall) => Reply | Promise<Reply>;
}

/** Any other operation: `app` needs the App's JWT, `installation` its token, `author` anybody known, `any` nothing. */
export interface PlainRoute extends RouteBase {
  readonly who: 'app' | 'installation' | 'author' | 'any';
  readonly handle: (call: Call) => Reply | Promise<Reply>;
}

/** An operation on a repository, from `METHOD /path` below `/repos/{owner}/{repo}`. */
export function onRepository(
  request: string,
  operation: string,
  access: Access,
  handle: RepositoryRoute['handle'],
): RepositoryRoute {
  const [method = '', path = ''] = request.split(' ');
  return { method, path: `/repos/{owner}/{repo}${path}`, operation, access, handle };
}

/** An operation that is not about one repository, from `METHOD /path`. */
export function plain(
  request: string,
  operation: string,
  who: PlainRoute['who'],
  handle: PlainRoute['handle'],
): PlainRoute {
  const [method = '', path = ''] = request.split(' ');
  return { method, path, operation, who, handle };
}
