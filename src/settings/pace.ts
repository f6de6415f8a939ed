import { z } from 'zod';

/** When things are done again, and how long they are kept. */
export const PACE = {
  MAESTRO_RETRY_SECONDS: z.coerce
    .number()
    .positive()
    .default(30)
    .describe('First wait after an overload or a failure of our own; it doubles.'),
  MAESTRO_REMIND_HOURS: z.coerce
    .number()
    .nonnegative()
    .default(24)
    .describe(
      'After how long people are reminded of a question; each time after twice as long, four times. 0 for never.',
    ),
  MAESTRO_STATUS_SECONDS: z.coerce
    .number()
    .nonnegative()
    .default(5)
    .describe('Least time between two edits of a status comment.'),
  MAESTRO_LEASE_SECONDS: z.coerce.number().min(1).default(30).describe('How long a worker that died holds its runs.'),
  MAESTRO_SWEEP_SECONDS: z.coerce
    .number()
    .min(1)
    .default(300)
    .describe('How often GitHub is asked for deliveries that did not reach the app.'),
  MAESTRO_SCAN_SECONDS: z.coerce
    .number()
    .min(1)
    .default(900)
    .describe('How often repositories are looked through for work whose webhook never came.'),
  MAESTRO_KEEP_DAYS: z.coerce
    .number()
    .min(7, 'at least 7: GitHub delivers again for 3 days')
    .default(30)
    .describe(
      'How long deliveries that were dealt with, conversations, and session logs of runs that are over are kept.',
    ),
};
