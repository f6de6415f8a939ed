import { egress } from '../egress.ts';
import { openAiApiFor } from '../openai-api.ts';
import type { AgentCommand, AgentTask } from '../provider.ts';

/** The model of tasks that name none. */
const DEFAULT_MODEL = 'gpt-5.5';

/** Where nothing listens: OpenCode asks npm for a package at every start, which must fail fast and without the network. */
const NOWHERE = 'http://127.0.0.1:9/';

/**
 * The command line of one headless conversation. An argument would be quoted once more: the prompt goes in on standard
 * input.
 */
export function opencodeCommand(task: AgentTask): AgentCommand {
  const model = task.model ?? DEFAULT_MODEL;
  const argv = [
    'opencode',
    'run',
    '--format',
    'json',
    '--auto',
    '--thinking',
    '--dir',
    task.cwd,
    '-m',
    `maestro/${model}`,
    ...(task.resume === undefined ? [] : ['-s', task.resume]),
  ];
  const env = {
    MAESTRO_MODEL_KEY: task.placeholderKey,
    OPENCODE_CONFIG_CONTENT: JSON.stringify(configuration(task, model)),
    OPENCODE_DISABLE_AUTOUPDATE: '1',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_DISABLE_LSP_DOWNLOAD: '1',
    OPENCODE_DISABLE_DEFAULT_PLUGINS: '1',
    OPENCODE_DISABLE_SHARE: '1',
    npm_config_registry: NOWHERE,
    npm_config_offline: 'true',
    ...egress(task),
  };
  const files = task.systemPrompt === undefined ? {} : { '.config/opencode/AGENTS.md': task.systemPrompt };
  return { argv, env, stdin: task.prompt, files };
}

function configuration(task: AgentTask, model: string): object {
  return {
    autoupdate: false,
    share: 'disabled',
    permission: 'allow',
    provider: {
      maestro: {
        npm: openAiApiFor(model) === 'responses' ? '@ai-sdk/openai' : '@ai-sdk/openai-compatible',
        name: 'Maestro',
        options: { baseURL: `${task.gatewayUrl}/openai/v1`, apiKey: '{env:MAESTRO_MODEL_KEY}' },
        models: {
          [model]: { name: model, ...(task.effort === undefined ? {} : { options: { reasoningEffort: task.effort } }) },
        },
      },
    },
    ...(task.mcpServers === undefined ? {} : { mcp: mcp(task.mcpServers) }),
  };
}

function mcp(servers: NonNullable<AgentTask['mcpServers']>): object {
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => {
      if ('url' in server) return [name, { type: 'remote', ...server, enabled: true }];
      const { command, args, env } = server;
      const environment = env === undefined ? {} : { environment: env };
      return [name, { type: 'local', command: [command, ...args], enabled: true, ...environment }];
    }),
  );
}
