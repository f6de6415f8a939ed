import { z } from 'zod';
import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, parseObject, unknownLine } from '../json-line.ts';

/** The kinds of failure the scripted agent can be told to report. */
const kinds = ['auth', 'quota', 'overloaded', 'network', 'context-full', 'permission', 'crash', 'budget'] as const;

/**
 * The scripted agent's output: one JSON object a line. `start` comes first, `end` last; a conversation without `end` broke off.
 */
const scriptedLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('start'), conversation: z.string() }),
  z.object({ type: z.literal('say'), text: z.string() }),
  z.object({ type: z.literal('think'), text: z.string() }),
  z.object({ type: z.literal('tool'), id: z.string(), name: z.string(), input: z.record(z.string(), z.unknown()) }),
  z.object({ type: z.literal('tool-result'), id: z.string(), ok: z.boolean(), output: z.string() }),
  z.object({
    type: z.literal('usage'),
    input: z.number(),
    output: z.number(),
    cached: z.number(),
    costUsd: z.number().optional(),
  }),
  z.object({ type: z.literal('error'), kind: z.enum(kinds), message: z.string(), resetAt: z.number().optional() }),
  z.object({ type: z.literal('end'), ok: z.boolean(), text: z.string() }),
]);

type ScriptedLine = z.infer<typeof scriptedLine>;

/** One line of the scripted agent's output to events. Never throws; a blank line is nothing. */
export function decodeScripted(line: string): readonly AgentEvent[] {
  if (line.trim() === '') return [];
  const parsed = scriptedLine.safeParse(parseObject(line));
  return parsed.success ? [eventOf(parsed.data)] : unknownLine(line);
}

function eventOf(line: ScriptedLine): AgentEvent {
  switch (line.type) {
    case 'start':
      return { type: 'session', id: line.conversation };
    case 'say':
      return { type: 'text', text: line.text };
    case 'think':
      return { type: 'thinking', text: line.text };
    case 'tool':
      return line;
    case 'tool-result':
      return { type: 'tool-result', id: line.id, isError: !line.ok, output: clipOutput(line.output) };
    case 'usage':
      return {
        type: 'usage',
        usage: {
          inputTokens: line.input,
          outputTokens: line.output,
          cachedInputTokens: line.cached,
          costUsd: line.costUsd,
        },
      };
    case 'error': {
      const { kind: failure, message, resetAt } = line;
      return { type: 'error', failure, message, ...(resetAt === undefined ? {} : { resetAt }) };
    }
    case 'end':
      return line;
  }
}
