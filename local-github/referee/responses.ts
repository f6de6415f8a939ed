import { jsonSchemaOf, resolve } from './document.ts';
import type { Operation } from './operations.ts';
import type { RestRules } from './rest-rules.ts';
import { isAbsent, judge, type Violation } from './verdict.ts';

export interface RestResponse {
  readonly method: string;
  readonly path: string;
  readonly status: number;
  /** Parsed JSON; undefined, null and '' all mean that there was none. */
  readonly body?: unknown;
  /** The response's media type, if known: bodies that are not JSON are not judged. */
  readonly contentType?: string | undefined;
}

/** Judges the answer of an operation that was found: status and body. */
export function judgeResponse(
  rules: RestRules,
  response: RestResponse & { readonly operation: Operation; readonly where: string },
): readonly Violation[] {
  const { operation, status, body, where } = response;
  if (status === 501) return [{ where, message: 'the local GitHub does not implement this operation' }];
  if (status === 204 || status === 304)
    return isAbsent(body) ? [] : [{ where, message: 'has a body, which it must not' }];
  if (response.contentType !== undefined && !/[/+]json\b/.test(response.contentType)) return [];

  const documented = operation.document.responses[String(status)];
  if (documented === undefined && status < 400 && status !== 301) {
    return [{ where, message: `GitHub answers ${Object.keys(operation.document.responses).join(', ')}` }];
  }
  const found = documented && jsonSchemaOf(resolve(documented, rules.document.components.responses).content);
  const expected = found ?? (status >= 300 ? { $ref: '#/components/schemas/basic-error' } : undefined);
  if (expected === undefined) return [];
  if (isAbsent(body)) {
    // A schema may allow null, and an error may come without words.
    return status >= 300 || body === null ? [] : [{ where, message: 'has no body, and GitHub sends one' }];
  }
  return judge({ check: rules.body(expected, 'lenient'), subject: operation.id, value: body, where: `${where}, body` });
}
