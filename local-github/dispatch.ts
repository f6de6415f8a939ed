import type { IncomingMessage, ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { actorName, authenticate } from './auth/authenticate.ts';
import { timestamp } from './clock.ts';
import { handleControl } from './control-http.ts';
import type { Control } from './control.ts';
import type { RequestFault } from './faults.ts';
import { gitPathOf, handleGit } from './git-handler.ts';
import { handleGraphql } from './graphql.ts';
import { readJson, writeReply } from './http.ts';
import type { Actor, Hub } from './hub.ts';
import type { RateLimits } from './rate-limits.ts';
import { handleRest, refusal } from './rest-handler.ts';
import type { Handled } from './rest-handler.ts';
import type { Router } from './router.ts';
import type { Reply } from './routes.ts';

/** The parts one request passes through. */
export interface Dispatcher {
  readonly hub: Hub;
  readonly router: Router;
  readonly limits: RateLimits;
  readonly control: Control;
  readonly changed: () => void;
}

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
  readonly method: string;
}

/** Answers one HTTP request, whatever it is for. */
export async function dispatch(parts: Dispatcher, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', parts.hub.url());
  const exchange: Exchange = { request, response, url, method: request.method ?? 'GET' };
  if (url.pathname.startsWith('/_control/')) {
    await serveControl(parts, exchange);
    return;
  }
  url.pathname = url.pathname.replace(/^\/api\/v3(?=\/|$)/, '') || '/';
  const fault = await applyFaults(parts, exchange);
  if (fault === 'answered') return;
  const path = gitPathOf(url.pathname);
  if (path !== undefined) {
    const cut = fault === 'cut-after';
    const { actor, status } = await handleGit(parts.hub, { request, response, url, path, cut });
    record(parts, exchange, { actor, status: cut ? 0 : status });
  } else {
    const graphql = /^(\/api)?\/graphql$/.test(url.pathname) && exchange.method === 'POST';
    const handled = graphql ? await serveGraphql(parts, request) : await handleRest(parts, request, url);
    finish(parts, exchange, handled, fault === 'cut-after');
  }
  if (exchange.method !== 'GET') parts.changed();
}

async function serveControl(parts: Dispatcher, { request, response, url, method }: Exchange): Promise<void> {
  let reply: Reply;
  try {
    reply = await handleControl(parts.control, {
      method,
      name: url.pathname.slice('/_control/'.length),
      body: method === 'GET' ? undefined : await readJson(request),
      origin: request.headers.origin,
    });
  } catch (error) {
    reply = refusal(error);
  }
  writeReply({ request, response, now: parts.hub.clock.now() }, reply);
  parts.changed();
}

async function serveGraphql(parts: Dispatcher, request: IncomingMessage): Promise<Handled> {
  let actor: Actor = { kind: 'anonymous' };
  let body: unknown;
  try {
    body = await readJson(request);
    actor = authenticate(parts.hub, request.headers.authorization);
    return { reply: await handleGraphql(parts.hub, actor, body), operation: 'graphql', actor, body };
  } catch (error) {
    return { reply: refusal(error), operation: 'graphql', actor, body };
  }
}

function finish(parts: Dispatcher, exchange: Exchange, handled: Handled, cut: boolean): void {
  const { request, response } = exchange;
  if (cut) {
    // Everything is done; only the caller does not learn of it.
    request.socket.destroy();
    record(parts, exchange, { ...handled, status: 0 });
    return;
  }
  const status = writeReply({ request, response, now: parts.hub.clock.now() }, handled.reply);
  record(parts, exchange, { ...handled, status });
}

/** What is known of an answer; nothing but the status for git and for faults. */
interface Outcome extends Partial<Handled> {
  readonly status: number;
}

function record(parts: Dispatcher, exchange: Exchange, outcome: Outcome): void {
  const { actor, reply } = outcome;
  parts.hub.audit.requests.add({
    at: timestamp(parts.hub.clock.now()),
    method: exchange.method,
    path: exchange.url.pathname,
    query: exchange.url.search,
    operation: outcome.operation,
    actor: actor === undefined ? 'unknown' : actorName(actor),
    actorKind: actor === undefined || actor.kind === 'anonymous' ? undefined : actor.kind,
    body: outcome.body,
    responseBody: outcome.status === 304 ? undefined : (reply?.raw?.content.toString('utf8') ?? reply?.body),
    contentType: reply?.raw?.type ?? (reply?.body === undefined ? undefined : 'application/json; charset=utf-8'),
    status: outcome.status,
  });
}

/** `answered`: the fault was the answer; `cut-after`: it is still to come; undefined: go on as usual. */
async function applyFaults(parts: Dispatcher, exchange: Exchange): Promise<'answered' | 'cut-after' | undefined> {
  for (;;) {
    const agent = exchange.request.headers['user-agent'] ?? '';
    const fault = parts.hub.faults.takeRequestFault(exchange.method, exchange.url.pathname, agent);
    if (fault === undefined) return undefined;
    if (fault.kind === 'cut-after') return 'cut-after';
    if (fault.kind !== 'delay') {
      breakOff(parts, exchange, fault);
      return 'answered';
    }
    await sleep(fault.ms ?? 1000);
  }
}

function breakOff(parts: Dispatcher, exchange: Exchange, fault: RequestFault): void {
  const { request, response } = exchange;
  if (fault.kind === 'cut-before') {
    request.socket.destroy();
    record(parts, exchange, { status: 0 });
    return;
  }
  request.resume();
  const now = parts.hub.clock.now();
  const status = writeReply({ request, response, now }, replyOf(fault, now));
  record(parts, exchange, { status });
}

function replyOf(fault: RequestFault, now: number): Reply {
  const seconds = fault.retryAfter ?? 60;
  switch (fault.kind) {
    case 'secondary-limit':
      return {
        status: fault.status ?? 403,
        headers: { 'retry-after': String(seconds) },
        body: {
          message: 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.',
          documentation_url:
            'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api#about-secondary-rate-limits',
        },
      };
    case 'primary-limit':
      return {
        status: fault.status ?? 403,
        headers: {
          'x-ratelimit-limit': '5000',
          'x-ratelimit-remaining': '0',
          'x-ratelimit-used': '5000',
          'x-ratelimit-reset': String(Math.ceil(now / 1000) + seconds),
          'x-ratelimit-resource': 'core',
        },
        body: {
          message: 'API rate limit exceeded for installation.',
          documentation_url: 'https://docs.github.com/rest/overview/rate-limits-for-the-rest-api',
        },
      };
    case 'status':
    case 'delay':
    case 'cut-after':
    case 'cut-before': {
      const status = fault.status ?? 503;
      return {
        status,
        body: { message: status >= 500 ? 'Server Error' : 'Refused by a fault rule', status: String(status) },
      };
    }
  }
}
