import { existsSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { parseAmount, type Amount } from '../domain/budget.ts';
import type { McpSecret } from '../domain/mcp.ts';
import type { ImageRule } from '../domain/own-image.ts';
import { TRUST_KINDS, type TrustRule } from '../domain/trust.ts';

/*
 * Settings that hold something for each of several repositories: entries separated by `;` or line ends. What can't be read becomes an
 * issue that shows how it must read.
 */

/** Words separated by commas; `none` for none. */
export function list(value: string): readonly string[] {
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '' && item !== 'none');
}

/** What may be spent: `$5`, `2M tokens`, `3h`, or several with commas in between. */
export function amount(value: string, context: z.RefinementCtx): Amount {
  const read = parseAmount(value);
  if (read !== undefined) return read;
  context.addIssue({ code: 'custom', message: `"${value}" must read like $5, 2M tokens, 3h (some of them)` });
  return z.NEVER;
}

/** Entries of a setting that holds several per repository. */
function entriesOf(value: string): readonly string[] {
  return value
    .split(/[;\n]/)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}

const REPOSITORIES = String.raw`[\w.*-]+\/[\w.*-]+`;

/** What is trusted, by repository: `acme/*=mcp,hooks`. */
export function trustRules(value: string, context: z.RefinementCtx): readonly TrustRule[] {
  return entriesOf(value).map((entry) => {
    const [, repositories = '', words = ''] = new RegExp(`^(${REPOSITORIES})=([a-z, ]+)$`).exec(entry) ?? [];
    const kinds = list(words);
    const known = TRUST_KINDS.filter((kind) => kinds.includes(kind));
    if (known.length === 0 || known.length < kinds.length)
      context.addIssue({ code: 'custom', message: `"${entry}" must read like acme/*=${TRUST_KINDS.join(',')}` });
    return { repositories, kinds: known };
  });
}

/** Images, by repository: `acme/web=node:24`. */
export function imageRules(value: string, context: z.RefinementCtx): readonly ImageRule[] {
  return entriesOf(value).map((entry) => {
    const [, repositories = '', image = ''] = new RegExp(`^(${REPOSITORIES})=([\\w][\\w./:@-]*)$`).exec(entry) ?? [];
    if (image === '')
      context.addIssue({
        code: 'custom',
        message: `"${entry}" must read like acme/web=node:24 or acme/*=devcontainer`,
      });
    return { repositories, image };
  });
}

/** Secrets for MCP servers, by repository, each from the environment or a file: `acme/web:NAME=env:VARIABLE`. */
export function mcpSecrets(value: string, context: z.RefinementCtx): readonly McpSecret[] {
  return entriesOf(value).map((entry) => {
    const [, repositories = '', name = '', from = '', where = ''] =
      new RegExp(`^(${REPOSITORIES}):([A-Za-z_]\\w*)=(env|file):(.+)$`).exec(entry) ?? [];
    const found = from === 'file' && existsSync(where) ? readFileSync(where, 'utf8').trim() : process.env[where];
    if (name === '' || found === undefined || found === '')
      context.addIssue({
        code: 'custom',
        message: `"${entry}" must read like acme/web:NAME=env:VARIABLE or acme/web:NAME=file:/path, of something that is there`,
      });
    return { repositories, name, value: found ?? '' };
  });
}
