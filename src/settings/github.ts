import { z } from 'zod';

/** The GitHub App. */
export const GITHUB = {
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
};

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
