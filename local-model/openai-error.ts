/** The body of OpenAI's errors, of both its protocols. */
export function openAiError(status: number, message: string, code: string | null): unknown {
  const type = status === 429 ? 'rate_limit_exceeded' : status >= 500 ? 'server_error' : 'invalid_request_error';
  return { error: { message, type, param: null, code } };
}
