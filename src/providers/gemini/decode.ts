import { z } from 'zod';
import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, parseObject, unknownLine } from '../json-line.ts';

const tokens = z.number().nonnegative().catch(0);

const stats = z.object({ input_tokens: tokens, output_tokens: tokens, cached: tokens });

/** The lines of Gemini CLI's `stream-json` output, as printed by 0.61.0, with only the fields we use. */
const geminiLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('init'), session_id: z.string(), model: z.string().optional() }),
  z.object({ type: z.literal('message'), role: z.string(), content: z.string(), delta: z.boolean().optional() }),
  z.object({ type: z.literal('tool_use'), tool_name: z.string(), tool_id: z.string(), parameters: z.unknown() }),
  z.object({
    type: z.literal('tool_result'),
    tool_id: z.string(),
    status: z.string(),
    output: z.string().optional(),
    error: z.object({ message: z.string().optional() }).optional(),
  }),
  z.object({ type: z.literal('error'), severity: z.string().optional(), message: z.string() }),
  z.object({
    type: z.literal('result'),
    status: z.string(),
    error: z.object({ type: z.string().optional(), message: z.string().optional() }).optional(),
    stats: stats.optional(),
  }),
]);

type GeminiLine = z.infer<typeof geminiLine>;

/** One line of `-o stream-json` to events. Never throws; a blank line is nothing. */
export function decodeGemini(line: string): readonly AgentEvent[] {
  if (line.trim() === '') return [];
  const parsed = geminiLine.safeParse(parseObject(line));
  return parsed.success ? eventsOf(parsed.data) : unknownLine(line);
}

function eventsOf(line: GeminiLine): readonly AgentEvent[] {
  switch (line.type) {
    case 'init':
      return [{ type: 'session', id: line.session_id, ...(line.model === undefined ? {} : { model: line.model }) }];
    case 'message':
      // The user's message is the prompt.
      if (line.role !== 'assistant' || line.content === '') return [];
      return [{ type: 'text', text: line.content, ...(line.delta === true ? { piece: true } : {}) }];
    case 'tool_use':
      return [{ type: 'tool', id: line.tool_id, name: line.tool_name, input: line.parameters }];
    case 'tool_result':
      return [
        {
          type: 'tool-result',
          id: line.tool_id,
          isError: line.status !== 'success',
          output: clipOutput(line.error?.message ?? line.output ?? ''),
        },
      ];
    case 'error':
      return [{ type: 'notice', text: line.message }];
    case 'result':
      return [...usageEvents(line.stats), ...endEvents(line)];
  }
}

function endEvents({ status, error }: Extract<GeminiLine, { type: 'result' }>): readonly AgentEvent[] {
  if (status === 'success') return [{ type: 'end', ok: true, text: '' }];
  const message =
    error?.type === 'FatalTurnLimitedError'
      ? 'Gemini CLI did not come to an end within the turns it may take. Split the task or say more precisely when it is done.'
      : 'Gemini CLI could not go on.';
  return [
    { type: 'error', failure: 'crash', message },
    { type: 'end', ok: false, text: error?.message ?? '' },
  ];
}

/** `inputTokens` are those not read from a cache, as at the gateway. Gemini CLI counts cached ones among all. */
function usageEvents(counts: z.infer<typeof stats> | undefined): readonly AgentEvent[] {
  if (counts === undefined) return [];
  return [
    {
      type: 'usage',
      usage: {
        inputTokens: Math.max(0, counts.input_tokens - counts.cached),
        outputTokens: counts.output_tokens,
        cachedInputTokens: counts.cached,
        costUsd: undefined,
      },
    },
  ];
}
