import { egress } from '../egress.ts';
import type { AgentCommand, AgentTask } from '../provider.ts';
import { tomlArray, tomlString, tomlTable } from '../toml.ts';

/** Codex's own retries of a failed model request; beyond these the engine's policy decides. */
const MAX_RETRIES = 2;

/** Milliseconds a model may be silent in the middle of an answer: as long as the gateway waits. */
const STREAM_IDLE_MS = 10 * 60_000;

/** The environment variable the configuration names for the key. */
const KEY_VARIABLE = 'MAESTRO_MODEL_KEY';

/**
 * The command line of one headless conversation. Its own sandbox can't start in a container, which is the sandbox. Without
 * `unbounded_connection_retries` off, a refused connection is tried again for ever; without `plugins` off it asks GitHub for them.
 */
export function codexCommand(task: AgentTask): AgentCommand {
  const argv = [
    'codex',
    'exec',
    '--json',
    '--dangerously-bypass-approvals-and-sandbox',
    '--skip-git-repo-check',
    '--disable',
    'plugins',
    '--disable',
    'unbounded_connection_retries',
    '-C',
    task.cwd,
    ...(task.model === undefined ? [] : ['-m', task.model]),
    ...(task.effort === undefined ? [] : ['-c', `model_reasoning_effort=${tomlString(task.effort)}`]),
    ...(task.resume === undefined ? [] : ['resume', task.resume]),
    // The prompt is on standard input.
    '-',
  ];
  const env = { [KEY_VARIABLE]: task.placeholderKey, ...egress(task) };
  return { argv, env, stdin: task.prompt, files: { '.codex/config.toml': configuration(task) } };
}

function configuration(task: AgentTask): string {
  const lines = [
    'model_provider = "maestro"',
    'check_for_update_on_startup = false',
    ...(task.systemPrompt === undefined ? [] : [`developer_instructions = ${tomlString(task.systemPrompt)}`]),
    '',
    '[analytics]',
    'enabled = false',
    '',
    // Commands of the agent do not see the variables that look like credentials.
    '[shell_environment_policy]',
    'ignore_default_excludes = false',
    '',
    '[model_providers.maestro]',
    'name = "Maestro"',
    `base_url = ${tomlString(`${task.gatewayUrl}/openai/v1`)}`,
    `env_key = ${tomlString(KEY_VARIABLE)}`,
    'wire_api = "responses"',
    `request_max_retries = ${MAX_RETRIES}`,
    `stream_max_retries = ${MAX_RETRIES}`,
    `stream_idle_timeout_ms = ${STREAM_IDLE_MS}`,
    ...Object.entries(task.mcpServers ?? {}).flatMap(([name, server]) => [
      '',
      `[mcp_servers.${tomlString(name)}]`,
      ...('url' in server
        ? [`url = ${tomlString(server.url)}`, `http_headers = ${tomlTable(server.headers)}`]
        : [
            `command = ${tomlString(server.command)}`,
            `args = ${tomlArray(server.args)}`,
            ...(server.env === undefined ? [] : [`env = ${tomlTable(server.env)}`]),
          ]),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}
