/** An MCP server as a repository names it: a program it speaks to over standard input and output, or one reached over HTTP. */
export type RepositoryServer =
  | {
      readonly kind: 'program';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'http'; readonly url: string; readonly headers: Readonly<Record<string, string>> };

/** A secret the operator lends to MCP servers of some repositories. */
export interface McpSecret {
  /** `owner/name`, with `*`. */
  readonly repositories: string;
  readonly name: string;
  readonly value: string;
}

/** A server with `${NAME}` and `${NAME:-default}` replaced by `values`, or the names there is no value for. */
export function withValues(
  server: RepositoryServer,
  values: ReadonlyMap<string, string>,
): { readonly server: RepositoryServer } | { readonly missing: readonly string[] } {
  const missing = new Set<string>();
  const fill = (text: string): string =>
    text.replaceAll(/\$\{([A-Za-z_]\w*)(?::-([^}]*))?\}/g, (_, name: string, standard: string | undefined) => {
      const value = values.get(name) ?? standard;
      if (value === undefined) missing.add(name);
      return value ?? '';
    });
  const fillAll = (all: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
    Object.fromEntries(Object.entries(all).map(([name, value]) => [name, fill(value)]));
  const filled: RepositoryServer =
    server.kind === 'program'
      ? { ...server, command: fill(server.command), args: server.args.map(fill), env: fillAll(server.env) }
      : { ...server, url: fill(server.url), headers: fillAll(server.headers) };
  return missing.size === 0 ? { server: filled } : { missing: [...missing] };
}
