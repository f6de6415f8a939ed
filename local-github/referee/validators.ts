import { Ajv2019, type ErrorObject, type ValidateFunction } from 'ajv/dist/2019.js';
import formats from 'ajv-formats';
import { type Strictness, toJsonSchema } from './dialect.ts';
import type { OpenApiDocument, OpenApiSchema } from './document.ts';

/** Something a schema says against a value, with the place in the value, e.g. `/labels/0/name`. */
export interface Fault {
  readonly at: string;
  readonly keyword: string;
  readonly message: string;
  /** The property it is about, where it is about one. */
  readonly property: string | undefined;
}

/** What is wrong with a value; nothing is an empty list. */
export type Check = (value: unknown) => readonly Fault[];

export interface Validators {
  /** Compiles at the first call with the value; 35 to 200 ms for a large schema, which later ones share. */
  check(schema: OpenApiSchema, strictness: Strictness): Check;
}

/** Faults beyond these say nothing new. */
const MOST_FAULTS = 10;

/**
 * Validators for the schemas of one document. Only the components that are asked for are converted and compiled.
 *
 * @param options `coerce` reads numbers, booleans and lists from text, as in a query.
 */
export function createValidators(document: OpenApiDocument, options: { readonly coerce: boolean }): Validators {
  const ajv = new Ajv2019({
    allErrors: true,
    strict: false,
    validateSchema: false,
    addUsedSchema: false,
    ...(options.coerce ? { coerceTypes: 'array' } : {}),
    formats: {
      uri: formats.default.get('uri'),
      'uri-template': formats.default.get('uri-template'),
      'date-time': formats.default.get('date-time'),
      date: formats.default.get('date'),
      // Not judged. E-mail: GitHub gives bots addresses with brackets, which the format forbids. The others say how wide a
      // number is, or are GitHub's own.
      email: true,
      int32: true,
      int64: true,
      double: true,
      binary: true,
      timestamp: true,
      'repo.nwo': true,
    },
  });
  const known = new Set<string>();
  const reference = (component: string, strictness: Strictness): string => {
    const name = `github:${strictness}/${component}`;
    if (!known.has(name)) {
      // Before converting, because a component may hold itself.
      known.add(name);
      const schema = document.components.schemas[component];
      if (schema === undefined) throw new Error(`GitHub's document points to ${component}, which it does not hold`);
      ajv.addSchema(toJsonSchema(schema, strictness, reference), name);
    }
    return name;
  };
  return {
    check(schema, strictness) {
      let compiled: ValidateFunction | undefined;
      return (value) => {
        compiled ??= ajv.compile(toJsonSchema(schema, strictness, reference));
        return compiled(value) ? [] : faultsOf(compiled.errors ?? []);
      };
    },
  };
}

function faultsOf(errors: readonly ErrorObject[]): readonly Fault[] {
  // "must match a schema in anyOf" is said after what each alternative said, and "must be null" is the alternative that
  // `nullable` became: either helps only when nothing else was said.
  const telling = errors.filter(
    ({ keyword, params }) => keyword !== 'anyOf' && !(keyword === 'type' && params['type'] === 'null'),
  );
  const faults = (telling.length > 0 ? telling : errors).map(faultOf);
  const distinct = new Map(faults.map((fault) => [`${fault.at} ${fault.message}`, fault]));
  return [...distinct.values()].slice(0, MOST_FAULTS);
}

function faultOf({ instancePath, keyword, message, params }: ErrorObject): Fault {
  const detail: Record<string, unknown> = params;
  const unknown = detail['unevaluatedProperty'] ?? detail['additionalProperty'];
  const property = unknown ?? detail['missingProperty'];
  const name = typeof property === 'string' ? property : undefined;
  const shared = { at: instancePath, keyword, property: name };
  if (unknown !== undefined)
    return { ...shared, message: `must not have the property "${name ?? ''}", which GitHub does not know` };
  if (keyword === 'enum') return { ...shared, message: `must be one of ${JSON.stringify(detail['allowedValues'])}` };
  return { ...shared, message: message ?? `fails "${keyword}"` };
}
