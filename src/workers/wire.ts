import { sessionHosts } from '../domain/egress.ts';
import type { RunTask } from '../domain/run.ts';
import { limitsOf } from '../domain/spending.ts';
import { noteAnswer } from './circuits.ts';
import { configurationOf, serverHosts } from './configuration.ts';
import type { RunScope } from './record.ts';
import { createTalk, type SessionWire } from './talk.ts';

/**
 * Opens a session's wire. `spent` is what the run has spent beside what its record says already, in dollars. `undefined` when the
 * provider needs a model key and none is configured.
 */
export async function openWire(scope: RunScope, session: string, spent = 0): Promise<SessionWire | undefined> {
  const { deps, provider, endpoint, held } = scope;
  if (provider.protocol !== undefined && endpoint === undefined) return undefined;
  const { servers } = await configurationOf(scope);
  const limit = limitsOf(held.run, {}).find(({ scope, unit }) => scope === 'run' && unit === 'usd');
  const left = leftOf(limit?.most, held.tasks);
  const talk = createTalk(deps.settings.session.partingMs);
  const wire = await deps.gateway.open({
    session,
    listen: deps.runner.wire,
    hosts: [...provider.hosts, ...hostsOf(scope), ...serverHosts(servers)],
    model: endpoint,
    onAnswer: () => void noteAnswer(scope),
    onWord: talk.hear,
    budget: spendable(left === undefined ? undefined : Math.max(0, left - spent), deps.settings.session.budgetUsd),
  });
  return { ...wire, talk };
}

/** Hosts the operator lets this run reach, as far as its playbook wants them. */
export function hostsOf({ deps, provider, held }: RunScope): readonly string[] {
  const { repository, settings } = held.run;
  const { hosts, playbookHosts: mayAdd } = deps.settings.session;
  return sessionHosts(hosts, { provider: provider.id, repository, asked: settings.hosts, mayAdd });
}

/** What is left of a run's budget after what its tasks have spent; undefined without a budget. Dollars. */
function leftOf(budget: number | undefined, tasks: readonly RunTask[]): number | undefined {
  if (budget === undefined) return undefined;
  return Math.max(0, budget - tasks.reduce((spent, task) => spent + (task.usage.costUsd ?? 0), 0));
}

function spendable(playbook: number | undefined, operator: number | undefined): { costUsd?: number } {
  const limits = [playbook, operator].filter((limit) => limit !== undefined);
  return limits.length === 0 ? {} : { costUsd: Math.min(...limits) };
}
