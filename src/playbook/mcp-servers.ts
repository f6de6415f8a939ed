import type { RepositoryServer } from '../domain/mcp.ts';
import { isRecord, parseJsonWithComments } from './json-with-comments.ts';

/** Where repositories name their MCP servers, and below which key. A name that an earlier file has is that file's. */
export const SERVER_FILES: readonly (readonly [path: string, key: string])[] = [
  ['.mcp.json', 'mcpServers'],
  ['.factory/mcp.json', 'mcpServers'],
  ['.gemini/settings.json', 'mcpServers'],
  ['.github/mcp.json', 'mcpServers'],
  ['.vscode/mcp.json', 'servers'],
  ['opencode.json', 'mcp'],
  ['opencode.jsonc', 'mcp'],
  ['.opencode/opencode.json', 'mcp'],
];

/** The servers that `text`, one of those files, names below `key`. What can't be read is left out. */
export function readServers(text: string, key: string): ReadonlyMap<string, RepositoryServer> {
  const file = parseJsonWithComments(text);
  const named = isRecord(file) ? file[key] : undefined;
  const servers = new Map<string, RepositoryServer>();
  for (const [name, value] of Object.entries(isRecord(named) ? named : {})) {
    const server = isRecord(value) ? readServer(value) : undefined;
    if (server !== undefined && /^[A-Za-z0-9_-]{1,64}$/.test(name)) servers.set(name, server);
  }
  return servers;
}

function readServer(value: Readonly<Record<string, unknown>>): RepositoryServer | undefined {
  if (value['disabled'] === true || value['enabled'] === false) return undefined;
  const url = [value['url'], value['httpUrl'], value['serverUrl']].find((one) => typeof one === 'string');
  if (url !== undefined) {
    return URL.canParse(url) || url.includes('${')
      ? { kind: 'http', url, headers: texts(value['headers']) }
      : undefined;
  }
  const { command } = value;
  // OpenCode writes program and arguments as one list.
  const words: readonly unknown[] = Array.isArray(command) ? command : [command, ...list(value['args'])];
  const [program, ...args] = words.map(String);
  if (typeof words[0] !== 'string' || program === undefined) return undefined;
  return { kind: 'program', command: program, args, env: texts(value['env'] ?? value['environment']) };
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function texts(value: unknown): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(isRecord(value) ? value : {}).flatMap(([name, text]) =>
      typeof text === 'string' ? [[name, text] as const] : [],
    ),
  );
}
