import { type OpenApiDocument, type OperationDocument, type Parameter, resolve } from './document.ts';

/** One operation of GitHub's REST API. */
export interface Operation {
  /** As in `issues/create`. */
  readonly id: string;
  /** Upper case. */
  readonly method: string;
  /** Template, e.g. `/repos/{owner}/{repo}/issues`. */
  readonly path: string;
  readonly parameters: readonly Parameter[];
  readonly document: OperationDocument;
}

export interface Match {
  readonly operation: Operation;
  /** Values of the path's parameters, decoded. */
  readonly values: Readonly<Record<string, string>>;
}

/** Finds the operation of a method and path; undefined when GitHub has none there. */
export type FindOperation = (method: string, path: string) => Match | undefined;

/** An index over all operations of a document. */
export function indexOperations(document: OpenApiDocument): FindOperation {
  const byMethod = new Map<string, Candidate[]>();
  for (const [path, item] of Object.entries(document.paths ?? {})) {
    for (const [verb, operation] of Object.entries(item)) {
      const candidate = candidateOf(document, { path, method: verb.toUpperCase(), operation });
      byMethod.set(candidate.operation.method, [...(byMethod.get(candidate.operation.method) ?? []), candidate]);
    }
  }
  // `/commits/{ref}` also matches `/commits/x/check-runs`: the template that says more of the path itself is meant.
  for (const candidates of byMethod.values()) candidates.sort((a, b) => b.literal - a.literal);

  return (method, path) => {
    for (const { operation, pattern } of byMethod.get(method.toUpperCase()) ?? []) {
      const found = pattern.exec(path);
      if (found !== null) return { operation, values: decoded(found.groups ?? {}) };
    }
    return undefined;
  };
}

interface Candidate {
  readonly operation: Operation;
  readonly pattern: RegExp;
  /** Characters of the template that are not parameters. */
  readonly literal: number;
}

function candidateOf(
  document: OpenApiDocument,
  entry: { readonly path: string; readonly method: string; readonly operation: OperationDocument },
): Candidate {
  const { path, method, operation } = entry;
  const parameters = (operation.parameters ?? []).map((parameter) =>
    resolve(parameter, document.components.parameters),
  );
  const slashes = new Set(parameters.filter((each) => each['x-multi-segment'] === true).map(({ name }) => name));
  const template = path
    .replace(/[.*+?^$()|[\]\\]/g, String.raw`\$&`)
    .replace(/\{([\w-]+)\}/g, (_, name: string) => `(?<${groupName(name)}>${slashes.has(name) ? '.+' : '[^/]+'})`);
  // The root of a repository is a path as well: the empty one, with or without its slash.
  const source = template.replace(/\/\(\?<path>\.\+\)$/, '(?:/(?<path>.*))?');
  return {
    operation: { id: operation.operationId, method, path, parameters, document: operation },
    pattern: new RegExp(`^${source}$`),
    literal: path.replace(/\{[\w-]+\}/g, '').length,
  };
}

/** A group's name may hold no hyphen; no parameter of GitHub's has two underscores in a row. */
function groupName(parameter: string): string {
  return parameter.replaceAll('-', '__');
}

function decoded(groups: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, value]) => [name.replaceAll('__', '-'), decodeOrKeep(value ?? '')]),
  );
}

function decodeOrKeep(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
