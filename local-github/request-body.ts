import type { z } from 'zod';
import { unprocessable } from './errors.ts';

/** A request's body in the shape an operation needs. Throws 422 as GitHub words what is missing or of the wrong type. */
export function readBody<Body>(schema: z.ZodType<Body>, body: unknown): Body {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const reasons = parsed.error.issues.map((issue) => describe(issue, body));
  throw unprocessable(`Invalid request.\n\n${[...new Set(reasons)].join('\n')}`);
}

function describe(issue: z.core.$ZodIssue, body: unknown): string {
  const name = issue.path.map(String).join('/');
  const value = issue.path.reduce<unknown>((inner, key) => (isRecord(inner) ? inner[String(key)] : undefined), body);
  if (value === undefined && name !== '') return `"${name}" wasn't supplied.`;
  return `For 'properties/${name}', ${JSON.stringify(value) ?? 'nothing'} is not valid: ${issue.message}.`;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
