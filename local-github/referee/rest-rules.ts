import type { Strictness } from './dialect.ts';
import type { OpenApiDocument, OpenApiSchema, Parameter } from './document.ts';
import { type FindOperation, indexOperations, type Operation } from './operations.ts';
import { remembered } from './remembered.ts';
import { type Check, createValidators, type Validators } from './validators.ts';

/** What the REST document asks for, ready to be applied. */
export interface RestRules {
  readonly document: OpenApiDocument;
  readonly find: FindOperation;
  /** The check for a body's schema; the same function for the same schema, so that it is compiled once. */
  body(schema: OpenApiSchema, strictness: Strictness): Check;
  /** The check for an operation's parameters of one kind, as one object of texts by name. */
  parameters(operation: Operation, kind: 'path' | 'query'): Check;
}

/** Indexes the document; schemas are compiled at their first use. */
export function restRulesOf(document: OpenApiDocument): RestRules {
  const values = createValidators(document, { coerce: false });
  const texts = createValidators(document, { coerce: true });
  const bodies = new Map<OpenApiSchema, Map<Strictness, Check>>();
  const parameters = new Map<string, Check>();
  return {
    document,
    find: indexOperations(document),
    body(schema, strictness) {
      const checks = remembered(bodies, schema, () => new Map<Strictness, Check>());
      return remembered(checks, strictness, () => values.check(schema, strictness));
    },
    parameters(operation, kind) {
      const key = `${kind} ${operation.method} ${operation.path}`;
      return remembered(parameters, key, () => parameterCheck(texts, operation, kind));
    },
  };
}

function parameterCheck(texts: Validators, operation: Operation, kind: 'path' | 'query'): Check {
  const wanted = operation.parameters.filter((parameter) => parameter.in === kind);
  const required = (parameter: Parameter): boolean => kind === 'path' || parameter.required === true;
  const schema = {
    type: 'object',
    properties: Object.fromEntries(wanted.map(({ name, schema }) => [name, schema])),
    required: wanted.filter(required).map(({ name }) => name),
    additionalProperties: false,
  };
  return texts.check(schema, 'lenient');
}
