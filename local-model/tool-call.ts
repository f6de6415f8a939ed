import { randomBytes } from 'node:crypto';
import type { Answer, Asked, OfferedTool, ToolCall } from './protocol.ts';
import type { Step } from './script.ts';

const WRITE_TOOLS = ['Write', 'write', 'write_file', 'Create', 'create'];
const SHELL_TOOLS = ['Bash', 'bash', 'exec_command', 'shell', 'Execute', 'run_shell_command'];

/** What a step says, with its tool call in the words of the tools the client offers. */
export function answerFor(step: Step, asked: Asked): Answer {
  const call = callFor(step, asked.tools);
  const wanted = step.write !== undefined || step.bash !== undefined || step.mcp !== undefined;
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
  if (step.mcp !== undefined) return mcpCall(id, tools, step.mcp);
  if (step.write !== undefined) return writeCall(id, tools, step.write) ?? shell(id, tools, writeCommand(step.write));
  return step.bash === undefined ? undefined : shell(id, tools, step.bash);
}

/** Clients name such a tool by its server and its own name, with something in between: `mcp__lab__ping`, `lab_ping`, `lab-ping`. */
function mcpCall(
  id: string,
  tools: readonly OfferedTool[],
  { server, tool, input }: NonNullable<Step['mcp']>,
): ToolCall | undefined {
  const offered = tools.find(
    ({ name, namespace = '' }) => name.endsWith(tool) && `${namespace}${name}`.includes(server),
  );
  if (offered === undefined) return undefined;
  const { name, namespace } = offered;
  return { id, name, ...(namespace === undefined ? {} : { namespace }), input };
}

function writeCall(id: string, tools: readonly OfferedTool[], write: NonNullable<Step['write']>): ToolCall | undefined {
  const patch = tools.find((tool) => tool.name === 'apply_patch' && tool.freeform);
  if (patch !== undefined) return { id, name: patch.name, input: {}, freeform: addFilePatch(write) };
  const tool = firstOffered(tools, WRITE_TOOLS);
  if (tool === undefined) return undefined;
  const path = ['file_path', 'filePath', 'path'].find((name) => tool.parameters.includes(name)) ?? 'file_path';
  return { id, name: tool.name, input: { ...filled(tool), [path]: write.path, content: write.content } };
}

function shell(id: string, tools: readonly OfferedTool[], command: string): ToolCall | undefined {
  const tool = firstOffered(tools, SHELL_TOOLS);
  if (tool !== undefined) {
    const name = tool.parameters.includes('cmd') ? 'cmd' : 'command';
    return { id, name: tool.name, input: { ...filled(tool), description: 'Run a command', [name]: command } };
  }
  // Codex's "code mode": one tool that takes a JavaScript program.
  const code = tools.find((one) => one.name === 'exec' && one.freeform);
  if (code === undefined) return undefined;
  const program = `const result = await tools.exec_command(${JSON.stringify({ cmd: command })}); text(result.output);`;
  return { id, name: code.name, input: {}, freeform: program };
}

/** The patch language of OpenAI's models. */
function addFilePatch({ path, content }: NonNullable<Step['write']>): string {
  const lines = content.replace(/\n$/, '').split('\n');
  return ['*** Begin Patch', `*** Add File: ${path}`, ...lines.map((line) => `+${line}`), '*** End Patch', ''].join(
    '\n',
  );
}

function writeCommand(write: { readonly path: string; readonly content: string }): string {
  const path = quote(write.path);
  return `mkdir -p "$(dirname ${path})" && printf '%s' ${quote(write.content)} > ${path}`;
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A value of the right kind for each parameter the tool insists on. */
function filled(tool: OfferedTool): Readonly<Record<string, unknown>> {
  return Object.fromEntries(tool.required.map(({ name, choices, type }) => [name, choices[0] ?? valueOf(type)]));
}

function valueOf(type: string): unknown {
  switch (type) {
    case 'boolean':
      return false;
    case 'number':
    case 'integer':
      return 60;
    case 'array':
      return [];
    case 'object':
      return {};
    default:
      return 'a scripted value';
  }
}

function firstOffered(tools: readonly OfferedTool[], names: readonly string[]): OfferedTool | undefined {
  return names.map((name) => tools.find((tool) => tool.name === name)).find((tool) => tool !== undefined);
}

function withoutUndefined(usage: NonNullable<Step['usage']>): Partial<Answer['usage']> {
  return Object.fromEntries(Object.entries(usage).filter(([, value]) => value !== undefined));
}
