import { z } from 'zod';
import { AMOUNT_PATTERNS, amountOf, type Amount, type Budget } from '../domain/budget.ts';

/** One unit of an amount: `$5`, `2M tokens` or `3h`; a number is dollars. */
const part = z.union([
  z.number(),
  ...Object.values(AMOUNT_PATTERNS).map((pattern) => z.string().trim().regex(pattern)),
]);

/** An amount: one part, several in a list, or several with commas in between. */
const amount = z
  .union([part, z.array(part).min(1).max(3), z.string().trim().max(100).regex(/,/)])
  .transform((written, context): Amount => {
    const parts = typeof written === 'string' ? written.split(',') : [written].flat();
    const read = amountOf(parts);
    if (read !== undefined) return read;
    context.addIssue({ code: 'custom', message: 'not an amount' });
    return z.NEVER;
  });

/** A `budget:` as people write it: an amount for the run, or one for the run and one for each task. */
export const BudgetSchema = z.union([
  amount.transform((run): Budget => ({ run })),
  z
    .strictObject({ run: amount.exactOptional(), task: amount.exactOptional() })
    .refine(({ run, task }) => run !== undefined || task !== undefined),
]);

/** What to write for a budget, completing "Write …". */
export const BUDGET_EXPECTED =
  'what a run may spend, like `budget: $5`, `budget: [$5, 2M tokens, 3h]` or `budget: {run: $5, task: $1}`';
