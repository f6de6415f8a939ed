import type { IncomingMessage, ServerResponse } from 'node:http';
import { canSee, grants, reaches } from './auth/access.ts';
import { authenticate } from './auth/authenticate.ts';
import { HttpError } from './errors.ts';
import { serveGit } from './git/http-backend.ts';
import { readRefs } from './git/ref-files.ts';
import { compareRefs } from './git/refs.ts';
import { gitDirectory } from './hub.ts';
import type { Actor, Hub } from './hub.ts';
import { atLeast, fullNameOf, repositoryByName, roleOf } from './lookup.ts';
import { refChanged } from './ref-changed.ts';
import type { Repository } from './state.ts';

/** A path of git's smart HTTP: whose repository and which service. */
export interface GitPath {
  readonly fullName: string;
  readonly service: string;
}

/** Recognises `/{owner}/{repo}.git/info/refs` and its two siblings; `.git` may be left out, as on GitHub. */
export function gitPathOf(path: string): GitPath | undefined {
  const match = /^\/([^/]+)\/([^/]+?)(?:\.git)?\/(info\/refs|git-upload-pack|git-receive-pack)$/.exec(path);
  if (match === null) return undefined;
  return { fullName: `${match[1] ?? ''}/${match[2] ?? ''}`, service: match[3] ?? '' };
}

/** Answers one request of a git client. Resolves to who asked and the status sent. */
export async function handleGit(
  hub: Hub,
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly url: URL;
    readonly path: GitPath;
    /** Does everything, then ends the connection without a reply. */
    readonly cut: boolean;
  },
): Promise<{ readonly actor: Actor; readonly status: number }> {
  const { request, response, url, path } = exchange;
  const pushes = path.service === 'git-receive-pack' || url.searchParams.get('service') === 'git-receive-pack';
  let actor: Actor = { kind: 'anonymous' };
  try {
    actor = authenticateGit(hub, request.headers.authorization);
    const repository = admit(hub, actor, path.fullName, pushes);
    const status = await serve(hub, { ...exchange, repository, actor });
    return { actor, status };
  } catch (error) {
    const status = refuse(request, response, error);
    return { actor, status };
  }
}

function authenticateGit(hub: Hub, header: string | undefined): Actor {
  try {
    return authenticate(hub, header);
  } catch (error) {
    if (error instanceof HttpError && error.status === 403) throw error;
    throw new HttpError(
      401,
      'Invalid username or token. Password authentication is not supported for Git operations.',
      { headers: CHALLENGE },
    );
  }
}

const CHALLENGE = { 'www-authenticate': 'Basic realm="GitHub"' };

/** The repository, if the caller may do this there. Throws with what git shows after `remote:`. */
function admit(hub: Hub, actor: Actor, fullName: string, pushes: boolean): Repository {
  const found = repositoryByName(hub.world, fullName)?.repository;
  if (actor.kind === 'anonymous' && (pushes || found === undefined || found.private)) {
    throw new HttpError(401, 'No anonymous write access.', { headers: CHALLENGE });
  }
  if (found === undefined || !canSee(hub, actor, found)) throw new HttpError(404, 'Repository not found.');
  if (actor.kind === 'app') throw new HttpError(403, `Permission to ${fullName} denied to ${hub.world.app.slug}.`);
  if (actor.kind === 'user' && pushes && !atLeast(roleOf(hub.world, found, actor.account.id), 'write')) {
    throw new HttpError(403, `Permission to ${fullNameOf(hub.world, found)}.git denied to ${actor.account.login}.`);
  }
  if (actor.kind === 'installation') admitInstallation(hub, actor, found, pushes);
  return found;
}

function admitInstallation(
  hub: Hub,
  actor: Extract<Actor, { readonly kind: 'installation' }>,
  repository: Repository,
  pushes: boolean,
): void {
  const reached = reaches(hub, actor, repository);
  const { permissions } = actor.token;
  if (pushes && !(reached && grants(permissions, 'contents', 'write'))) {
    throw reached && !grants(permissions, 'contents', 'write')
      ? new HttpError(403, 'Write access to repository not granted.')
      : new HttpError(403, `Permission to ${fullNameOf(hub.world, repository)}.git denied to ${actor.account.login}.`);
  }
  if (!pushes && repository.private && !grants(permissions, 'contents', 'read')) {
    throw new HttpError(403, 'Resource not accessible by integration');
  }
}

async function serve(
  hub: Hub,
  exchange: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly url: URL;
    readonly path: GitPath;
    readonly cut: boolean;
    readonly repository: Repository;
    readonly actor: Actor;
  },
): Promise<number> {
  const { request, response, url, path, cut, repository, actor } = exchange;
  const directory = gitDirectory(hub, repository);
  const author = actor.kind === 'user' || actor.kind === 'installation' ? actor : undefined;
  const options = {
    directory,
    service: path.service,
    query: url.search.slice(1),
    user: author?.account.login,
    ...(cut ? { beforeEnd: async () => void request.socket.destroy() } : {}),
  };
  if (path.service !== 'git-receive-pack' || author === undefined) return await serveGit(request, response, options);
  return await hub.lock(repository.id, async () => {
    const before = await readRefs(directory);
    const mayWorkflows = author.kind === 'user' || grants(author.token.permissions, 'workflows', 'write');
    return await serveGit(request, response, {
      ...options,
      ...(mayWorkflows ? {} : { environment: { LOCAL_GITHUB_NO_WORKFLOWS: '1' } }),
      beforeEnd: async () => {
        for (const change of compareRefs(before, await readRefs(directory))) {
          await refChanged(hub, repository, change, { author, via: 'git' });
        }
        if (cut) request.socket.destroy();
      },
    });
  });
}

function refuse(request: IncomingMessage, response: ServerResponse, error: unknown): number {
  request.resume();
  if (response.headersSent) {
    response.destroy();
    return 500;
  }
  const status = error instanceof HttpError ? error.status : 500;
  const message = error instanceof Error ? error.message : String(error);
  const headers = error instanceof HttpError ? error.headers : {};
  // git prints the body after `remote:` only when it is plain text.
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8', ...headers }).end(`${message}\n`);
  return status;
}
