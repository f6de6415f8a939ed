import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { offeredTool, parameterSchema } from './offered-tool.ts';
import { openAiError } from './openai-error.ts';
import { inParts, type Answer, type Asked, type Protocol, type Rendered } from './protocol.ts';

const content = z.union([z.string(), z.array(z.object({ text: z.string().optional() })), z.null()]).optional();

const request = z.object({
  messages: z.array(z.object({ role: z.string(), content })).default([]),
  tools: z
    .array(
      z.object({
        function: z.object({
          name: z.string(),
          parameters: parameterSchema.optional(),
        }),
      }),
    )
    .default([]),
});

/** OpenAI Chat Completions: `POST /v1/chat/completions`. */
export const openAiChat: Protocol = { name: 'chat', read, answer, error: openAiError };

function read(body: unknown): Asked {
  const { messages, tools } = request.safeParse(body).data ?? { messages: [], tools: [] };
  const asked = messages.findLastIndex(({ role }) => role === 'user');
  const after = messages.slice(asked + 1);
  return {
    tools: tools.map((tool) => offeredTool(tool.function.name, tool.function.parameters ?? {})),
    prompt: textOf(messages[asked]?.content),
    rounds: after.filter(({ role }, at) => role === 'tool' && after[at - 1]?.role !== 'tool').length,
  };
}

function textOf(value: z.infer<typeof content>): string {
  return typeof value === 'string' ? value : (value ?? []).map((part) => part.text ?? '').join('\n');
}

function answer({ text, thinking, call, usage: counts }: Answer, model: string): Rendered {
  const id = `chatcmpl-${randomBytes(9).toString('hex')}`;
  const usage = {
    prompt_tokens: counts.input,
    completion_tokens: counts.output,
    total_tokens: counts.input + counts.output,
    prompt_tokens_details: { cached_tokens: counts.cached },
  };
  const toolCalls = call && [
    { id: call.id, type: 'function', function: { name: call.name, arguments: JSON.stringify(call.input) } },
  ];
  const finish = call === undefined ? 'stop' : 'tool_calls';
  const chunk = (delta: object, finish_reason: string | null = null): object => ({
    id,
    object: 'chat.completion.chunk',
    created: 0,
    model,
    choices: [{ index: 0, delta, finish_reason }],
  });
  const chunks = [
    chunk({ role: 'assistant', content: '' }),
    // Not OpenAI's own, but what most endpoints with thinking models stream it as.
    ...(thinking === undefined ? [] : [chunk({ reasoning_content: thinking })]),
    ...inParts(text).map((part) => chunk({ content: part })),
    ...(toolCalls ?? []).map((one) => chunk({ tool_calls: [{ index: 0, ...one }] })),
    chunk({}, finish),
    { id, object: 'chat.completion.chunk', created: 0, model, choices: [], usage },
    '[DONE]',
  ];
  const message = { role: 'assistant', content: text, ...(toolCalls === undefined ? {} : { tool_calls: toolCalls }) };
  return {
    json: {
      id,
      object: 'chat.completion',
      created: 0,
      model,
      choices: [{ index: 0, message, finish_reason: finish }],
      usage,
    },
    events: chunks.map((data) => ({ data })),
  };
}
