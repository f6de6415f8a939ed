import type { AgentEvent } from '../../domain/event.ts';
import type { ResultLine } from './lines.ts';

type ErrorEvent = Extract<AgentEvent, { type: 'error' }>;

/**
 * Why a conversation failed, from the structured fields of its `result` line; undefined when they do not say (then the error
 * message before it did, or nothing did).
 */
export function failureOfResult(line: ResultLine): ErrorEvent | undefined {
  switch (line.terminal_reason ?? '') {
    case 'prompt_too_long':
      return error('context-full', 'The task outgrew what the model can hold. Split it into smaller tasks.');
    case 'budget_exhausted':
      return error('budget', 'Claude Code stopped because its budget is spent.');
    case 'max_turns':
      return error(
        'crash',
        'Claude Code did not come to an end within the turns it may take. Split the task or say more precisely when it is done.',
      );
    default:
      return failureOfStatus(line.api_error_status ?? undefined, line.api_error ?? undefined);
  }
}

function failureOfStatus(status: number | undefined, unreached: string | undefined): ErrorEvent | undefined {
  if (status === undefined) return unreached === undefined ? undefined : NETWORK;
  if (status === 401 || status === 403) return refusedKey(status);
  if (status === 404) return UNKNOWN_MODEL;
  if (status === 402) return NO_CREDIT;
  if (status === 429) return RATE_LIMIT;
  if (status >= 500) return error('overloaded', `The model endpoint could not answer (HTTP ${status}).`);
  return error('crash', `The model endpoint refused a request of Claude Code (HTTP ${status}).`);
}

/**
 * Why a model request failed for good, from the word in the `error` field of the message Claude Code writes about it. Covers
 * what the result line is silent on: with no key at all there is no HTTP status.
 */
export function failureOfWord(word: string): ErrorEvent {
  switch (word) {
    case 'authentication_failed':
      return refusedKey(401);
    case 'billing_error':
      return NO_CREDIT;
    case 'rate_limit':
      return RATE_LIMIT;
    case 'model_not_found':
      return UNKNOWN_MODEL;
    case 'server_error':
      return error('overloaded', 'The model endpoint could not answer.');
    default:
      return error('crash', 'A model request of Claude Code failed.');
  }
}

/** A subscription's limit is reached; `resetsAt` is in epoch seconds. */
export function usedUp(resetsAt: number | undefined): ErrorEvent {
  const failure = error('quota', 'The usage limit of the account behind the key is reached.');
  return resetsAt === undefined ? failure : { ...failure, resetAt: resetsAt * 1000 };
}

const NETWORK = error('network', 'Claude Code could not reach the model endpoint.');
const RATE_LIMIT = error('overloaded', 'The model endpoint is limiting requests (HTTP 429).');
const NO_CREDIT = error('quota', 'The account behind the model key has no credit left. Top it up or use another key.');
const UNKNOWN_MODEL = error('auth', 'The model does not exist or the key may not use it. Choose another model.');

function refusedKey(status: number): ErrorEvent {
  return error(
    'auth',
    `The model endpoint refused the key (HTTP ${status}). Check the key Maestro is configured with.`,
  );
}

function error(failure: ErrorEvent['failure'], message: string): ErrorEvent {
  return { type: 'error', failure, message };
}
