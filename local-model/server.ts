import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { anthropic } from './anthropic.ts';
import { scriptedError } from './errors.ts';
import { eventFrame } from './event-frames.ts';
import { gemini } from './gemini.ts';
import { openAiChat } from './openai-chat.ts';
import { openAiResponses } from './openai-responses.ts';
import type { Protocol, StreamedEvent } from './protocol.ts';
import { DEFAULT_SCRIPT, pickStep, type Script, type Step } from './script.ts';
import { answerFor } from './tool-call.ts';

export interface ModelEndpointOptions {
  /** 0 for any free one. */
  readonly port: number;
  /** What to answer when the prompt holds no script: one script for all, or one made from the prompt. */
  readonly script?: Script | ((prompt: string) => Script);
  /** Keys that are accepted; without them all are. */
  readonly keys?: readonly string[];
  /** Keeps the text of every request, for tests that look into it. */
  readonly keepTexts?: boolean;
}

export interface ModelEndpoint extends AsyncDisposable {
  /** Base URL on loopback. */
  readonly url: string;
  /** What was asked so far, oldest first. */
  readonly requests: readonly SeenRequest[];
}

interface SeenRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly key: string | undefined;
  readonly model: string | undefined;
  readonly bytes: number;
  readonly prompt: string;
  /** The whole request, where it is kept. */
  readonly text: string;
}

/**
 * Starts a model endpoint that follows a script instead of thinking. Speaks Anthropic Messages, OpenAI Chat Completions and
 * Responses, and Gemini, streaming and whole, on 127.0.0.1.
 */
export async function startModelEndpoint(options: ModelEndpointOptions): Promise<ModelEndpoint> {
  const requests: SeenRequest[] = [];
  const failures = new Map<string, number>();
  const script = options.script ?? DEFAULT_SCRIPT;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const raw = await text(request);
    const url = new URL(request.url ?? '/', 'http://localhost');
    const call = findCall(request.method ?? '', url.pathname);
    const body = decodeBody(raw);
    const asked = call?.protocol.read(body) ?? { tools: [], prompt: '', rounds: 0 };
    const key = keyOf(request, url);
    const head = requestHead.safeParse(body).data;
    const model = call?.model ?? head?.model;
    const { method = '', headers } = request;
    const kept = options.keepTexts === true ? raw : '';
    const { prompt } = asked;
    requests.push({ method, path: request.url ?? '', headers, key, model, bytes: raw.length, prompt, text: kept });

    if (call === undefined) return other(request.method ?? '', url.pathname, response);
    const { protocol } = call;
    const fail = (error: Exclude<NonNullable<Step['error']>, 'drop'>, retryAfter?: number): void => {
      const failed = scriptedError(protocol, error, model ?? '');
      const again = retryAfter === undefined ? {} : { 'retry-after': String(retryAfter) };
      response.writeHead(failed.status, { ...JSON_TYPE, ...again }).end(failed.body);
    };
    if (options.keys?.includes(key ?? '') === false) return fail(401);
    if (call.counts) return json(response, { input_tokens: 1200, totalTokens: 1200 });
    const { step, at } = pickStep(
      typeof script === 'function' ? script(asked.prompt) : script,
      asked.prompt,
      asked.rounds,
    );
    if (step.delay_ms !== undefined) await pause(step.delay_ms);
    if (step.error !== undefined && stillFails(step, at)) {
      if (step.error === 'drop') response.destroy();
      else fail(step.error, step.retry_after);
      return;
    }
    // Titles, summaries and other requests on the side offer no tools and are no step of the script.
    const said =
      asked.tools.length === 0 && (step.write ?? step.bash ?? step.tool) !== undefined ? { text: 'A title' } : step;
    const rendered = protocol.answer(answerFor(said, asked), model ?? 'scripted');
    if (call.streams || head?.stream === true)
      return stream(response, rendered.events, { step, frames: call.frames === true });
    if (step.cut === true) response.destroy();
    else if (step.stall !== true) json(response, rendered.json);
  }

  function stillFails(step: Step, at: number): boolean {
    if (step.times === undefined) return true;
    const name = `${at}:${JSON.stringify(step)}`;
    const before = failures.get(name) ?? 0;
    failures.set(name, before + 1);
    return before < step.times;
  }

  const server = createServer((request, response) => {
    response.on('error', () => response.destroy());
    answer(request, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : options.port;
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

const JSON_TYPE = { 'content-type': 'application/json' };

const requestHead = z.object({ model: z.string().optional(), stream: z.boolean().optional() });

interface Call {
  readonly protocol: Protocol;
  /** Only counts tokens. */
  readonly counts: boolean;
  /** Streams whatever the body says. */
  readonly streams: boolean;
  readonly model?: string;
  /** Streams as Bedrock does. */
  readonly frames?: true;
}

function plain(protocol: Protocol): Call {
  return { protocol, counts: false, streams: false };
}

function findCall(method: string, path: string): Call | undefined {
  if (method !== 'POST') return undefined;
  if (path.endsWith('/messages')) return plain(anthropic);
  if (path.endsWith('/messages/count_tokens')) return { ...plain(anthropic), counts: true };
  if (path.endsWith('/chat/completions')) return plain(openAiChat);
  if (path.endsWith('/responses')) return plain(openAiResponses);
  const bedrock = /\/model\/([^/]+)\/invoke(-with-response-stream)?$/.exec(path);
  if (bedrock !== null) {
    const [, model = '', streams] = bedrock;
    return { ...plain(anthropic), streams: streams !== undefined, model: decodeURIComponent(model), frames: true };
  }
  const vertex = /\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/.exec(path);
  if (vertex !== null) {
    const [, model = '', action] = vertex;
    return { ...plain(anthropic), streams: action === 'streamRawPredict', model };
  }
  const found = /\/models\/([^/:]+):(\w+)$/.exec(path);
  if (found === null) return undefined;
  const [, model = '', action = ''] = found;
  return { protocol: gemini, counts: action === 'countTokens', streams: action.startsWith('stream'), model };
}

function other(method: string, path: string, response: ServerResponse): void {
  if (method === 'HEAD') response.writeHead(200).end();
  else if (method === 'GET' && path.endsWith('/models')) {
    json(response, {
      object: 'list',
      data: [{ id: 'claude-sonnet-4-5', object: 'model', type: 'model' }],
      has_more: false,
    });
  } else
    response.writeHead(404, JSON_TYPE).end(JSON.stringify({ error: { message: `There is no ${method} ${path}.` } }));
}

function json(response: ServerResponse, body: unknown): void {
  response.writeHead(200, JSON_TYPE).end(JSON.stringify(body));
}

async function stream(
  response: ServerResponse,
  events: readonly StreamedEvent[],
  { step, frames }: { readonly step: Step; readonly frames: boolean },
): Promise<void> {
  const type = frames ? 'application/vnd.amazon.eventstream' : 'text/event-stream';
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' });
  const broken = step.cut === true || step.stall === true;
  for (const { event, data } of broken ? events.slice(0, Math.ceil(events.length / 2)) : events) {
    const name = event === undefined ? '' : `event: ${event}\n`;
    if (frames) response.write(eventFrame(data));
    else response.write(`${name}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`);
    await pause(2);
  }
  if (step.cut === true) response.destroy();
  else if (step.stall !== true) response.end();
}

function keyOf(request: IncomingMessage, url: URL): string | undefined {
  const { headers } = request;
  const signed = /^AWS4-HMAC-SHA256 Credential=([^/]+)/.exec(headers.authorization ?? '')?.[1];
  const named =
    signed ??
    headers['x-api-key'] ??
    headers['api-key'] ??
    headers['x-goog-api-key'] ??
    url.searchParams.get('key') ??
    undefined;
  return typeof named === 'string' ? named : headers.authorization?.replace(/^Bearer /i, '');
}

function decodeBody(raw: string): unknown {
  try {
    return JSON.parse(raw);
  } catch {
    return undefined;
  }
}
