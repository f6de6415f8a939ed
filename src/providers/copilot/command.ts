import { egress } from '../egress.ts';
import { openAiApiFor } from '../openai-api.ts';
import type { AgentCommand, AgentTask } from '../provider.ts';

/** The model of tasks that name none. */
const DEFAULT_MODEL = 'gpt-5.4';

/** Where the agent image keeps what the binary would otherwise unpack at every start. Elsewhere it is not there, and it unpacks. */
const UNPACKED = '/opt/agents/copilot/dist';

/**
 * The command line of one headless conversation with a model of the operator's own, which needs no GitHub login. The conversation's
 * id is printed in its last line only, so it is chosen beforehand.
 */
export function copilotCommand(task: AgentTask): AgentCommand {
  const model = task.model ?? DEFAULT_MODEL;
  const argv = [
    'copilot',
    '--output-format',
    'json',
    '--allow-all',
    '--no-ask-user',
    '--no-auto-update',
    '--no-color',
    '--log-level',
    'none',
    task.resume === undefined ? `--session-id=${task.conversation}` : `--resume=${task.resume}`,
    '--model',
    model,
    ...(task.effort === undefined ? [] : ['--reasoning-effort', task.effort]),
    ...(task.mcpServers === undefined ? [] : ['--additional-mcp-config', JSON.stringify(mcp(task.mcpServers))]),
  ];
  const env = {
    COPILOT_OFFLINE: 'true',
    COPILOT_AUTO_UPDATE: 'false',
    COPILOT_PROVIDER_BASE_URL: `${task.gatewayUrl}/openai/v1`,
    COPILOT_PROVIDER_TYPE: 'openai',
    COPILOT_PROVIDER_WIRE_API: openAiApiFor(model) === 'responses' ? 'responses' : 'completions',
    COPILOT_PROVIDER_API_KEY: task.placeholderKey,
    COPILOT_CLI_DIST_DIR: UNPACKED,
    ...egress(task),
  };
  const files = task.systemPrompt === undefined ? {} : { '.copilot/copilot-instructions.md': task.systemPrompt };
  return { argv, env, stdin: task.prompt, files };
}

function mcp(servers: NonNullable<AgentTask['mcpServers']>): object {
  return {
    mcpServers: Object.fromEntries(
      Object.entries(servers).map(([name, server]) => [
        name,
        { type: 'url' in server ? 'http' : 'local', ...server, tools: ['*'] },
      ]),
    ),
  };
}
