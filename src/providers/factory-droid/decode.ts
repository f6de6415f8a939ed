import { z } from 'zod';
import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, parseObject, unknownLine } from '../json-line.ts';

const tokens = z.number().nonnegative().catch(0);

const output = z.union([z.string(), z.object({ message: z.string() })]).optional();

/** The lines of `droid exec -o stream-json`, as printed by 0.225.2, with only the fields we use. */
const droidLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('system'), subtype: z.literal('init'), session_id: z.string() }),
  z.object({ type: z.literal('message'), role: z.string(), text: z.string() }),
  z.object({ type: z.literal('reasoning'), text: z.string() }),
  z.object({ type: z.literal('tool_call'), id: z.string(), toolName: z.string(), parameters: z.unknown() }),
  z.object({ type: z.literal('tool_result'), id: z.string(), isError: z.boolean(), value: output, error: output }),
  z.object({ type: z.literal('error'), source: z.string().optional(), message: z.string() }),
  z.object({
    type: z.literal('completion'),
    finalText: z.string(),
    usage: z
      .object({
        input_tokens: tokens,
        output_tokens: tokens,
        cache_read_input_tokens: tokens,
        cache_creation_input_tokens: tokens,
      })
      .optional(),
  }),
]);

type DroidLine = z.infer<typeof droidLine>;

/** One line of `-o stream-json` to events. Never throws; a blank line is nothing. */
export function decodeDroid(line: string): readonly AgentEvent[] {
  if (line.trim() === '') return [];
  const parsed = droidLine.safeParse(parseObject(line));
  return parsed.success ? eventsOf(parsed.data) : unknownLine(line);
}

function eventsOf(line: DroidLine): readonly AgentEvent[] {
  switch (line.type) {
    case 'system':
      return [{ type: 'session', id: line.session_id }];
    case 'message':
      // The user's message is the prompt.
      return line.role !== 'assistant' || line.text === '' ? [] : [{ type: 'text', text: line.text }];
    case 'reasoning':
      return line.text === '' ? [] : [{ type: 'thinking', text: line.text }];
    case 'tool_call':
      return [{ type: 'tool', id: line.id, name: line.toolName, input: line.parameters }];
    case 'tool_result':
      return [
        {
          type: 'tool-result',
          id: line.id,
          isError: line.isError,
          output: clipOutput(textOf(line.error) ?? textOf(line.value) ?? ''),
        },
      ];
    // Droid says in prose only why it failed: the words are kept for people, the kind comes from the wire.
    case 'error':
      return [
        { type: 'notice', text: line.message },
        { type: 'error', failure: 'crash', message: 'Droid could not go on.' },
      ];
    case 'completion':
      return [...usageEvents(line), { type: 'end', ok: true, text: line.finalText }];
  }
}

function textOf(value: z.infer<typeof output>): string | undefined {
  return typeof value === 'string' ? value : value?.message;
}

/** `inputTokens` are those not read from a cache, as at the gateway. */
function usageEvents({ usage }: Extract<DroidLine, { type: 'completion' }>): readonly AgentEvent[] {
  if (usage === undefined) return [];
  return [
    {
      type: 'usage',
      usage: {
        inputTokens: usage.input_tokens + usage.cache_creation_input_tokens,
        outputTokens: usage.output_tokens,
        cachedInputTokens: usage.cache_read_input_tokens,
        costUsd: undefined,
      },
    },
  ];
}
