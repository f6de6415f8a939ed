import type { Fault } from './validators.ts';

/** A fault that is the document's and not the value's. */
interface Allowance {
  /** Operation id, or `event-action` of a webhook. */
  readonly in: RegExp;
  /** Place in the value. */
  readonly at: RegExp;
  readonly keyword: string;
  /** The property it is about; any, when left out. */
  readonly property?: RegExp;
  /** Where GitHub itself shows that the schema asks too much. */
  readonly because: string;
}

/** Kept short: every line here is a thing the referee cannot see. */
const ALLOWANCES: readonly Allowance[] = [
  {
    in: /^apps\/list-installations$/,
    at: /^\/\d+\/account$/,
    keyword: 'required',
    property: /^(name|slug|created_at|updated_at)$/,
    because:
      'an account must be a user AND an enterprise there (allOf); everywhere else, and in the example, it is either',
  },
];

/** Whether GitHub's document is known to be wrong here. */
export function isAllowed(subject: string, fault: Fault): boolean {
  return ALLOWANCES.some(
    (allowance) =>
      allowance.in.test(subject) &&
      allowance.at.test(fault.at) &&
      allowance.keyword === fault.keyword &&
      (allowance.property === undefined || allowance.property.test(fault.property ?? '')),
  );
}
