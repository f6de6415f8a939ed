import { existsSync, readFileSync } from 'node:fs';
import { homedir, hostname } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import { amount, imageRules, list, mcpSecrets, trustRules } from './config-rules.ts';
import { parseEgressRule, type EgressRule } from './domain/egress.ts';
import { PACKAGE_HOSTS } from './domain/setup.ts';

/**
 * Everything an operator can set, from the environment. One schema; each key says what it is. Every key may also be given as
 * `<KEY>_FILE`, the path of a file that holds the value (for secrets mounted as files).
 */
const ConfigSchema = z.object({
  // The GitHub App
  APP_ID: z
    .string()
    .regex(/^\d+$/, 'the numeric id of your GitHub App, from its settings page')
    .describe('Numeric id of the GitHub App.'),
  PRIVATE_KEY: z
    .string()
    .transform(pem)
    .describe("The App's private key: PEM text, PEM with \\n for newlines, or the whole in base64."),
  WEBHOOK_SECRET: z
    .string()
    .min(1, 'the webhook secret of your GitHub App; an App without one would take orders from anybody')
    .describe("The App's webhook secret."),
  GHE_HOST: z
    .string()
    .optional()
    .describe('Host of a GitHub Enterprise Server (or the local GitHub), without protocol. github.com when absent.'),
  GHE_PROTOCOL: z.enum(['http', 'https']).default('https').describe('Protocol of GHE_HOST.'),

  // Where we listen and keep things
  HOST: z.string().default('127.0.0.1').describe('Address the app listens on.'),
  PORT: z.coerce.number().int().min(0).max(65535).default(3000).describe('Port the app listens on.'),
  MAESTRO_HOME: z
    .string()
    .default(path.join(homedir(), '.maestro'))
    .transform((value) => path.resolve(value))
    .describe('Directory for the embedded database, mirrors, lanes and logs.'),
  DATABASE_URL: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'postgres://user:password@host:5432/database')
    .optional()
    .describe('Postgres. Without it: PGlite, embedded, one process only.'),
  REDIS_URL: z
    .string()
    .regex(/^rediss?:\/\//, 'redis://host:6379')
    .optional()
    .describe('Redis for the queue. Without it the queue lives in the database.'),
  LOG_LEVEL: z
    .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
    .default('info')
    .describe('What is logged, to standard error, as JSON lines.'),

  // Who may, what runs
  MAESTRO_ALLOWED_BOTS: z
    .string()
    .default('')
    .transform(idList)
    .describe('Numeric account ids of bots that may start runs like people, separated by commas.'),
  MAESTRO_PROVIDER: z
    .string()
    .default('claude-code')
    .transform(list)
    .refine((names) => names.length > 0, 'it names no provider')
    .describe('Provider of runs that name none, and those that take over from it, in this order, separated by commas.'),
  MAESTRO_RUNNER: z
    .enum(['docker', 'local'])
    .default('docker')
    .describe('Where commands run. `local` isolates nothing: trusted machines and CI jobs only.'),
  MAESTRO_IMAGE: z
    .string()
    .default('maestro-agent:latest')
    .describe('Image of agent containers (npm run image); `{provider}` in it stands for the agent.'),
  MAESTRO_IMAGES: z
    .string()
    .default('')
    .transform(imageRules)
    .describe("Repositories' own images: `acme/web=node:24;acme/*=devcontainer`; the first that fits goes."),
  MAESTRO_RUNTIME: z.string().optional().describe('OCI runtime of agent containers, e.g. runsc for gVisor.'),
  DOCKER_HOST: z.string().optional().describe('Docker engine; the default socket when absent.'),
  MAESTRO_WORKER: z
    .string()
    .default(`${hostname()}-${process.pid}`)
    .describe('Name of this worker in leases and the audit log.'),
  MAESTRO_CONCURRENCY: z.coerce
    .number()
    .int()
    .min(1)
    .max(100)
    .default(2)
    .describe('Runs this worker works on at the same time.'),
  MAESTRO_REPOSITORY_MB: z.coerce
    .number()
    .positive()
    .default(10_000)
    .describe('Largest repository that is worked on, as GitHub counts its size.'),

  MAESTRO_TRUST: z
    .string()
    .default('')
    .transform(trustRules)
    .describe(
      "What of repositories' own agent configuration takes effect: `acme/*=mcp,hooks,settings`, separated by `;`.",
    ),
  MAESTRO_MCP_SECRETS: z
    .string()
    .default('')
    .transform(mcpSecrets)
    .describe('Secrets lent to MCP servers: `acme/web:NAME=env:VARIABLE` or `=file:/path`, separated by `;`.'),

  // Limits of one session
  MAESTRO_IDLE_SECONDS: z.coerce.number().positive().default(600).describe('Silence after which an agent is ended.'),
  MAESTRO_WALL_SECONDS: z.coerce.number().positive().default(3600).describe('Time after which an agent is ended.'),
  MAESTRO_WALL_MAX_SECONDS: z.coerce
    .number()
    .positive()
    .default(86_400)
    .describe("The most time that a playbook's `timeout` may give an agent instead."),
  MAESTRO_PARTING_SECONDS: z.coerce
    .number()
    .nonnegative()
    .default(60)
    .describe('How long an agent may go on after it has asked, proposed other tasks, or said that it is blocked.'),
  MAESTRO_MEMORY_MB: z.coerce.number().int().min(64).default(2048).describe('Memory of a session.'),
  MAESTRO_CPUS: z.coerce.number().positive().default(2).describe('CPUs of a session.'),
  MAESTRO_PIDS: z.coerce.number().int().min(16).default(512).describe('Processes of a session.'),
  MAESTRO_DISK_FLOOR_MB: z.coerce.number().int().min(0).default(256).describe('Free disk below which no task begins.'),
  MAESTRO_TREES_MB: z.coerce
    .number()
    .int()
    .min(0)
    .default(8192)
    .describe('Disk that prepared checkouts may take; 0 for none.'),
  MAESTRO_SESSIONS_MB: z.coerce
    .number()
    .min(0)
    .default(2048)
    .describe('Disk that conversations kept for `resume=` may take; 0 for none.'),
  MAESTRO_SESSION_BUDGET_USD: z.coerce
    .number()
    .positive()
    .optional()
    .describe('What one session may spend at its model.'),
  MAESTRO_BUDGET_TASK: z
    .string()
    .transform(amount)
    .optional()
    .describe('What a task may spend: `$1, 500k tokens, 1h`.'),
  MAESTRO_BUDGET_RUN: z.string().transform(amount).optional().describe('What a run may spend, like `$10`.'),
  MAESTRO_BUDGET_REPOSITORY_DAY: z
    .string()
    .transform(amount)
    .optional()
    .describe('What the runs of one repository may spend on a UTC day; then they wait for the next.'),
  MAESTRO_BUDGET_DAY: z
    .string()
    .transform(amount)
    .optional()
    .describe('What all runs may spend on a UTC day; then they wait for the next.'),
  MAESTRO_HOSTS: z
    .string()
    .default('')
    .transform(egressRules)
    .describe(
      'Hosts agents may reach beside their model, exact or *.suffix, separated by commas; for some only as provider=host, owner/name=host or owner/*=host.',
    ),
  MAESTRO_PLAYBOOK_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .describe('Hosts a playbook may add for its own runs, exact or *.suffix, separated by commas.'),
  MAESTRO_SETUP_HOSTS: z
    .string()
    .default(PACKAGE_HOSTS.join(','))
    .transform(list)
    .describe('Hosts a setup may reach beside MAESTRO_HOSTS; package registries when absent, `none` for none.'),
  MAESTRO_RETRY_SECONDS: z.coerce
    .number()
    .positive()
    .default(30)
    .describe('First wait after an overload or a failure of our own; it doubles.'),
  MAESTRO_REMIND_HOURS: z.coerce
    .number()
    .nonnegative()
    .default(24)
    .describe(
      'After how long people are reminded of a question; each time after twice as long, four times. 0 for never.',
    ),
  MAESTRO_STATUS_SECONDS: z.coerce
    .number()
    .nonnegative()
    .default(5)
    .describe('Least time between two edits of a status comment.'),
  MAESTRO_LEASE_SECONDS: z.coerce.number().min(1).default(30).describe('How long a worker that died holds its runs.'),

  // Coming back
  MAESTRO_SWEEP_SECONDS: z.coerce
    .number()
    .min(1)
    .default(300)
    .describe('How often GitHub is asked for deliveries that did not reach the app.'),
  MAESTRO_SCAN_SECONDS: z.coerce
    .number()
    .min(1)
    .default(900)
    .describe('How often repositories are looked through for work whose webhook never came.'),
  MAESTRO_KEEP_DAYS: z.coerce
    .number()
    .min(7, 'at least 7: GitHub delivers again for 3 days')
    .default(30)
    .describe('How long deliveries that were dealt with, and conversations, are kept.'),

  // Model endpoints: the keys live here and in the gateway, never in a container
  ANTHROPIC_API_KEY: z.string().optional().describe('Key for Claude Code.'),
  ANTHROPIC_BASE_URL: z.url().default('https://api.anthropic.com').describe('Endpoint for ANTHROPIC_API_KEY.'),
  MAESTRO_KEYS_SECRET: keysSecret()
    .optional()
    .describe('Seals the keys that installations have of their own (maestro keys). At least 32 random characters.'),
  MAESTRO_KEYS_SECRET_BEFORE: keysSecret()
    .optional()
    .describe('The secret before it, until `maestro keys reseal` was run.'),
  ANTHROPIC_ENDPOINT: z
    .enum(['api', 'bedrock', 'vertex', 'subscription'])
    .default('api')
    .describe('What Claude Code is given: the API by its key, Amazon Bedrock, Vertex AI, or a Claude subscription.'),
  AWS_REGION: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a region like us-east-1')
    .optional()
    .describe('Region of Amazon Bedrock.'),
  AWS_BEARER_TOKEN_BEDROCK: z
    .string()
    .optional()
    .describe('API key of Amazon Bedrock; goes before the other AWS keys.'),
  AWS_CREDENTIALS_PATH: z
    .string()
    .optional()
    .describe('File with AWS credentials as a credential_process prints them, read again before they run out.'),
  AWS_ACCESS_KEY_ID: z.string().optional().describe('AWS access key for Amazon Bedrock.'),
  AWS_SECRET_ACCESS_KEY: z.string().optional().describe('Secret of AWS_ACCESS_KEY_ID.'),
  AWS_SESSION_TOKEN: z.string().optional().describe('Session token of temporary AWS credentials.'),
  BEDROCK_BASE_URL: z.url().optional().describe("Endpoint of Amazon Bedrock; the region's own when absent."),
  VERTEX_PROJECT: z
    .string()
    .regex(/^[\w.:-]+$/, 'the id of a Google Cloud project')
    .optional()
    .describe('Google Cloud project of Vertex AI.'),
  VERTEX_REGION: z
    .string()
    .regex(/^[\w-]+$/, 'a region like us-east5, or global')
    .default('global')
    .describe('Region of Vertex AI.'),
  GOOGLE_APPLICATION_CREDENTIALS: z
    .string()
    .optional()
    .describe('File with the JSON key of a service account, for Vertex AI.'),
  VERTEX_BASE_URL: z.url().optional().describe("Endpoint of Vertex AI; the region's own when absent."),
  CLAUDE_LOGIN_PATH: z
    .string()
    .optional()
    .describe('.credentials.json of a Claude subscription, in a directory we may write.'),
  CLAUDE_TOKEN_URL: z.url().optional().describe("Where its tokens are renewed; Anthropic's own when absent."),
  OPENAI_ENDPOINT: z
    .enum(['api', 'azure', 'subscription'])
    .default('api')
    .describe(
      'What Codex and the others that speak OpenAI are given: an API by its key, Azure, or a ChatGPT subscription.',
    ),
  AZURE_OPENAI_ENDPOINT: z.url().optional().describe('Azure OpenAI resource: https://NAME.openai.azure.com.'),
  AZURE_OPENAI_API_KEY: z.string().optional().describe('Key of the Azure OpenAI resource.'),
  AZURE_OPENAI_API_VERSION: z
    .string()
    .optional()
    .describe('Dated API version of Azure OpenAI; its v1 API when absent.'),
  CODEX_LOGIN_PATH: z
    .string()
    .optional()
    .describe('auth.json of a ChatGPT subscription (for Codex only), in a directory we may write.'),
  CODEX_TOKEN_URL: z.url().optional().describe("Where its tokens are renewed; OpenAI's own when absent."),
  CHATGPT_BASE_URL: z
    .url()
    .default('https://chatgpt.com/backend-api/codex')
    .describe('Endpoint of a ChatGPT subscription.'),
  OPENAI_API_KEY: z.string().optional().describe('Key for Codex, OpenCode, Factory Droid and Copilot CLI.'),
  OPENAI_BASE_URL: z.url().default('https://api.openai.com').describe('Endpoint for OPENAI_API_KEY.'),
  GEMINI_API_KEY: z.string().optional().describe('Key for Gemini CLI.'),
  GEMINI_BASE_URL: z
    .url()
    .default('https://generativelanguage.googleapis.com')
    .describe('Endpoint for GEMINI_API_KEY.'),
});

export type Config = z.infer<typeof ConfigSchema>;

/** The environment does not hold a usable configuration. The message lists every key that is wrong, and what it should be. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** Reads the configuration from an environment. Empty values count as absent. Throws `ConfigError`. */
export function readConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const given = Object.fromEntries(
    Object.entries(withFiles(env)).filter(([, value]) => value !== undefined && value !== ''),
  );
  const parsed = ConfigSchema.safeParse(given);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map((issue) => {
    const key = String(issue.path[0] ?? '');
    return given[key] === undefined ? `${key} is missing: ${about(key)}` : `${key} is not usable: ${issue.message}`;
  });
  throw new ConfigError(`Maestro can't start with this configuration.\n${wrong.map((line) => `  ${line}`).join('\n')}`);
}

/** Base URL of the REST API: GitHub's own, or `<protocol>://<host>/api/v3` on a GitHub Enterprise Server. */
export function apiBaseUrl(config: Pick<Config, 'GHE_HOST' | 'GHE_PROTOCOL'>): string {
  return config.GHE_HOST === undefined
    ? 'https://api.github.com'
    : `${config.GHE_PROTOCOL}://${config.GHE_HOST}/api/v3`;
}

/** The keys with their descriptions and defaults, for the documentation. */
export function configKeys(): readonly { readonly key: string; readonly about: string; readonly required: boolean }[] {
  return Object.entries(ConfigSchema.shape).map(([key, schema]) => ({
    key,
    about: schema.description ?? '',
    required: !schema.safeParse(undefined).success,
  }));
}

function about(key: string): string {
  return ConfigSchema.shape[key as keyof typeof ConfigSchema.shape]?.description ?? 'it is required';
}

function withFiles(env: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string | undefined>> {
  const read: Record<string, string | undefined> = { ...env };
  for (const key of Object.keys(ConfigSchema.shape)) {
    const file = env[`${key}_FILE`];
    if (file === undefined || file === '' || env[key]) continue;
    if (!existsSync(file)) throw new ConfigError(`${key}_FILE names ${file}, which does not exist.`);
    read[key] = readFileSync(file, 'utf8').trim();
  }
  return read;
}

function pem(value: string, context: z.RefinementCtx): string {
  const text = value.includes('-----BEGIN')
    ? value.replaceAll('\\n', '\n')
    : Buffer.from(value, 'base64').toString('utf8');
  if (!/-----BEGIN (RSA )?PRIVATE KEY-----[\s\S]+-----END/.test(text)) {
    context.addIssue({
      code: 'custom',
      message:
        'it holds no private key: give the .pem file you downloaded from the App, or its path in PRIVATE_KEY_FILE',
    });
    return z.NEVER;
  }
  return text;
}

function keysSecret(): z.ZodString {
  return z.string().min(32, 'at least 32 random characters: `openssl rand -base64 32`');
}

function egressRules(value: string, context: z.RefinementCtx): readonly EgressRule[] {
  return list(value).flatMap((item) => {
    const rule = parseEgressRule(item);
    if (rule !== undefined) return [rule];
    const message = `"${item}" is neither a host nor provider=host, owner/name=host or owner/*=host`;
    context.addIssue({ code: 'custom', message });
    return [];
  });
}

function idList(value: string, context: z.RefinementCtx): readonly number[] {
  return list(value).map((item) => {
    if (!/^\d+$/.test(item))
      context.addIssue({
        code: 'custom',
        message: `"${item}" is no account id; give numbers, not names, because names can be taken over`,
      });
    return Number(item);
  });
}
