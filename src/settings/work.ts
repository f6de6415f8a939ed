import { hostname } from 'node:os';
import { z } from 'zod';
import { imageRules, list, mcpSecrets, trustRules } from './rules.ts';

/** Who may start runs, and what they run in. */
export const WORK = {
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
};

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
