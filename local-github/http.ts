import { createHash, randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './errors.ts';
import type { Reply } from './routes.ts';

// More than any JSON GitHub takes; git's bodies do not come through here.
const MOST_BODY = 64 * 1024 * 1024;

/** A request's body as bytes. Throws 413 when it is beyond 64 MB. */
async function readBytes(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    const bytes = chunk as Buffer;
    size += bytes.length;
    if (size > MOST_BODY) throw new HttpError(413, 'Payload too large');
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

/** A request's body as JSON; undefined when it has none. Throws 400 as GitHub does for what is no JSON. */
export async function readJson(request: IncomingMessage): Promise<unknown> {
  const text = (await readBytes(request)).toString('utf8');
  if (text.trim() === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw new HttpError(400, 'Problems parsing JSON');
  }
}

/** Writes a reply with the headers GitHub puts on all of its answers; 304 when the caller has this very content already. */
export function writeReply(
  exchange: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly now: number },
  reply: Reply,
): number {
  const { request, response } = exchange;
  const content = contentOf(reply);
  const headers: Record<string, string> = {
    date: new Date(exchange.now).toUTCString(),
    'x-github-request-id': randomBytes(12).toString('hex').toUpperCase(),
    'x-github-media-type': 'github.v3; format=json',
    'x-github-enterprise-version': '3.19.0',
    'access-control-expose-headers': 'ETag, Link, Location, Retry-After, X-GitHub-Request-Id, X-RateLimit-Remaining',
    'cache-control': 'private, max-age=60, s-maxage=60',
    vary: 'Accept, Authorization',
    ...reply.headers,
  };
  if (content === undefined) {
    response.writeHead(reply.status, headers).end();
    return reply.status;
  }
  headers['content-type'] = content.type;
  const etag = `W/"${createHash('sha256').update(content.bytes).digest('hex')}"`;
  if (reply.status === 200) headers['etag'] = etag;
  if (reply.status === 200 && request.method === 'GET' && sameTag(request.headers['if-none-match'], etag)) {
    response.writeHead(304, headers).end();
    return 304;
  }
  response.writeHead(reply.status, { ...headers, 'content-length': String(content.bytes.length) });
  response.end(request.method === 'HEAD' ? undefined : content.bytes);
  return reply.status;
}

function contentOf(reply: Reply): { readonly bytes: Buffer; readonly type: string } | undefined {
  if (reply.raw !== undefined) return { bytes: reply.raw.content, type: reply.raw.type };
  if (reply.body === undefined) return undefined;
  return { bytes: Buffer.from(JSON.stringify(reply.body)), type: 'application/json; charset=utf-8' };
}

function sameTag(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(',').some((tag) => withoutWeakness(tag) === withoutWeakness(etag));
}

function withoutWeakness(tag: string): string {
  return tag.trim().replace(/^W\//, '');
}
