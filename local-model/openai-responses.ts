import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { offeredTool, parameterSchema } from './offered-tool.ts';
import { openAiError } from './openai-error.ts';
import { inParts, type Answer, type Asked, type OfferedTool, type Protocol, type Rendered } from './protocol.ts';

const content = z.union([z.string(), z.array(z.object({ text: z.string().optional() }))]).nullish();

interface Tool {
  readonly type: string;
  readonly name?: string | undefined;
  readonly parameters?: z.infer<typeof parameterSchema> | null | undefined;
  readonly tools?: readonly Tool[] | undefined;
}

const tool: z.ZodType<Tool> = z.object({
  type: z.string(),
  name: z.string().optional(),
  parameters: parameterSchema.nullish(),
  get tools() {
    return z.array(tool).optional();
  },
});

const tools = z.array(tool).optional();

const item = z.object({ type: z.string().optional(), role: z.string().optional(), content, tools });

const request = z.object({ input: z.union([z.string(), z.array(item)]).default([]), tools });

/** OpenAI Responses: `POST /v1/responses`. */
export const openAiResponses: Protocol = { name: 'responses', read, answer, error: openAiError };

function read(body: unknown): Asked {
  const parsed = request.safeParse(body).data ?? { input: [] };
  const items = typeof parsed.input === 'string' ? [{ role: 'user', content: parsed.input }] : parsed.input;
  // Clients put messages of the user without text around what the user said.
  const asked = items.findLastIndex(({ role, content: said }) => role === 'user' && textOf(said).trim() !== '');
  const after = items.slice(asked + 1).map((one) => ('type' in one ? (one.type ?? '') : '').endsWith('_output'));
  // Codex in "code mode" offers its tools among the input, and there is what it found for a `tool_search_call`.
  const among = items.flatMap((one) => ('tools' in one ? (one.tools ?? []) : []));
  return {
    tools: [...flat(parsed.tools ?? []), ...flat(among)],
    prompt: textOf(items[asked]?.content),
    rounds: after.filter((output, at) => output && after[at - 1] !== true).length,
  };
}

function flat(offered: readonly Tool[], namespace?: string): readonly OfferedTool[] {
  return offered.flatMap((one) => {
    if (one.tools !== undefined) return flat(one.tools, one.type === 'namespace' ? one.name : namespace);
    const found = offeredTool(one.name ?? one.type, one.parameters ?? undefined);
    return [namespace === undefined ? found : { ...found, namespace }];
  });
}

function textOf(value: z.infer<typeof content>): string {
  return typeof value === 'string' ? value : (value ?? []).map((part) => part.text ?? '').join('\n');
}

function answer({ text, thinking, call, usage: counts }: Answer, model: string): Rendered {
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
  const output = [
    ...(thinking === undefined ? [] : [reasoning(thinking)]),
    ...(text === '' ? [] : [message]),
    ...(call === undefined ? [] : [toolCall(call)]),
  ];
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
      ...(item.type === 'reasoning' ? thinkingEvents(item.id, output_index, thinking ?? '') : []),
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

/** An item of an answer, of which only these matter here. */
interface OutputItem {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

function reasoning(text: string): OutputItem {
  const fields = { summary: [{ type: 'summary_text', text }], encrypted_content: null };
  return { id: newId('rs'), type: 'reasoning', ...fields };
}

interface StreamPart {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** A summary of the model's thoughts, as a stream has it before the item is done. */
function thinkingEvents(item_id: string, output_index: number, text: string): readonly StreamPart[] {
  const place = { item_id, output_index, summary_index: 0 };
  const part = { type: 'summary_text', text };
  return [
    { type: 'response.reasoning_summary_part.added', ...place, part: { ...part, text: '' } },
    ...inParts(text).map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...place, delta })),
    { type: 'response.reasoning_summary_text.done', ...place, text },
    { type: 'response.reasoning_summary_part.done', ...place, part },
  ];
}

function toolCall(call: NonNullable<Answer['call']>): OutputItem {
  const { id: call_id, name, namespace, freeform } = call;
  // The client looks for tools that it did not offer, and offers what it found in its next request.
  if (name === 'tool_search') {
    const search = { status: 'completed', call_id, execution: 'client', arguments: call.input };
    return { id: newId('tsc'), type: 'tool_search_call', ...search };
  }
  const fields = { status: 'completed', call_id, name, ...(namespace === undefined ? {} : { namespace }) };
  if (freeform !== undefined) return { id: newId('ctc'), type: 'custom_tool_call', ...fields, input: freeform };
  return { id: newId('fc'), type: 'function_call', ...fields, arguments: JSON.stringify(call.input) };
}

function newId(prefix: string): string {
  return `${prefix}_${randomBytes(9).toString('hex')}`;
}
