/** The two APIs an OpenAI-compatible endpoint may have. */
export type OpenAiApi = 'responses' | 'chat';

/**
 * Which of them to use for a model. OpenAI's own newer models take tools by Responses only; every other endpoint that calls itself
 * OpenAI-compatible has Chat Completions, and few have both.
 */
export function openAiApiFor(model: string): OpenAiApi {
  return /^(gpt-|o\d|codex-)/.test(model) && !model.startsWith('gpt-oss') ? 'responses' : 'chat';
}
