import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, decodeByType } from '../json-line.ts';
import { completedLine, errorLine, failedLine, itemLine, threadLine, type Item } from './lines.ts';

type Phase = 'item.started' | 'item.updated' | 'item.completed';

/** One line of `codex exec --json` to events. Never throws; a blank line is nothing. */
export function decodeCodex(line: string): readonly AgentEvent[] {
  return decodeByType(line, decodeTyped);
}

/** Undefined when the line is not as its type promises. */
function decodeTyped(type: string, value: unknown): readonly AgentEvent[] | undefined {
  switch (type) {
    case 'thread.started': {
      const line = threadLine.safeParse(value).data;
      return line && [{ type: 'session', id: line.thread_id }];
    }
    case 'turn.started':
      return [];
    case 'item.started':
    case 'item.updated':
    case 'item.completed': {
      const line = itemLine.safeParse(value).data;
      return line && decodeItem(line.type, line.item);
    }
    case 'turn.completed': {
      const line = completedLine.safeParse(value).data;
      return line && [...usageEvents(line.usage), { type: 'end', ok: true, text: '' }];
    }
    case 'turn.failed': {
      const line = failedLine.safeParse(value).data;
      return line && failed(line.error.message);
    }
    // Told before every retry, and once more before `turn.failed`.
    case 'error': {
      const line = errorLine.safeParse(value).data;
      return line && [{ type: 'notice', text: line.message }];
    }
    default:
      return undefined;
  }
}

/** Codex says in prose only why a turn failed: the words are kept for people, the kind comes from the wire. */
function failed(message: string): readonly AgentEvent[] {
  return [
    { type: 'error', failure: 'crash', message: 'Codex could not go on.' },
    { type: 'end', ok: false, text: message },
  ];
}

function decodeItem(phase: Phase, item: Item): readonly AgentEvent[] {
  const done = phase === 'item.completed';
  switch (item.type) {
    case 'agent_message':
      return done && item.text !== '' ? [{ type: 'text', text: item.text }] : [];
    case 'reasoning':
      return done && item.text !== '' ? [{ type: 'thinking', text: item.text }] : [];
    case 'error':
      return done ? [{ type: 'notice', text: item.message }] : [];
    case 'todo_list':
      return [];
    case 'command_execution':
    case 'file_change':
    case 'mcp_tool_call':
    case 'web_search':
      return toolEvents(phase, item);
  }
}

type ToolItem = Extract<Item, { readonly id: string }>;

function toolEvents(phase: Phase, item: ToolItem): readonly AgentEvent[] {
  if (phase === 'item.started') return [{ type: 'tool', id: item.id, ...callOf(item) }];
  if (phase === 'item.updated') return [];
  return [{ type: 'tool-result', id: item.id, ...resultOf(item) }];
}

function callOf(item: ToolItem): { readonly name: string; readonly input: unknown } {
  switch (item.type) {
    case 'command_execution':
      return { name: 'shell', input: { command: item.command } };
    case 'file_change':
      return { name: 'apply_patch', input: { changes: item.changes } };
    case 'mcp_tool_call':
      return { name: `${item.server}.${item.tool}`, input: item.arguments };
    case 'web_search':
      return { name: 'web_search', input: { query: item.query } };
  }
}

function resultOf(item: ToolItem): { readonly isError: boolean; readonly output: string } {
  const broke = item.status === 'failed' || item.status === 'declined';
  switch (item.type) {
    case 'command_execution':
      return { isError: broke || (item.exit_code ?? 0) !== 0, output: clipOutput(item.aggregated_output ?? '') };
    case 'file_change':
      return { isError: broke, output: clipOutput(item.changes.map(({ kind, path }) => `${kind} ${path}`).join('\n')) };
    case 'mcp_tool_call': {
      const said = (item.result?.content ?? []).map((part) => part.text ?? `[${part.type}]`).join('\n');
      return { isError: broke || !!item.error, output: clipOutput(item.error?.message ?? said) };
    }
    case 'web_search':
      return { isError: broke, output: '' };
  }
}

/** `inputTokens` are those not read from a cache, as at the gateway. Codex counts cached ones among all. */
function usageEvents(
  usage:
    | { readonly input_tokens: number; readonly cached_input_tokens: number; readonly output_tokens: number }
    | undefined,
): readonly AgentEvent[] {
  if (usage === undefined) return [];
  const { input_tokens, cached_input_tokens, output_tokens } = usage;
  return [
    {
      type: 'usage',
      usage: {
        inputTokens: Math.max(0, input_tokens - cached_input_tokens),
        outputTokens: output_tokens,
        cachedInputTokens: cached_input_tokens,
        costUsd: undefined,
      },
    },
  ];
}
