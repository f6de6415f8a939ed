/**
 * What of a repository's own agent configuration takes effect. Instructions always do. What runs programs by itself or opens ways
 * out only does where the operator says so, by kind:
 *
 * - `mcp` servers of the Model Context Protocol · `hooks` programs the CLI starts by itself: hooks, plugins, language servers
 * - `settings` everything else of its settings: permissions, environment, models
 */
export const TRUST_KINDS = ['mcp', 'hooks', 'settings'] as const;

export type TrustKind = (typeof TRUST_KINDS)[number];

/** What the operator allows: repositories by `owner/name`, `*` for any run of characters but `/`. */
export interface TrustRule {
  readonly repositories: string;
  readonly kinds: readonly TrustKind[];
}

/** Whether a pattern of repositories matches `owner/name`. Upper and lower case are the same, as on GitHub. */
export function matchesRepository(pattern: string, fullName: string): boolean {
  const escaped = pattern.replaceAll(/[.+?^${}()|[\]\\]/g, String.raw`\$&`).replaceAll('*', '[^/]*');
  return new RegExp(`^${escaped}$`, 'i').test(fullName);
}

/** What is trusted of a repository: all that any rule for it names. */
export function trustedIn(rules: readonly TrustRule[], fullName: string): ReadonlySet<TrustKind> {
  return new Set(rules.flatMap((rule) => (matchesRepository(rule.repositories, fullName) ? rule.kinds : [])));
}

/** How a file of a repository bears on an agent CLI. */
export type ConfigFile =
  /** Words for the model: always in effect. */
  | { readonly kind: 'instructions' }
  /** Takes effect as a whole, where all of `needs` is trusted. */
  | { readonly kind: 'whole'; readonly needs: readonly TrustKind[] }
  /** JSON whose keys need trust one by one: `keys` these, every other one `settings`. */
  | { readonly kind: 'keys'; readonly keys: Readonly<Record<string, TrustKind>> }
  /** Servers that are handed to the CLI by us, in its own format, and never read from the file. */
  | { readonly kind: 'servers' };

const INSTRUCTIONS: ConfigFile = { kind: 'instructions' };
const HOOKS: ConfigFile = { kind: 'whole', needs: ['hooks'] };

/** The first that matches a path says what the file is. Directories count at any depth: agents look beside the file they work on. */
const RULES: readonly (readonly [RegExp, ConfigFile])[] = [
  [/(?:^|\/)(?:CLAUDE|CLAUDE\.local|AGENTS|AGENTS\.override|GEMINI)\.md$/i, INSTRUCTIONS],
  [/^\.github\/copilot-instructions\.md$/, INSTRUCTIONS],
  [/^\.github\/(?:instructions|prompts|agents|skills)\//, INSTRUCTIONS],
  [/(?:^|\/)(?:\.mcp\.json|\.vscode\/mcp\.json|\.github\/mcp\.json|\.factory\/mcp\.json)$/, { kind: 'servers' }],
  [/^\.github\/(?:hooks\/|lsp\.json$)/, HOOKS],
  [/^\.github\/copilot\//, { kind: 'whole', needs: ['hooks', 'mcp', 'settings'] }],
  [/(?:^|\/)\.lsp\.json$/, HOOKS],
  [/(?:^|\/)\.claude\/settings(?:\.local)?\.json$/, { kind: 'keys', keys: { hooks: 'hooks', statusLine: 'hooks' } }],
  [/(?:^|\/)\.factory\/settings(?:\.local)?\.json$/, { kind: 'keys', keys: { hooks: 'hooks', statusLine: 'hooks' } }],
  [/(?:^|\/)\.gemini\/settings\.json$/, { kind: 'keys', keys: { mcpServers: 'mcp', mcp: 'mcp', hooks: 'hooks' } }],
  [
    /(?:^|\/)(?:\.opencode\/)?opencode\.jsonc?$/,
    { kind: 'keys', keys: { mcp: 'mcp', plugin: 'hooks', formatter: 'hooks', lsp: 'hooks', command: 'hooks' } },
  ],
  [/(?:^|\/)\.opencode\/(?:plugins?|tools?)\/|(?:^|\/)\.opencode\/package\.json$/, HOOKS],
  [/(?:^|\/)\.codex\/hooks\.json$/, HOOKS],
  [/(?:^|\/)\.codex\/.*\.toml$/, { kind: 'whole', needs: ['hooks', 'mcp', 'settings'] }],
  [/(?:^|\/)\.codex\/rules\//, { kind: 'whole', needs: ['settings'] }],
  [/(?:^|\/)\.gemini\/extensions\//, { kind: 'whole', needs: ['hooks', 'mcp'] }],
  [/(?:^|\/)\.(?:gemini|claude|codex|factory|opencode)\/\.env[^/]*$/, { kind: 'whole', needs: ['settings'] }],
  [
    /(?:^|\/)\.(?:claude|codex|agents|opencode|factory|gemini)\/(?:.*\.(?:md|mdc|txt)|(?:commands|skills)\/.*)$/,
    INSTRUCTIONS,
  ],
  [/(?:^|\/)\.(?:claude|codex|agents|opencode|factory|gemini)(?:\/|$)/, HOOKS],
];

/** What a file of a repository is to agent CLIs; undefined for one that is none of their configuration. */
export function configFileAt(path: string): ConfigFile | undefined {
  return RULES.find(([pattern]) => pattern.test(path))?.[1];
}

/** A file of a repository's configuration that is not in effect, or not as a whole, and what it would take. */
export interface Withheld {
  readonly path: string;
  readonly needs: readonly TrustKind[];
}

/** One sentence that says what was withheld and how an operator allows it; it is markdown, and `paths` are not quoted in it yet. */
export function withheldNote(withheld: readonly Withheld[], fullName: string, quote: (path: string) => string): string {
  const listed = withheld.slice(0, 10).map(({ path, needs }) => `${quote(path)} (${needs.join(', ')})`);
  const more = withheld.length > 10 ? [`and ${withheld.length - 10} more`] : [];
  const kinds = TRUST_KINDS.filter((kind) => withheld.some(({ needs }) => needs.includes(kind)));
  const setting = quote(`MAESTRO_TRUST=${fullName}=${kinds.join(',')}`);
  return `Left out of the agents' configuration, because it may run programs or open ways out: ${[...listed, ...more].join(', ')}. Whoever operates Maestro can allow it: ${setting}.`;
}
