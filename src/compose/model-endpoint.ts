import type { Config } from '../config.ts';
import type { ModelEndpoint } from '../gateway/gateway.ts';

/** The endpoint a provider that speaks `protocol` is given, or undefined when no key is configured for it. */
export function modelEndpoint(config: Config, protocol: ModelEndpoint['protocol']): ModelEndpoint | undefined {
  const endpoints = {
    anthropic: { key: config.ANTHROPIC_API_KEY, upstream: config.ANTHROPIC_BASE_URL },
    openai: { key: config.OPENAI_API_KEY, upstream: config.OPENAI_BASE_URL },
    gemini: { key: config.GEMINI_API_KEY, upstream: config.GEMINI_BASE_URL },
  };
  const { key, upstream } = endpoints[protocol];
  return key === undefined ? undefined : { protocol, upstream, key };
}
