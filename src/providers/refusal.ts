import { isEmptyAccount, isLongWait, type ModelRefusal } from '../domain/model-refusal.ts';
import type { Failure } from '../domain/outcome.ts';

/** Words of OpenAI's errors for a prompt that is too long. https://platform.openai.com/docs/guides/error-codes */
const TOO_LONG = new Set(['context_length_exceeded', 'request_too_large']);

/** What a refused model request means for the attempt, by status and the endpoint's own word for it. */
export function failureOfRefusal(refusal: ModelRefusal): Failure {
  const { status, code = '', resetAt } = refusal;
  if (status === undefined) return { kind: 'network', message: 'The model endpoint could not be reached.' };
  if (TOO_LONG.has(code) || status === 413) return CONTEXT_FULL;
  if (isEmptyAccount(refusal)) return EMPTY_ACCOUNT;
  if (status === 401 || status === 403) return refusedKey(status);
  if (status === 404) return UNKNOWN_MODEL;
  if (status === 429) {
    return resetAt !== undefined && isLongWait(refusal)
      ? { kind: 'quota', message: 'The usage limit of the account behind the key is reached.', resetAt }
      : { kind: 'overloaded', message: 'The model endpoint is limiting requests (HTTP 429).' };
  }
  if (status >= 500) {
    return { kind: 'overloaded', message: `The model endpoint could not answer (HTTP ${status}).` };
  }
  return { kind: 'crash', message: `The model endpoint refused a request of the agent (HTTP ${status}).` };
}

/** What a bare HTTP status of a model request means, for a CLI that reports it. */
export function failureOfStatus(status: number): Failure {
  return failureOfRefusal({ status, code: undefined, at: 0, resetAt: undefined });
}

/** The task does not fit the model. */
export const CONTEXT_FULL: Failure = {
  kind: 'context-full',
  message: 'The task outgrew what the model can hold. Split it into smaller tasks.',
};

const EMPTY_ACCOUNT: Failure = {
  kind: 'quota',
  message: 'The account behind the model key has no credit left. Top it up or use another key.',
};

const UNKNOWN_MODEL: Failure = {
  kind: 'auth',
  message: 'The model does not exist or the key may not use it. Choose another model.',
};

function refusedKey(status: number): Failure {
  return {
    kind: 'auth',
    message: `The model endpoint refused the key (HTTP ${status}). Check the key Maestro is configured with.`,
  };
}
