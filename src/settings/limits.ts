import { z } from 'zod';
import { parseEgressRule, type EgressRule } from '../domain/egress.ts';
import { PACKAGE_HOSTS } from '../domain/setup.ts';
import { amount, list } from './rules.ts';

/** How much a session may use of this machine, of money, and of the network. */
export const LIMITS = {
  MAESTRO_IDLE_SECONDS: z.coerce.number().positive().default(600).describe('Silence after which an agent is ended.'),
  MAESTRO_WALL_SECONDS: z.coerce.number().positive().default(3600).describe('Time after which an agent is ended.'),
  MAESTRO_WALL_MAX_SECONDS: z.coerce
    .number()
    .positive()
    .default(86_400)
    .describe("The most time that a playbook's `timeout` may give an agent instead."),
  MAESTRO_PARTING_SECONDS: z.coerce
    .number()
    .nonnegative()
    .default(60)
    .describe('How long an agent may go on after it has asked, proposed other tasks, or said that it is blocked.'),
  MAESTRO_MEMORY_MB: z.coerce.number().int().min(64).default(2048).describe('Memory of a session.'),
  MAESTRO_CPUS: z.coerce.number().positive().default(2).describe('CPUs of a session.'),
  MAESTRO_PIDS: z.coerce.number().int().min(16).default(512).describe('Processes of a session.'),
  MAESTRO_DISK_FLOOR_MB: z.coerce.number().int().min(0).default(256).describe('Free disk below which no task begins.'),
  MAESTRO_TREES_MB: z.coerce
    .number()
    .int()
    .min(0)
    .default(8192)
    .describe('Disk that prepared checkouts may take; 0 for none.'),
  MAESTRO_SESSIONS_MB: z.coerce
    .number()
    .min(0)
    .default(2048)
    .describe('Disk that conversations kept for `resume=` may take; 0 for none.'),
  MAESTRO_SESSION_BUDGET_USD: z.coerce
    .number()
    .positive()
    .optional()
    .describe('What one session may spend at its model.'),
  MAESTRO_BUDGET_TASK: z
    .string()
    .transform(amount)
    .optional()
    .describe('What a task may spend: `$1, 500k tokens, 1h`.'),
  MAESTRO_BUDGET_RUN: z.string().transform(amount).optional().describe('What a run may spend, like `$10`.'),
  MAESTRO_BUDGET_REPOSITORY_DAY: z
    .string()
    .transform(amount)
    .optional()
    .describe('What the runs of one repository may spend on a UTC day; then they wait for the next.'),
  MAESTRO_BUDGET_DAY: z
    .string()
    .transform(amount)
    .optional()
    .describe('What all runs may spend on a UTC day; then they wait for the next.'),
  MAESTRO_HOSTS: z
    .string()
    .default('')
    .transform(egressRules)
    .describe(
      'Hosts agents may reach beside their model, exact or *.suffix, separated by commas; for some only as provider=host, owner/name=host or owner/*=host.',
    ),
  MAESTRO_PLAYBOOK_HOSTS: z
    .string()
    .default('')
    .transform(list)
    .describe('Hosts a playbook may add for its own runs, exact or *.suffix, separated by commas.'),
  MAESTRO_SETUP_HOSTS: z
    .string()
    .default(PACKAGE_HOSTS.join(','))
    .transform(list)
    .describe('Hosts a setup may reach beside MAESTRO_HOSTS; package registries when absent, `none` for none.'),
};

function egressRules(value: string, context: z.RefinementCtx): readonly EgressRule[] {
  return list(value).flatMap((item) => {
    const rule = parseEgressRule(item);
    if (rule !== undefined) return [rule];
    const message = `"${item}" is neither a host nor provider=host, owner/name=host or owner/*=host`;
    context.addIssue({ code: 'custom', message });
    return [];
  });
}
