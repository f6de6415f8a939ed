import type { ModelEndpoint } from './gateway.ts';

export type ModelProtocol = ModelEndpoint['protocol'];

/** A model request that is allowed: where it goes below the endpoint's base URL. */
export interface Route {
  readonly path: string;
  /** With its `?`, or empty. */
  readonly query: string;
}

/** Requests the relay passes on; anything else of an API (files, batches, fine-tuning, administration) is not the agent's business. */
const ALLOWED: Readonly<Record<ModelProtocol, readonly { readonly method: string; readonly path: RegExp }[]>> = {
  anthropic: [
    { method: 'POST', path: /^\/v1\/messages$/ },
    { method: 'POST', path: /^\/v1\/messages\/count_tokens$/ },
    { method: 'GET', path: /^\/v1\/models$/ },
    { method: 'HEAD', path: /^\/?$/ },
  ],
  openai: [
    { method: 'POST', path: /^\/v1\/responses$/ },
    { method: 'POST', path: /^\/v1\/chat\/completions$/ },
    { method: 'GET', path: /^\/v1\/models$/ },
  ],
  gemini: [
    { method: 'GET', path: /^\/v1beta\/models(?:\/[\w.-]+)?$/ },
    {
      method: 'POST',
      path: /^\/v1beta\/models\/[\w.-]+:(?:generateContent|streamGenerateContent|countTokens)$/,
    },
  ],
};

/**
 * The route of a request target (`/<protocol>/<path>?<query>`, as it stood in the request line), or undefined when it is not
 * one of those allowed for `protocol`. The path is matched raw: whatever is percent-encoded or holds `..` matches nothing.
 */
export function findRoute(protocol: ModelProtocol, method: string, target: string): Route | undefined {
  const prefix = `/${protocol}`;
  if (!target.startsWith(prefix)) return undefined;
  const [path = '', ...rest] = target.slice(prefix.length).split('?');
  if (!ALLOWED[protocol].some((allowed) => allowed.method === method && allowed.path.test(path))) return undefined;
  return { path: path === '' ? '/' : path, query: queryWithoutKey(rest.join('?')) };
}

/** Drops `key=…`, the third way to present a key to Gemini: the client's must not reach the endpoint. */
function queryWithoutKey(query: string): string {
  const kept = query.split('&').filter((part) => part !== '' && !/^(?:key|access_token)(?:=|$)/i.test(decoded(part)));
  return kept.length === 0 ? '' : `?${kept.join('&')}`;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
