import { z } from 'zod';

/** Model endpoints: the keys live here and in the gateway, never in a container. */
export const MODELS = {
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
};

function keysSecret(): z.ZodString {
  return z.string().min(32, 'at least 32 random characters: `openssl rand -base64 32`');
}
