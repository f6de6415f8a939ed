import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, decodeByType } from '../json-line.ts';
import { failureOfResult, failureOfWord, usedUp } from './failure.ts';
import {
  assistantLine,
  initLine,
  rateLimitLine,
  resultLine,
  retryLine,
  systemLine,
  userLine,
  type Block,
  type ResultLine,
  type ToolResultBlock,
} from './lines.ts';

/** One line of `--output-format stream-json` to events. Never throws; a blank line is nothing. */
export function decodeClaude(line: string): readonly AgentEvent[] {
  return decodeByType(line, decodeTyped);
}

/** Undefined when the line is not as its type promises. */
function decodeTyped(type: string, value: unknown): readonly AgentEvent[] | undefined {
  switch (type) {
    case 'system':
      return decodeSystem(value);
    case 'assistant':
      return decodeAssistant(value);
    case 'user':
      return decodeUser(value);
    case 'result': {
      const line = resultLine.safeParse(value).data;
      return line && endEvents(line);
    }
    case 'rate_limit_event': {
      const info = rateLimitLine.safeParse(value).data?.rate_limit_info;
      return info && (info.status === 'rejected' ? [usedUp(info.resetsAt ?? undefined)] : []);
    }
    // Pieces of messages that follow whole.
    case 'stream_event':
      return [];
    default:
      return undefined;
  }
}

function decodeSystem(value: unknown): readonly AgentEvent[] | undefined {
  switch (systemLine.safeParse(value).data?.subtype ?? '') {
    case 'init': {
      const line = initLine.safeParse(value).data;
      return (
        line && [{ type: 'session', id: line.session_id, ...(line.model === undefined ? {} : { model: line.model }) }]
      );
    }
    case 'api_retry': {
      const line = retryLine.safeParse(value).data;
      return line && [{ type: 'notice', text: retryText(line) }];
    }
    // Progress of the request under way.
    case 'status':
    case 'thinking_tokens':
      return [];
    case 'compact_boundary':
      return [{ type: 'notice', text: 'The conversation was compacted to make room.' }];
    default:
      return undefined;
  }
}

function retryText(line: {
  attempt: number;
  max_retries: number;
  retry_delay_ms: number;
  error_status?: number | null | undefined;
}): string {
  const why = line.error_status
    ? `The model endpoint answered ${line.error_status}`
    : 'The model endpoint could not be reached';
  const seconds = (line.retry_delay_ms / 1000).toFixed(1);
  return `${why}; trying again in ${seconds} s (${line.attempt} of ${line.max_retries}).`;
}

function decodeAssistant(value: unknown): readonly AgentEvent[] | undefined {
  const line = assistantLine.safeParse(value).data;
  if (line === undefined) return undefined;
  if (line.is_api_error_message === true) return [failureOfWord(line.error ?? '')];
  return line.message.content.flatMap(blockEvents);
}

function blockEvents(block: Block): readonly AgentEvent[] {
  if ('text' in block) return block.text === '' ? [] : [{ type: 'text', text: block.text }];
  if ('thinking' in block) return block.thinking === '' ? [] : [{ type: 'thinking', text: block.thinking }];
  if ('id' in block) return [{ type: 'tool', id: block.id, name: block.name, input: block.input }];
  return [];
}

function decodeUser(value: unknown): readonly AgentEvent[] | undefined {
  const line = userLine.safeParse(value).data;
  if (line === undefined) return undefined;
  const { content } = line.message;
  if (typeof content === 'string') return [];
  return content.flatMap((block) => ('tool_use_id' in block ? [toolResult(block)] : []));
}

function toolResult(block: ToolResultBlock): AgentEvent {
  const { content = '' } = block;
  const output =
    typeof content === 'string' ? content : content.map((part) => part.text ?? `[${part.type}]`).join('\n');
  return { type: 'tool-result', id: block.tool_use_id, isError: block.is_error === true, output: clipOutput(output) };
}

/** `subtype` says "success" also of failed requests: only `is_error` tells. */
function endEvents(line: ResultLine): readonly AgentEvent[] {
  const failure = line.is_error ? failureOfResult(line) : undefined;
  const text = line.result ?? line.errors?.join('\n') ?? '';
  return [...usageEvents(line), ...(failure === undefined ? [] : [failure]), { type: 'end', ok: !line.is_error, text }];
}

/** `inputTokens` are those not read from a cache, as at the gateway. Cost is Claude Code's own sum by list price. */
function usageEvents({ usage, total_cost_usd }: ResultLine): readonly AgentEvent[] {
  if (usage === undefined) return [];
  return [
    {
      type: 'usage',
      usage: {
        inputTokens: usage.input_tokens + usage.cache_creation_input_tokens,
        outputTokens: usage.output_tokens,
        cachedInputTokens: usage.cache_read_input_tokens,
        costUsd: total_cost_usd,
      },
    },
  ];
}
