/** What `maestro:<id>` labels and `provider=<id>` may say. Apart from the providers themselves, which take long to load. */
export const providerIds = [
  'claude-code',
  'codex',
  'opencode',
  'factory-droid',
  'gemini',
  'copilot',
  'scripted',
] as const;

export type ProviderId = (typeof providerIds)[number];
