import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { offeredTool, parameterSchema } from './offered-tool.ts';
import { inParts, type Answer, type Asked, type Protocol, type Rendered, type StreamedEvent } from './protocol.ts';

const request = z.object({
  messages: z
    .array(
      z.object({
        role: z.string(),
        content: z.union([z.string(), z.array(z.object({ type: z.string(), text: z.string().optional() }))]),
      }),
    )
    .default([]),
  tools: z
    .array(
      z.object({
        name: z.string(),
        input_schema: parameterSchema.optional(),
      }),
    )
    .default([]),
});

/** Anthropic Messages: `POST /v1/messages`. */
export const anthropic: Protocol = {
  name: 'anthropic',
  read,
  answer,
  error: (status, message) => ({ type: 'error', error: { type: ERROR_TYPES[status] ?? 'api_error', message } }),
};

const ERROR_TYPES: Readonly<Record<number, string>> = {
  400: 'invalid_request_error',
  401: 'authentication_error',
  403: 'permission_error',
  404: 'not_found_error',
  413: 'request_too_large',
  429: 'rate_limit_error',
  529: 'overloaded_error',
};

function read(body: unknown): Asked {
  const parsed = request.safeParse(body).data ?? { messages: [], tools: [] };
  let prompt = '';
  let rounds = 0;
  for (const message of parsed.messages.filter(({ role }) => role === 'user')) {
    const blocks = typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : message.content;
    if (blocks.some((block) => block.type === 'tool_result')) rounds += 1;
    else {
      prompt = blocks.map((block) => block.text ?? '').join('\n');
      rounds = 0;
    }
  }
  const tools = parsed.tools.map((tool) => offeredTool(tool.name, tool.input_schema ?? {}));
  return { tools, prompt, rounds };
}

function answer({ text, thinking, call, usage: counts }: Answer, model: string): Rendered {
  const usage = {
    input_tokens: counts.input - counts.cached,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: counts.cached,
    output_tokens: counts.output,
  };
  const start = {
    id: `msg_${randomBytes(9).toString('hex')}`,
    type: 'message',
    role: 'assistant',
    model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...usage, output_tokens: 1 },
  };
  const blocks = [
    ...(thinking === undefined ? [] : [thinkingBlock(thinking)]),
    ...(text === '' ? [] : [textBlock(text)]),
    ...(call === undefined ? [] : [toolBlock(call)]),
  ];
  const delta = { stop_reason: call === undefined ? 'end_turn' : 'tool_use', stop_sequence: null };
  const events = [
    { type: 'message_start', message: start },
    ...blocks.flatMap((block, index) => [
      { type: 'content_block_start', index, content_block: block.empty },
      ...block.deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
      { type: 'content_block_stop', index },
    ]),
    { type: 'message_delta', delta, usage },
    { type: 'message_stop' },
  ];
  return {
    json: { ...start, content: blocks.map((block) => block.whole), ...delta, usage },
    events: events.map((data): StreamedEvent => ({ event: data.type, data })),
  };
}

interface Block {
  readonly whole: object;
  readonly empty: object;
  readonly deltas: readonly object[];
}

function thinkingBlock(thinking: string): Block {
  const signature = 'c2NyaXB0ZWQ=';
  return {
    whole: { type: 'thinking', thinking, signature },
    empty: { type: 'thinking', thinking: '', signature: '' },
    deltas: [
      { type: 'thinking_delta', thinking },
      { type: 'signature_delta', signature },
    ],
  };
}

function textBlock(text: string): Block {
  return {
    whole: { type: 'text', text },
    empty: { type: 'text', text: '' },
    deltas: inParts(text).map((part) => ({ type: 'text_delta', text: part })),
  };
}

function toolBlock(call: NonNullable<Answer['call']>): Block {
  const whole = { type: 'tool_use', id: `toolu_${call.id}`, name: call.name, input: call.input };
  return {
    whole,
    empty: { ...whole, input: {} },
    deltas: inParts(JSON.stringify(call.input)).map((part) => ({ type: 'input_json_delta', partial_json: part })),
  };
}
