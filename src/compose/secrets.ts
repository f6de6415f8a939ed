import type { Config } from '../config.ts';

/** Values that must never be in anything that is published or kept. */
export function secretsOf(config: Config): readonly string[] {
  return [
    config.PRIVATE_KEY,
    config.WEBHOOK_SECRET,
    config.ANTHROPIC_API_KEY,
    config.OPENAI_API_KEY,
    config.GEMINI_API_KEY,
    config.AWS_BEARER_TOKEN_BEDROCK,
    config.AWS_SECRET_ACCESS_KEY,
    config.AWS_SESSION_TOKEN,
    config.AZURE_OPENAI_API_KEY,
    config.MAESTRO_KEYS_SECRET,
    config.MAESTRO_KEYS_SECRET_BEFORE,
    ...config.MAESTRO_MCP_SECRETS.map(({ value }) => value),
  ].filter((value) => value !== undefined);
}
