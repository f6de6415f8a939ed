import { egress } from '../egress.ts';
import type { AgentCommand, AgentTask } from '../provider.ts';

/** Turns after which Gemini CLI stops by itself: far beyond a sound task, so that a loop ends before the wall clock does. */
const MAX_TURNS = 250;

/** Tries of one model request; beyond these the engine's policy decides. Its default, 10, takes four minutes. */
const MAX_ATTEMPTS = 3;

/** The model of tasks that name none. */
const DEFAULT_MODEL = 'gemini-2.5-pro';

/**
 * The command line of one headless conversation. Without `--approval-mode yolo` it offers the model no tool that writes. It has no
 * setting of effort: `task.effort` is not passed on.
 */
export function geminiCommand(task: AgentTask): AgentCommand {
  const argv = [
    'gemini',
    '-o',
    'stream-json',
    '--approval-mode',
    'yolo',
    '--skip-trust',
    '-m',
    task.model ?? DEFAULT_MODEL,
    ...(task.resume === undefined ? ['--session-id', task.conversation] : ['--resume', task.resume]),
  ];
  const env = {
    GOOGLE_GEMINI_BASE_URL: `${task.gatewayUrl}/gemini`,
    GEMINI_API_KEY: task.placeholderKey,
    GEMINI_TELEMETRY_ENABLED: 'false',
    // One process instead of two, which also ends when it is told to.
    GEMINI_CLI_NO_RELAUNCH: 'true',
    ...egress(task),
  };
  const files = {
    '.gemini/settings.json': `${JSON.stringify(settings(task), undefined, 2)}\n`,
    ...(task.systemPrompt === undefined ? {} : { '.gemini/GEMINI.md': task.systemPrompt }),
  };
  return { argv, env, stdin: task.prompt, files };
}

function settings(task: AgentTask): object {
  return {
    security: {
      auth: { selectedType: 'gemini-api-key' },
      folderTrust: { enabled: false },
      // Commands of the agent do not see the variables that look like credentials.
      environmentVariableRedaction: { enabled: true },
    },
    privacy: { usageStatisticsEnabled: false },
    telemetry: { enabled: false },
    general: {
      enableAutoUpdate: false,
      enableAutoUpdateNotification: false,
      maxAttempts: MAX_ATTEMPTS,
      retryFetchErrors: false,
    },
    model: { maxSessionTurns: MAX_TURNS },
    ...(task.mcpServers === undefined ? {} : { mcpServers: mcp(task.mcpServers) }),
  };
}

function mcp(servers: NonNullable<AgentTask['mcpServers']>): object {
  return Object.fromEntries(
    Object.entries(servers).map(([name, server]) => [
      name,
      'url' in server ? { httpUrl: server.url, headers: server.headers } : server,
    ]),
  );
}
