import type { Protocol } from './protocol.ts';
import type { Step } from './script.ts';

export interface ScriptedError {
  readonly status: number;
  readonly body: string;
}

/** An error of a script in the protocol's own words. `drop` has none. */
export function scriptedError(
  protocol: Protocol,
  error: Exclude<NonNullable<Step['error']>, 'drop'>,
  model: string,
): ScriptedError {
  const { status, message, code } = typeof error === 'number' ? byStatus(protocol, error) : byName(error, model);
  return { status, body: JSON.stringify(protocol.error(status, message, code)) };
}

interface Words {
  readonly status: number;
  readonly message: string;
  readonly code: string | null;
}

function byStatus(protocol: Protocol, status: number): Words {
  switch (status) {
    case 401:
      return { status, message: 'invalid x-api-key', code: 'invalid_api_key' };
    case 429:
      return { status, message: 'Rate limit reached, please slow down.', code: 'rate_limit_exceeded' };
    case 529:
      // Only Anthropic has a status of its own for this.
      return { status: protocol.name === 'anthropic' ? 529 : 503, message: 'Overloaded', code: null };
    default:
      return { status, message: 'A scripted error.', code: null };
  }
}

function byName(error: 'prompt_too_long' | 'bad_model' | 'quota', model: string): Words {
  switch (error) {
    case 'prompt_too_long':
      return {
        status: 400,
        message: 'prompt is too long: 250000 tokens > 200000 maximum',
        code: 'context_length_exceeded',
      };
    case 'bad_model':
      return { status: 404, message: `model: ${model}`, code: 'model_not_found' };
    case 'quota':
      return { status: 429, message: 'You exceeded your current quota.', code: 'insufficient_quota' };
  }
}
