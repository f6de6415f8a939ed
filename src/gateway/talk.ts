import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerMcp, type McpAnswer } from './mcp.ts';
import { VERBS, type Reply, type Spoken, type Verb } from '../domain/talk.ts';

/** Below it an agent speaks to us, and not to its model. */
const PREFIX = '/maestro/';

/** Bytes of what an agent may say at once. */
const LARGEST = 64 * 1024;

/** Between the fields of a word: the separator that ASCII has for this, which is in nobody's text. */
const SEPARATOR = '\u001e';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** As it stood in the request line. */
  readonly target: string;
  readonly hears: (spoken: Spoken) => Reply;
  /** Whether it presented the session's placeholder. */
  readonly known: boolean;
}

/** Whether a request target is for us. */
export function isTalk(target: string): boolean {
  return target.startsWith(PREFIX);
}

/**
 * Takes in one word, or one message of an MCP client at `/maestro/mcp`. A word is a `POST /maestro/<verb>`, its fields in the body as UTF-8, separated by U+001E. The answer is plain text for the
 * agent, with status 200, or 422 when the word was not taken. Never rejects.
 */
export async function talk({ request, response, target, hears, known }: Exchange): Promise<void> {
  if (!known) return answer(response, 401, 'This key is not good for this gateway.');
  const at = target.slice(PREFIX.length);
  // Whoever looks for a stream, or ends a session, is told so that there is none.
  if (at === 'mcp' && request.method !== 'POST') return answer(response, 405, 'There is only POST here.');
  const verb = verbOf(at);
  if ((verb === undefined && at !== 'mcp') || request.method !== 'POST')
    return answer(response, 404, `There is only POST to ${VERBS.map((one) => PREFIX + one).join(', ')}.`);
  const body = await readBody(request);
  if (body === undefined) return answer(response, 413, `At most ${LARGEST / 1024} kB are taken at once.`);
  if (verb === undefined) return answerJson(response, answerMcp(body, hears));
  const reply = hears({ verb, fields: body.split(SEPARATOR) });
  answer(response, reply.ok ? 200 : 422, reply.text);
}

function verbOf(word: string): Verb | undefined {
  return VERBS.find((verb) => verb === word);
}

/** The whole body as text; undefined when it is too large or broke off. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > LARGEST) return undefined;
      chunks.push(chunk);
    }
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerJson(response: ServerResponse, { status, body }: McpAnswer): void {
  const text = body === undefined ? undefined : JSON.stringify(body);
  response
    .writeHead(status, {
      'cache-control': 'no-store',
      ...(text === undefined ? {} : { 'content-type': 'application/json' }),
    })
    .end(text);
}

function answer(response: ServerResponse, status: number, text: string): void {
  response
    .writeHead(status, {
      'content-type': 'text/plain; charset=utf-8',
      'cache-control': 'no-store',
      // What is left of a body that was too large is not waited for.
      ...(status === 413 ? { connection: 'close' } : {}),
    })
    .end(`${text}\n`);
}
