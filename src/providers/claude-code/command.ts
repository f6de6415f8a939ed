import { egress } from '../egress.ts';
import type { AgentCommand, AgentTask } from '../provider.ts';

/** Turns after which Claude Code stops by itself: far beyond a sound task, so that a loop ends before the wall clock does. */
const MAX_TURNS = 250;

/** Claude Code's own retries of a failed model request; beyond these the engine's policy decides. Its default, 10, takes three minutes. */
const MAX_RETRIES = 3;

/**
 * The command line of one headless conversation. The prompt goes in on standard input: as an argument it would be limited to
 * 128 KiB. MCP servers are those of the task only (`--strict-mcp-config`); permissions are the container's business.
 */
export function claudeCommand(task: AgentTask): AgentCommand {
  const argv = [
    'claude',
    '-p',
    '--output-format',
    'stream-json',
    '--verbose',
    '--dangerously-skip-permissions',
    '--strict-mcp-config',
    '--max-turns',
    String(MAX_TURNS),
    ...(task.resume === undefined ? ['--session-id', task.conversation] : ['--resume', task.resume]),
    ...(task.model === undefined ? [] : ['--model', task.model]),
    ...(task.effort === undefined ? [] : ['--effort', task.effort]),
    ...(task.systemPrompt === undefined ? [] : ['--append-system-prompt', task.systemPrompt]),
    ...(task.mcpServers === undefined ? [] : ['--mcp-config', JSON.stringify(mcp(task.mcpServers))]),
  ];
  return { argv, env: environment(task), stdin: task.prompt, files: {} };
}

function mcp(servers: NonNullable<AgentTask['mcpServers']>): object {
  return {
    mcpServers: Object.fromEntries(
      Object.entries(servers).map(([name, server]) => [name, 'url' in server ? { type: 'http', ...server } : server]),
    ),
  };
}

function environment(task: AgentTask): Readonly<Record<string, string>> {
  return {
    ...endpoint(task),
    CLAUDE_CODE_MAX_RETRIES: String(MAX_RETRIES),
    // Nothing but model requests leaves: no telemetry, no error reports, no updates.
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    DISABLE_TELEMETRY: '1',
    DISABLE_ERROR_REPORTING: '1',
    DISABLE_AUTOUPDATER: '1',
    // As root, Claude Code skips permissions only when told that it is in a sandbox; elsewhere this changes nothing.
    IS_SANDBOX: '1',
    ...egress(task),
  };
}

/** In a cloud Claude Code speaks as the cloud does, unsigned: the gateway takes the placeholder away and signs. */
function endpoint({ cloud, gatewayUrl, placeholderKey }: AgentTask): Readonly<Record<string, string>> {
  switch (cloud?.kind) {
    case undefined:
      return { ANTHROPIC_BASE_URL: `${gatewayUrl}/anthropic`, ANTHROPIC_API_KEY: placeholderKey };
    case 'bedrock':
      return {
        CLAUDE_CODE_USE_BEDROCK: '1',
        CLAUDE_CODE_SKIP_BEDROCK_AUTH: '1',
        ANTHROPIC_BEDROCK_BASE_URL: `${gatewayUrl}/bedrock`,
        AWS_REGION: cloud.region,
        AWS_BEARER_TOKEN_BEDROCK: placeholderKey,
      };
    case 'vertex':
      return {
        CLAUDE_CODE_USE_VERTEX: '1',
        CLAUDE_CODE_SKIP_VERTEX_AUTH: '1',
        ANTHROPIC_VERTEX_BASE_URL: `${gatewayUrl}/vertex/v1`,
        ANTHROPIC_VERTEX_PROJECT_ID: cloud.project,
        CLOUD_ML_REGION: cloud.region,
        ANTHROPIC_CUSTOM_HEADERS: `x-api-key: ${placeholderKey}`,
      };
  }
}
