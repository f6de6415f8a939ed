import { componentName, type OpenApiSchema } from './document.ts';

/**
 * How a schema treats properties it does not name. `lenient` lets them be. `closed` refuses them, at every depth. `part` is a
 * piece of a closed schema (a branch of `allOf`, say) that does not know all properties itself, but whose children are closed.
 */
export type Strictness = 'lenient' | 'closed' | 'part';

/** Name that a component's converted schema is known by; `strictness` is part of it, for they differ. */
export type Reference = (component: string, strictness: Strictness) => string;

const COMBINATIONS = ['allOf', 'anyOf', 'oneOf'] as const;

/** What says nothing about which values are valid. */
const SILENT = new Set(
  'nullable discriminator example examples default description title deprecated readOnly writeOnly externalDocs xml'.split(
    ' ',
  ),
);

/**
 * JSON Schema 2019-09 for a schema of GitHub's documents. `nullable` becomes a type (and null a value of its enumerations), and
 * `oneOf` becomes `anyOf`: many of GitHub's alternatives overlap, so that good values match two of them.
 */
export function toJsonSchema(schema: OpenApiSchema, strictness: Strictness, reference: Reference): OpenApiSchema {
  const pointer = schema['$ref'];
  if (typeof pointer === 'string') return { $ref: reference(componentName(pointer), strictness) };

  const children: Strictness = strictness === 'lenient' ? 'lenient' : 'closed';
  const namesProperties = isRecord(schema['properties']) && Object.keys(schema['properties']).length > 0;
  const knowsProperties = namesProperties || Array.isArray(schema['allOf']);
  const branches: Strictness = strictness === 'closed' && knowsProperties ? 'part' : strictness;
  const convert = (value: unknown, how: Strictness): unknown =>
    isRecord(value) ? toJsonSchema(value, how, reference) : value;

  const converted: Record<string, unknown> = {};
  for (const [keyword, value] of Object.entries(schema)) {
    if (SILENT.has(keyword) || keyword.startsWith('x-') || isCombination(keyword)) continue;
    converted[keyword] =
      keyword === 'properties' && isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([name, child]) => [name, convert(child, children)]))
        : convert(value, keyword === 'not' ? 'lenient' : children);
  }
  const alternatives: unknown[] = [];
  for (const keyword of COMBINATIONS) {
    const parts = schema[keyword];
    if (!Array.isArray(parts)) continue;
    const list = parts.map((part: unknown) => convert(part, branches));
    if (keyword === 'allOf') converted['allOf'] = list;
    else alternatives.push(list);
  }
  if (alternatives.length === 1) converted['anyOf'] = alternatives[0];
  else if (alternatives.length > 1)
    converted['allOf'] = [...allOf(converted), ...alternatives.map((anyOf) => ({ anyOf }))];

  if (strictness === 'closed' && knowsProperties && schema['additionalProperties'] === undefined) {
    converted['unevaluatedProperties'] = false;
  }
  return schema['nullable'] === true ? withNull(converted) : converted;
}

function withNull(schema: Record<string, unknown>): OpenApiSchema {
  // Alternatives each have types of their own, of which none may allow null.
  if (schema['anyOf'] !== undefined || schema['allOf'] !== undefined) return { anyOf: [schema, { type: 'null' }] };
  const { type, enum: values } = schema;
  return {
    ...schema,
    ...(typeof type === 'string' ? { type: [type, 'null'] } : {}),
    ...(Array.isArray(values) && !values.includes(null) ? { enum: [...(values as unknown[]), null] } : {}),
  };
}

function allOf(schema: Record<string, unknown>): readonly unknown[] {
  return Array.isArray(schema['allOf']) ? schema['allOf'] : [];
}

function isCombination(keyword: string): boolean {
  return (COMBINATIONS as readonly string[]).includes(keyword);
}

function isRecord(value: unknown): value is OpenApiSchema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
