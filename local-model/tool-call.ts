import { randomBytes } from 'node:crypto';
import type { Answer, Asked, OfferedTool, ToolCall } from './protocol.ts';
import type { Step } from './script.ts';

const WRITE_TOOLS = ['Write', 'write', 'write_file', 'Create', 'create'];
const SHELL_TOOLS = ['Bash', 'bash', 'exec_command', 'shell', 'Execute', 'run_shell_command'];

/** What a step says, with its tool call in the words of the tools the client offers. */
export function answerFor(step: Step, asked: Asked): Answer {
  const call = callFor(step, asked.tools);
  const wanted = step.write !== undefined || step.bash !== undefined;
  const missing = wanted && call === undefined ? ' (The client offers no tool for this step.)' : '';
  return {
    text: `${step.text ?? ''}${missing}`,
    thinking: step.thinking,
    call,
    usage: { input: 1200, output: 40, cached: 200, ...withoutUndefined(step.usage ?? {}) },
  };
}

function callFor(step: Step, tools: readonly OfferedTool[]): ToolCall | undefined {
  const id = randomBytes(9).toString('hex');
  if (step.tool !== undefined) return { id, ...step.tool };
  if (step.write !== undefined) {
    const tool = firstOffered(tools, WRITE_TOOLS);
    if (tool === undefined) return shell(id, tools, writeCommand(step.write));
    const path = ['file_path', 'filePath', 'path'].find((name) => tool.parameters.includes(name)) ?? 'file_path';
    return { id, name: tool.name, input: { [path]: step.write.path, content: step.write.content } };
  }
  return step.bash === undefined ? undefined : shell(id, tools, step.bash);
}

function shell(id: string, tools: readonly OfferedTool[], command: string): ToolCall | undefined {
  const tool = firstOffered(tools, SHELL_TOOLS);
  if (tool === undefined) return undefined;
  const input = tool.parameters.includes('cmd') ? { cmd: command } : { command, description: 'Run a command' };
  return { id, name: tool.name, input };
}

function writeCommand(write: { readonly path: string; readonly content: string }): string {
  const path = quote(write.path);
  return `mkdir -p "$(dirname ${path})" && printf '%s' ${quote(write.content)} > ${path}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function firstOffered(tools: readonly OfferedTool[], names: readonly string[]): OfferedTool | undefined {
  return names.map((name) => tools.find((tool) => tool.name === name)).find((tool) => tool !== undefined);
}

function withoutUndefined(usage: NonNullable<Step['usage']>): Partial<Answer['usage']> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
