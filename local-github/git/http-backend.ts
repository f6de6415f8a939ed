import { spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, basename } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { GIT_ENVIRONMENT } from './process.ts';

/** One request to git's own CGI program. */
export interface BackendRequest {
  readonly directory: string;
  /** `info/refs`, `git-upload-pack` or `git-receive-pack`. */
  readonly service: string;
  readonly query: string;
  /** Who pushes, for git's hooks. */
  readonly user: string | undefined;
  readonly environment?: Readonly<Record<string, string>>;
  /** Runs when git is done and before the reply ends. */
  readonly beforeEnd?: () => Promise<void>;
}

/** Lets `git http-backend` answer a request. Resolves to the status sent. Rejects if the program can't be started. */
export async function serveGit(
  request: IncomingMessage,
  response: ServerResponse,
  options: BackendRequest,
): Promise<number> {
  const child = spawn('git', ['http-backend'], {
    env: environmentOf(request, options),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const closed = new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve());
  });
  // Unread stderr would fill its pipe; what matters of it reaches the client through the side band.
  child.stderr.resume();
  // git stops reading when it refuses, and a client may hang up: neither is an error of the server.
  const fed = pipeline(request, child.stdin).catch(() => undefined);
  response.on('close', () => {
    if (!response.writableFinished) child.stdin.destroy();
  });
  const status = await relay(child.stdout, response, options.beforeEnd !== undefined);
  await closed;
  await options.beforeEnd?.();
  response.end(status.rest);
  await Promise.race([fed, closed]);
  return status.status;
}

function environmentOf(request: IncomingMessage, options: BackendRequest): Record<string, string | undefined> {
  const { headers } = request;
  return {
    PATH: process.env['PATH'],
    ...GIT_ENVIRONMENT,
    GIT_PROJECT_ROOT: dirname(options.directory),
    GIT_HTTP_EXPORT_ALL: '1',
    PATH_INFO: `/${basename(options.directory)}/${options.service}`,
    QUERY_STRING: options.query,
    REQUEST_METHOD: request.method ?? 'GET',
    CONTENT_TYPE: headers['content-type'] ?? '',
    REMOTE_ADDR: '127.0.0.1',
    ...(headers['content-length'] === undefined ? {} : { CONTENT_LENGTH: headers['content-length'] }),
    ...(headers['content-encoding'] === undefined ? {} : { HTTP_CONTENT_ENCODING: headers['content-encoding'] }),
    ...(typeof headers['git-protocol'] === 'string' ? { GIT_PROTOCOL: headers['git-protocol'] } : {}),
    ...(options.user === undefined ? {} : { REMOTE_USER: options.user }),
    ...options.environment,
  };
}

/** Sends CGI output on; with `hold` the body is given back instead, to be sent once everything has happened. */
async function relay(
  output: AsyncIterable<unknown>,
  response: ServerResponse,
  hold: boolean,
): Promise<{ readonly status: number; readonly rest: Buffer | undefined }> {
  let head = Buffer.alloc(0);
  let status: number | undefined;
  const held: Buffer[] = [];
  for await (const chunk of output) {
    let body = chunk as Buffer;
    if (status === undefined) {
      head = Buffer.concat([head, body]);
      const end = head.indexOf('\r\n\r\n');
      if (end < 0) continue;
      status = writeHead(head.subarray(0, end).toString('latin1'), response);
      body = head.subarray(end + 4);
    }
    if (hold) held.push(body);
    else if (!response.destroyed && !response.write(body)) await drained(response);
  }
  if (status === undefined) {
    status = 500;
    response.writeHead(status, { 'content-type': 'text/plain' });
    held.push(Buffer.from('git http-backend gave no answer.\n'));
  }
  return { status, rest: hold || held.length > 0 ? Buffer.concat(held) : undefined };
}

async function drained(response: ServerResponse): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  response.once('drain', resolve).once('close', resolve);
  await promise;
  // The other listener would stay until the client goes away.
  response.off('drain', resolve).off('close', resolve);
}

function writeHead(head: string, response: ServerResponse): number {
  let status = 200;
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    if (name === 'status') status = Number.parseInt(value, 10);
    else if (name !== '') response.setHeader(name, value);
  }
  response.statusCode = status;
  return status;
}
