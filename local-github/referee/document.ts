import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** A schema as GitHub's documents write it: OpenAPI 3.0 (`nullable`) for REST, 3.1 (type lists) for webhooks. */
export interface OpenApiSchema {
  readonly [keyword: string]: unknown;
}

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly schema: OpenApiSchema;
  /** GitHub's own mark on path parameters that may hold slashes, such as a file's path or a ref's name. */
  readonly 'x-multi-segment'?: boolean;
}

interface Response {
  readonly content?: Content;
}

type Content = Readonly<Record<string, { readonly schema?: OpenApiSchema }>>;

/** Something that stands here, or a pointer to where it stands. */
type OrReference<T> = T | { readonly $ref: string };

export interface OperationDocument {
  readonly operationId: string;
  readonly parameters?: readonly OrReference<Parameter>[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Content };
  readonly responses: Readonly<Record<string, OrReference<Response>>>;
  readonly 'x-github'?: { readonly enabledForGitHubApps?: boolean };
}

export interface OpenApiDocument {
  readonly paths?: Readonly<Record<string, Readonly<Record<string, OperationDocument>>>>;
  readonly webhooks?: Readonly<Record<string, { readonly post: OperationDocument }>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, OpenApiSchema>>;
    readonly parameters?: Readonly<Record<string, Parameter>>;
    readonly responses?: Readonly<Record<string, Response>>;
  };
}

/** GitHub's description of its REST API, about 13 MB. Packages named here are read as files: importing them loads ten times that. */
export function readRestDocument(): OpenApiDocument {
  return readDocument('@octokit/openapi/generated/api.github.com.json');
}

/** GitHub's description of its webhook payloads. */
export function readWebhookDocument(): OpenApiDocument {
  return readDocument('@octokit/openapi-webhooks/generated/api.github.com.json');
}

/**
 * The parameter or response itself, where the document only points to it.
 *
 * @throws Error when the pointer leads nowhere: the document is broken.
 */
export function resolve<T extends object>(
  value: OrReference<T>,
  components: Readonly<Record<string, T>> | undefined,
): T {
  if (!('$ref' in value)) return value;
  const name = componentName(value.$ref);
  const found = components?.[name];
  if (found === undefined) throw new Error(`GitHub's document points to ${name}, which it does not hold`);
  return found;
}

/** Last part of `#/components/<kind>/<name>`. */
export function componentName(pointer: string): string {
  return pointer.slice(pointer.lastIndexOf('/') + 1);
}

/** Schema of a JSON body among the media types it may come in; undefined when there is none in JSON. */
export function jsonSchemaOf(content: Content | undefined): OpenApiSchema | undefined {
  if (content === undefined) return undefined;
  const plain = content['application/json'];
  if (plain !== undefined) return plain.schema;
  return Object.entries(content).find(([type]) => type.endsWith('+json'))?.[1].schema;
}

function readDocument(file: string): OpenApiDocument {
  const path = createRequire(import.meta.url).resolve(file);
  return JSON.parse(readFileSync(path, 'utf8')) as OpenApiDocument;
}
