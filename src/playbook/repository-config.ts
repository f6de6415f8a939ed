import type { ConfigFile, TrustKind } from '../domain/trust.ts';
import { isRecord, parseJsonWithComments } from './json-with-comments.ts';

/** How a file of the default branch is shown to an agent CLI. */
export interface Shown {
  /** Its text; undefined for as it is, null for not at all. */
  readonly text: string | null | undefined;
  /** What it would take to show all of it; empty when all is shown. */
  readonly needs: readonly TrustKind[];
}

/** Settings that are never passed on: they would lead a CLI to other credentials or another endpoint than the gateway's. */
const NEVER =
  /^(?:apiKeyHelper|awsAuthRefresh|awsCredentialExport|gcpAuthRefresh|otelHeadersHelper|proxyAuthHelper|forceLogin\w+)$/;
const NEVER_VARIABLE = /(?:BASE_URL|API_KEY|AUTH_TOKEN|_PROXY|ENDPOINT)$|^(?:CLAUDE_CODE_USE_|NODE_OPTIONS$|LD_)/i;

/** Keys of a front matter that make a skill, a command or an agent start programs. */
const FRONT_MATTER: Readonly<Record<string, TrustKind>> = { hooks: 'hooks', mcpServers: 'mcp', 'mcp-servers': 'mcp' };

const ALL_SHOWN: Shown = { text: undefined, needs: [] };

/** Decides how a file of a repository's own configuration is shown, given what is trusted. */
export function showConfig(file: ConfigFile, text: string | undefined, trusted: ReadonlySet<TrustKind>): Shown {
  switch (file.kind) {
    case 'instructions':
      return showWords(text, trusted);
    case 'whole': {
      const needs = file.needs.filter((kind) => !trusted.has(kind));
      return needs.length === 0 ? ALL_SHOWN : { text: null, needs };
    }
    case 'servers':
      return { text: null, needs: trusted.has('mcp') ? [] : ['mcp'] };
    case 'keys':
      return showKeys(file.keys, text, trusted);
  }
}

function showWords(text: string | undefined, trusted: ReadonlySet<TrustKind>): Shown {
  const matter = /^---\r?\n([\s\S]*?)\r?\n---/.exec(text ?? '')?.[1] ?? '';
  const needs = Object.entries(FRONT_MATTER).flatMap(([key, kind]) =>
    !trusted.has(kind) && new RegExp(`^["']?${key}["']?\\s*:`, 'm').test(matter) ? [kind] : [],
  );
  return needs.length === 0 ? ALL_SHOWN : { text: null, needs: [...new Set(needs)] };
}

function showKeys(
  keys: Readonly<Record<string, TrustKind>>,
  text: string | undefined,
  trusted: ReadonlySet<TrustKind>,
): Shown {
  const all = parseJsonWithComments(text ?? '');
  // What we can't read a CLI may: then nothing less than full trust will do.
  if (!isRecord(all)) {
    const needs = [...new Set<TrustKind>([...Object.values(keys), 'settings'])];
    return { text: null, needs: needs.filter((kind) => !trusted.has(kind)) };
  }
  const needs = new Set<TrustKind>();
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(all)) {
    if (key === '$schema' || NEVER.test(key)) continue;
    const kind = keys[key] ?? 'settings';
    // Servers are passed by us.
    if (kind === 'mcp') {
      if (!trusted.has('mcp')) needs.add('mcp');
    } else if (trusted.has(kind)) shown[key] = key === 'env' ? harmless(value) : value;
    else needs.add(kind);
  }
  if (JSON.stringify(shown) === JSON.stringify(all)) return ALL_SHOWN;
  const kept = Object.keys(shown).length === 0 ? null : `${JSON.stringify(shown, undefined, 2)}\n`;
  return { text: kept, needs: [...needs] };
}

function harmless(env: unknown): unknown {
  if (!isRecord(env)) return {};
  return Object.fromEntries(Object.entries(env).filter(([name]) => !NEVER_VARIABLE.test(name)));
}
