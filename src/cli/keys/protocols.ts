import type { ModelProtocol } from '../../providers/provider.ts';

/** Protocols keys are kept for. */
export const KEY_PROTOCOLS: readonly ModelProtocol[] = ['anthropic', 'openai', 'gemini'];
