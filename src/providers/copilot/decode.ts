import type { AgentEvent } from '../../domain/event.ts';
import { clipOutput, decodeByType } from '../json-line.ts';
import { failureOfStatus } from '../refusal.ts';
import {
  idleLine,
  infoLine,
  messageLine,
  reasoningLine,
  resultLine,
  sessionErrorLine,
  toolEndLine,
  toolStartLine,
} from './lines.ts';

/** Pieces of what follows whole, and notes on Copilot's own affairs. */
const NOTHING_SAID: ReadonlySet<string> = new Set([
  'session.skills_loaded',
  'session.mcp_servers_loaded',
  'session.mcp_server_status_changed',
  'session.mcp_server_tools_loaded',
  'session.tools_updated',
  'session.usage_info',
  'session.usage_record',
  'session.background_tasks_changed',
  'session.title_changed',
  'user.message',
  'assistant.turn_start',
  'assistant.turn_end',
  'assistant.turn_retry',
  'assistant.message_start',
  'assistant.message_delta',
  'assistant.reasoning_delta',
  'assistant.tool_call_delta',
  'assistant.usage',
  'model.call_start',
  'model.call_failure',
  'model.call_finished',
  'model.call_final_result',
  'tool.execution_partial_result',
  'tool.shell_output',
  'tool.execution_progress',
]);

/** One line of `--output-format json` to events. Never throws; a blank line is nothing. */
export function decodeCopilot(line: string): readonly AgentEvent[] {
  return decodeByType(line, decodeTyped);
}

/** Undefined when the line is not as its type promises. */
function decodeTyped(type: string, value: unknown): readonly AgentEvent[] | undefined {
  switch (type) {
    case 'assistant.message': {
      const text = messageLine.safeParse(value).data?.data.content;
      return text === undefined ? undefined : text === '' ? [] : [{ type: 'text', text }];
    }
    case 'assistant.reasoning': {
      const text = reasoningLine.safeParse(value).data?.data.content;
      return text === undefined ? undefined : text === '' ? [] : [{ type: 'thinking', text }];
    }
    case 'tool.execution_start': {
      const call = toolStartLine.safeParse(value).data?.data;
      return call && [{ type: 'tool', id: call.toolCallId, name: call.toolName, input: call.arguments }];
    }
    case 'tool.execution_complete': {
      const done = toolEndLine.safeParse(value).data?.data;
      const output = clipOutput(done?.error?.message ?? done?.result?.content ?? '');
      const broke = done?.success !== true || (done.shellExecution?.exitCode ?? 0) !== 0;
      return done && [{ type: 'tool-result', id: done.toolCallId, isError: broke, output }];
    }
    case 'session.info':
    case 'session.warning': {
      const text = infoLine.safeParse(value).data?.data.message;
      return text === undefined ? undefined : [{ type: 'notice', text }];
    }
    case 'session.error':
      return decodeError(value);
    case 'abort':
      return [ABORTED];
    case 'assistant.idle':
      return idleLine.safeParse(value).data?.data?.aborted === true ? [ABORTED] : [];
    case 'result':
      return decodeResult(value);
    default:
      return NOTHING_SAID.has(type) ? [] : undefined;
  }
}

function decodeError(value: unknown): readonly AgentEvent[] | undefined {
  const error = sessionErrorLine.safeParse(value).data?.data;
  if (error === undefined) return undefined;
  const { errorType, statusCode, message = '' } = error;
  const failure = statusCode === undefined ? failureOfType(errorType) : failureOfStatus(statusCode);
  return [
    { type: 'notice', text: message },
    { type: 'error', failure: failure.kind, message: failure.message },
  ];
}

function failureOfType(errorType: string | undefined): ReturnType<typeof failureOfStatus> {
  if (errorType === 'authentication') return failureOfStatus(401);
  if (errorType === 'rate_limit') return failureOfStatus(429);
  return { kind: 'crash', message: 'Copilot could not go on.' };
}

const ABORTED: AgentEvent = { type: 'error', failure: 'crash', message: 'Copilot was interrupted.' };

function decodeResult(value: unknown): readonly AgentEvent[] | undefined {
  const line = resultLine.safeParse(value).data;
  return (
    line && [
      { type: 'session', id: line.sessionId },
      { type: 'end', ok: line.exitCode === 0, text: '' },
    ]
  );
}
