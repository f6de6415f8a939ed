import type { Cloud } from '../domain/cloud.ts';
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
  bedrock: [
    { method: 'POST', path: /^\/model\/(?:[\w.:-]|%3A|%2F)+\/(?:invoke|invoke-with-response-stream|count-tokens)$/i },
  ],
  vertex: [
    {
      method: 'POST',
      path: /^\/v1\/projects\/[\w.:-]+\/locations\/[\w-]+\/publishers\/anthropic\/models\/[\w.@-]+:(?:rawPredict|streamRawPredict)$/,
    },
  ],
};

/**
 * The route of a request target (`/<protocol>/<path>?<query>`, as it stood in the request line), or undefined when it is not
 * one of those allowed for `protocol`. The path is matched raw: whatever is percent-encoded (but for `:` and `/` in the name of a
 * model of Bedrock) or holds `..` matches nothing. In a cloud only the operator's own project and region are there.
 */
export function findRoute(protocol: ModelProtocol, method: string, target: string, cloud?: Cloud): Route | undefined {
  const prefix = `/${protocol}`;
  if (!target.startsWith(prefix)) return undefined;
  const [path = '', ...rest] = target.slice(prefix.length).split('?');
  if (!ALLOWED[protocol].some((allowed) => allowed.method === method && allowed.path.test(path))) return undefined;
  if (path.includes('..')) return undefined;
  if (cloud?.kind === 'vertex' && !path.startsWith(`/v1/projects/${cloud.project}/locations/${cloud.region}/`))
    return undefined;
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
