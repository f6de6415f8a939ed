import type { ModelProtocol } from './routes.ts';

/** An error answer that the agent's own client library understands. */
export interface ModelError {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Shapes an error as the given protocol does (HTTP status, error type, one sentence). `retry: false` tells the client
 * libraries of Anthropic and OpenAI, which honour `x-should-retry`, that trying again is pointless.
 */
export function modelError(
  protocol: ModelProtocol,
  error: { readonly status: number; readonly message: string; readonly retry: boolean },
): ModelError {
  return {
    status: error.status,
    headers: {
      'content-type': 'application/json',
      'cache-control': 'no-store',
      ...(error.retry ? {} : { 'x-should-retry': 'false' }),
    },
    body: JSON.stringify(SHAPES[protocol](error.status, error.message)),
  };
}

const SHAPES: Readonly<Record<ModelProtocol, (status: number, message: string) => unknown>> = {
  anthropic: (status, message) => ({ type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? 'api_error', message } }),
  openai: (status, message) => ({
    error: { message, type: status >= 500 ? 'server_error' : 'invalid_request_error', param: null, code: null },
  }),
  bedrock: (_, message) => ({ message }),
  vertex: (status, message) => ({ type: 'error', error: { type: ANTHROPIC_TYPES[status] ?? 'api_error', message } }),
  gemini: (status, message) => ({ error: { code: status, message, status: GEMINI_STATUSES[status] ?? 'UNKNOWN' } }),
};

/** https://platform.claude.com/docs/en/api/errors */
const ANTHROPIC_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
};

/** https://cloud.google.com/apis/design/errors#handling_errors */
const GEMINI_STATUSES: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  413: 'INVALID_ARGUMENT',
  429: 'RESOURCE_EXHAUSTED',
  502: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
};
