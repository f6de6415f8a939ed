import { isAllowed } from './allowed.ts';
import type { Check } from './validators.ts';

export interface Violation {
  /** E.g. `request POST /repos/o/r/issues (issues/create), body /labels/0`. */
  readonly where: string;
  readonly message: string;
}

/** What a check says against a value, without what GitHub's document is known to be wrong about. */
export function judge(matter: {
  readonly check: Check;
  /** Operation id or webhook name, for the allow-list. */
  readonly subject: string;
  readonly value: unknown;
  readonly where: string;
}): readonly Violation[] {
  return matter
    .check(matter.value)
    .filter((fault) => !isAllowed(matter.subject, fault))
    .map(({ at, message }) => ({ where: at === '' ? matter.where : `${matter.where} ${at}`, message }));
}

/** Whether a message had no body. */
export function isAbsent(body: unknown): body is undefined | null | '' {
  return body === undefined || body === null || body === '';
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
