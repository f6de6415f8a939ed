import type { Config } from '../config.ts';

/** Values that must never be in anything that is published or kept. */
export function secretsOf(config: Config): readonly string[] {
  return [
    config.PRIVATE_KEY,
    config.WEBHOOK_SECRET,
    config.ANTHROPIC_API_KEY,
    config.OPENAI_API_KEY,
    config.GEMINI_API_KEY,
  ].filter((value) => value !== undefined);
}
