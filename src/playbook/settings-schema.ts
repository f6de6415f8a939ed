import { z } from 'zod';
import type { PlaybookSettings } from '../domain/playbook.ts';
import { BUDGET_EXPECTED, BudgetSchema } from './budget-schema.ts';

/** Milliseconds in a unit of duration. */
const UNITS: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000 };
/** Longest duration a playbook may ask for: a day. */
const LONGEST = 24 * 3_600_000;

const line = z
  .string()
  .trim()
  .min(1)
  .max(4_000)
  .refine((value) => !value.includes('\0'));
const name = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,99}$/);

const path = z
  .string()
  .trim()
  .regex(/^(?!\/)[^\p{Cc}\\]{1,200}$/u)
  .refine((value) => !value.split('/').includes('..'));

function listOf(item: z.ZodType<string, string>): z.ZodType<string[]> {
  return z.union([item.transform((one) => [one]), z.array(item).min(1).max(50)]);
}

/** A list that may be empty: so a playbook does without what its repository's defaults say. */
function anyOf(item: z.ZodType<string, string>): z.ZodType<string[]> {
  return z.union([item.transform((one) => [one]), z.array(item).max(50)]);
}

const duration = z
  .string()
  .trim()
  .regex(/^(?:\d{1,5}[smh])+$/)
  .transform((text) =>
    [...text.matchAll(/(\d+)([smh])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (UNITS[unit ?? ''] ?? 0),
      0,
    ),
  )
  .pipe(z.number().positive().max(LONGEST));

const DAY = 24 * 3_600_000;

/** People are given longer than machines: days. */
const days = z
  .string()
  .trim()
  .regex(/^(?:\d{1,5}[mhd])+$/)
  .transform((text) =>
    [...text.matchAll(/(\d+)([mhd])/g)].reduce(
      (sum, [, count, unit]) => sum + Number(count) * (unit === 'd' ? DAY : (UNITS[unit ?? ''] ?? 0)),
      0,
    ),
  )
  .pipe(
    z
      .number()
      .positive()
      .max(90 * DAY),
  );

const host = z
  .string()
  .trim()
  .regex(/^(?:\*\.)?[a-z\d](?:[a-z\d.-]{0,250}[a-z\d])?$/i);

/** One provider, or several in order of preference: a list, or names separated by commas. */
const providers = z.union([z.string().transform((text) => text.split(',')), z.array(z.string())]).pipe(
  z
    .array(
      z
        .string()
        .trim()
        .regex(/^[a-z0-9][a-z0-9-]{0,39}$/),
    )
    .min(1)
    .max(10),
);

/** Front matter by the keys people write. Each key is optional; a key that is there has a value. */
export const SettingsSchema = z.object({
  provider: providers.exactOptional(),
  model: name.exactOptional(),
  effort: z.enum(['low', 'medium', 'high']).exactOptional(),
  context: z.enum(['fresh', 'handoff', 'document']).exactOptional(),
  hosts: anyOf(host).exactOptional(),
  setup: anyOf(line).exactOptional(),
  verify: anyOf(line).exactOptional(),
  parallel: z.int().min(1).max(16).exactOptional(),
  after: listOf(path).exactOptional(),
  loop: z.boolean().exactOptional(),
  'max-loops': z.int().min(1).max(100).exactOptional(),
  reset: z.boolean().exactOptional(),
  budget: BudgetSchema.exactOptional(),
  timeout: duration.exactOptional(),
  'on-failure': z.enum(['stop', 'continue', 'ask']).exactOptional(),
  'on-no-answer': z.enum(['wait', 'continue', 'stop']).exactOptional(),
  'answer-within': days.exactOptional(),
  reviewers: anyOf(
    z
      .string()
      .trim()
      .regex(/^@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(?:\/[A-Za-z0-9._-]{1,100})?$/),
  ).exactOptional(),
  schedule: line.max(100).exactOptional(),
});

export type SettingsKey = keyof z.infer<typeof SettingsSchema>;

/** What to write for each key, completing "Write …". */
export const EXPECTED: Readonly<Record<SettingsKey, string>> = {
  provider:
    'the name of a provider, or several in order of preference, like `provider: claude-code` or `provider: [claude-code, codex]`',
  model: "a model's name, like `model: opus`",
  effort: '`effort: low`, `effort: medium` or `effort: high`',
  context: '`context: fresh`, `context: handoff` or `context: document`',
  hosts: 'a host or a list of hosts, like `hosts: [registry.example.com, "*.example.org"]`, or `hosts: []` for none',
  setup: 'a command or a list of commands, like `setup: npm ci`, or `setup: []` for none',
  verify: 'a command or a list of commands, like `verify: npm test`, or `verify: []` for none',
  parallel: 'a whole number from 1 to 16, like `parallel: 2`',
  after: 'a playbook or a list of playbooks, like `after: .maestro/playbooks/first.md`',
  loop: '`loop: true` or `loop: false`',
  'max-loops': 'a whole number from 1 to 100, like `max-loops: 3`',
  reset: '`reset: true` or `reset: false`',
  budget: BUDGET_EXPECTED,
  timeout: 'a duration of at most a day, like `timeout: 90s`, `timeout: 20m` or `timeout: 1h`',
  'on-failure': '`on-failure: stop`, `on-failure: continue` or `on-failure: ask`',
  'on-no-answer': '`on-no-answer: wait`, `on-no-answer: continue` or `on-no-answer: stop`',
  'answer-within': 'a time of at most 90 days, like `answer-within: 3d` or `answer-within: 12h`',
  reviewers: 'a GitHub login or a list of them, like `reviewers: [octocat]` (write `@` in quotes or leave it out)',
  schedule: 'a schedule, like `schedule: "0 6 * * 1"`',
};

/** The keys people may write. */
export const SETTINGS_KEYS = Object.keys(EXPECTED) as readonly SettingsKey[];

/** The settings in the domain's own names: durations in milliseconds, reviewers without `@`. */
export function toSettings(parsed: z.infer<typeof SettingsSchema>): PlaybookSettings {
  const {
    provider: providers,
    'max-loops': maxLoops,
    'on-failure': onFailure,
    'on-no-answer': onNoAnswer,
    'answer-within': answerWithin,
    reviewers,
    ...same
  } = parsed;
  const [provider, ...fallbacks] = providers ?? [];
  return {
    ...same,
    ...(provider === undefined ? {} : { provider }),
    ...(fallbacks.length === 0 ? {} : { fallbacks }),
    ...(maxLoops === undefined ? {} : { maxLoops }),
    ...(onFailure === undefined ? {} : { onFailure }),
    ...(onNoAnswer === undefined ? {} : { onNoAnswer }),
    ...(answerWithin === undefined ? {} : { answerWithin }),
    ...(reviewers === undefined ? {} : { reviewers: reviewers.map((login) => login.replace(/^@/, '')) }),
  };
}
