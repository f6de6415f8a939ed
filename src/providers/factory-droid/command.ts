import { egress } from '../egress.ts';
import { openAiApiFor } from '../openai-api.ts';
import type { AgentCommand, AgentTask } from '../provider.ts';

/** The model of tasks that name none. */
const DEFAULT_MODEL = 'gpt-5.5';

/** How the custom model below is called on the command line: its display name and its place in the list. */
const MODEL_ID = 'custom:Maestro-0';

/** Tokens of one answer: Droid asks for so many. */
const MAX_OUTPUT_TOKENS = 16_384;

/**
 * The command line of one headless conversation. Airgapped, Droid needs no account and reaches nothing but the model it is given.
 * Offline it can't go on with a session itself, only with a copy of it: `--fork`.
 */
export function droidCommand(task: AgentTask): AgentCommand {
  const argv = [
    'droid',
    'exec',
    '-o',
    'stream-json',
    '--skip-permissions-unsafe',
    '--cwd',
    task.cwd,
    '-m',
    MODEL_ID,
    ...(task.effort === undefined ? [] : ['-r', task.effort]),
    ...(task.resume === undefined ? [] : ['--fork', task.resume]),
    ...(task.systemPrompt === undefined ? [] : ['--append-system-prompt', task.systemPrompt]),
  ];
  const env = {
    FACTORY_AIRGAP_ENABLED: 'true',
    FACTORY_DROID_AUTO_UPDATE_ENABLED: 'false',
    FACTORY_OTEL_ENABLED: 'false',
    MAESTRO_MODEL_KEY: task.placeholderKey,
    ...egress(task),
  };
  const files = {
    '.factory/settings.json': `${JSON.stringify(settings(task), undefined, 2)}\n`,
    ...(task.mcpServers === undefined ? {} : { '.factory/mcp.json': `${JSON.stringify(mcp(task.mcpServers))}\n` }),
  };
  return { argv, env, stdin: task.prompt, files };
}

function settings(task: AgentTask): object {
  const model = task.model ?? DEFAULT_MODEL;
  return {
    customModels: [
      {
        model,
        displayName: 'Maestro',
        baseUrl: `${task.gatewayUrl}/openai/v1`,
        apiKey: '${MAESTRO_MODEL_KEY}',
        provider: openAiApiFor(model) === 'responses' ? 'openai' : 'generic-chat-completion-api',
        maxOutputTokens: MAX_OUTPUT_TOKENS,
      },
    ],
    cloudSessionSync: false,
  };
}

function mcp(servers: NonNullable<AgentTask['mcpServers']>): object {
  return {
    mcpServers: Object.fromEntries(
      Object.entries(servers).map(([name, server]) => [
        name,
        { type: 'url' in server ? 'http' : 'stdio', ...server, disabled: false },
      ]),
    ),
  };
}
