import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { openAiError } from './openai-error.ts';
import { inParts, type Answer, type Asked, type Protocol, type Rendered } from './protocol.ts';

const content = z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).optional();

const item = z.object({ type: z.string().optional(), role: z.string().optional(), content });

const request = z.object({
  input: z.union([z.string(), z.array(item)]).default([]),
  tools: z
    .array(
      z.object({
        type: z.string(),
        name: z.string().optional(),
        parameters: z.object({ properties: z.record(z.string(), z.unknown()).optional() }).nullish(),
      }),
    )
    .default([]),
});

/** OpenAI Responses: `POST /v1/responses`. */
export const openAiResponses: Protocol = { name: 'responses', read, answer, error: openAiError };

function read(body: unknown): Asked {
  const parsed = request.safeParse(body).data ?? { input: [], tools: [] };
  const items = typeof parsed.input === 'string' ? [{ role: 'user', content: parsed.input }] : parsed.input;
  const asked = items.findLastIndex(({ role }) => role === 'user');
  const after = items.slice(asked + 1).map((one) => ('type' in one ? (one.type ?? '') : '').endsWith('_output'));
  return {
    tools: parsed.tools.map((tool) => ({
      name: tool.name ?? tool.type,
      parameters: Object.keys(tool.parameters?.properties ?? {}),
    })),
    prompt: textOf(items[asked]?.content),
    rounds: after.filter((output, at) => output && after[at - 1] !== true).length,
  };
}

function textOf(value: z.infer<typeof content>): string {
  return typeof value === 'string' ? value : (value ?? []).map((part) => part.text ?? '').join('\n');
}

function answer({ text, call, usage: counts }: Answer, model: string): Rendered {
  const usage = {
    input_tokens: counts.input,
    input_tokens_details: { cached_tokens: counts.cached },
    output_tokens: counts.output,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: counts.input + counts.output,
  };
  const message = {
    id: newId('msg'),
    type: 'message',
    status: 'completed',
    role: 'assistant',
    content: [{ type: 'output_text', text, annotations: [] }],
  };
  const output = [...(text === '' ? [] : [message]), ...(call === undefined ? [] : [functionCall(newId('fc'), call)])];
  const response = {
    id: newId('resp'),
    object: 'response',
    created_at: 0,
    status: 'in_progress',
    model,
    output: [],
    usage: null,
  };
  const completed = { ...response, status: 'completed', output, usage };
  const events = [
    { type: 'response.created', response },
    ...output.flatMap((item, output_index) => [
      { type: 'response.output_item.added', output_index, item: { ...item, status: 'in_progress' } },
      ...('content' in item
        ? inParts(text).map((delta) => ({ type: 'response.output_text.delta', item_id: item.id, output_index, delta }))
        : []),
      { type: 'response.output_item.done', output_index, item },
    ]),
    { type: 'response.completed', response: completed },
  ];
  return {
    json: completed,
    events: events.map((data, sequence_number) => ({ event: data.type, data: { ...data, sequence_number } })),
  };
}

function functionCall(id: string, call: NonNullable<Answer['call']>): { readonly id: string; readonly type: string } {
  const { id: call_id, name } = call;
  const fields = { status: 'completed', call_id, name, arguments: JSON.stringify(call.input) };
  return { id, type: 'function_call', ...fields };
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(9).toString('hex')}`;
}
