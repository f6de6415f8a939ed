import { z } from 'zod';
import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, parseObject, unknownLine } from '../json-line.ts';
import { CONTEXT_FULL, failureOfStatus } from '../refusal.ts';

const tokens = z.number().nonnegative().catch(0);

/** The lines of `opencode run --format json`, as printed by 1.18.33, with only the fields we use. */
const opencodeLine = z.discriminatedUnion('type', [
  z.object({ type: z.literal('step_start'), sessionID: z.string() }),
  z.object({ type: z.literal('text'), part: z.object({ text: z.string() }) }),
  z.object({ type: z.literal('reasoning'), part: z.object({ text: z.string() }) }),
  z.object({
    type: z.literal('tool_use'),
    part: z.object({
      tool: z.string(),
      callID: z.string(),
      state: z.object({
        status: z.string(),
        input: z.unknown(),
        output: z.string().optional(),
        error: z.string().optional(),
        metadata: z.object({ exit: z.number().nullish() }).optional().catch(undefined),
      }),
    }),
  }),
  z.object({
    type: z.literal('step_finish'),
    part: z.object({
      reason: z.string(),
      tokens: z.object({
        input: tokens,
        output: tokens,
        reasoning: tokens,
        cache: z.object({ read: tokens, write: tokens }),
      }),
    }),
  }),
  z.object({
    type: z.literal('error'),
    error: z.object({
      name: z.string(),
      data: z.object({ message: z.string().optional(), statusCode: z.number().optional() }).optional(),
    }),
  }),
]);

type OpencodeLine = z.infer<typeof opencodeLine>;

/** One line of `--format json` to events. Never throws; a blank line is nothing. */
export function decodeOpencode(line: string): readonly AgentEvent[] {
  if (line.trim() === '') return [];
  const parsed = opencodeLine.safeParse(parseObject(line));
  return parsed.success ? eventsOf(parsed.data) : unknownLine(line);
}

function eventsOf(line: OpencodeLine): readonly AgentEvent[] {
  switch (line.type) {
    case 'step_start':
      return [{ type: 'session', id: line.sessionID }];
    case 'text':
      return line.part.text === '' ? [] : [{ type: 'text', text: line.part.text }];
    case 'reasoning':
      return line.part.text === '' ? [] : [{ type: 'thinking', text: line.part.text }];
    case 'tool_use':
      return toolEvents(line.part);
    case 'step_finish':
      return stepEvents(line.part);
    case 'error':
      return [errorEvent(line.error)];
  }
}

/** A call is printed once, when it has its result. */
function toolEvents({
  tool,
  callID,
  state,
}: Extract<OpencodeLine, { type: 'tool_use' }>['part']): readonly AgentEvent[] {
  const isError = state.status === 'error' || (state.metadata?.exit ?? 0) !== 0;
  return [
    { type: 'tool', id: callID, name: tool, input: state.input },
    { type: 'tool-result', id: callID, isError, output: clipOutput(state.error ?? state.output ?? '') },
  ];
}

/** There is no last event: a step that ends with `stop` is the last. `inputTokens` are those not read from a cache. */
function stepEvents({
  reason,
  tokens: counts,
}: Extract<OpencodeLine, { type: 'step_finish' }>['part']): readonly AgentEvent[] {
  const usage = {
    inputTokens: counts.input + counts.cache.write,
    outputTokens: counts.output + counts.reasoning,
    cachedInputTokens: counts.cache.read,
    costUsd: undefined,
  };
  const end: readonly AgentEvent[] = reason === 'stop' ? [{ type: 'end', ok: true, text: '' }] : [];
  return [{ type: 'usage', usage }, ...end];
}

function errorEvent({ name, data }: Extract<OpencodeLine, { type: 'error' }>['error']): AgentEvent {
  const failure =
    name === 'ContextOverflowError'
      ? CONTEXT_FULL
      : data?.statusCode === undefined
        ? ({ kind: 'crash', message: 'OpenCode could not go on.' } as const)
        : failureOfStatus(data.statusCode);
  return { type: 'error', failure: failure.kind, message: failure.message };
}
