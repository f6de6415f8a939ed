import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { z } from 'zod';

const Document = z.object({ paths: z.record(z.string(), z.record(z.string(), z.object({ operationId: z.string() }))) });

interface Operation {
  readonly method: string;
  readonly pattern: RegExp;
  readonly id: string;
}

let operations: Promise<readonly Operation[]> | undefined;

/**
 * What GitHub calls the operation at a path, from its OpenAPI document; undefined when GitHub has none there. Where the document
 * is not installed (it comes with the development dependencies) every path is an operation, called by its method and path.
 */
export async function operationAt(method: string, path: string): Promise<string | undefined> {
  operations ??= readOperations();
  const all = await operations;
  if (all.length === 0) return `${method} ${path}`;
  return all.find((operation) => operation.method === method && operation.pattern.test(path))?.id;
}

async function readOperations(): Promise<readonly Operation[]> {
  const file = locate();
  if (file === undefined) return [];
  const document = Document.parse(JSON.parse(await readFile(file, 'utf8')));
  return Object.entries(document.paths)
    .flatMap(([path, item]) =>
      Object.entries(item).map(([method, operation]) => ({
        method: method.toUpperCase(),
        pattern: patternOf(path),
        id: operation.operationId,
        parameters: path.split('{').length,
      })),
    )
    .sort((one, other) => one.parameters - other.parameters);
}

function locate(): string | undefined {
  try {
    return createRequire(import.meta.url).resolve('@octokit/openapi/generated/api.github.com.json');
  } catch {
    return undefined;
  }
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&');
  // A file's path and a ref's name hold slashes.
  const source = escaped.replace(/\{(\w+)\}/g, (_, name) => (name === 'path' || name === 'ref' ? '.+' : '[^/]+'));
  return new RegExp(`^${source}$`);
}
