import type { RunTask } from '../domain/run.ts';
import type { ModelEndpoint, Wire } from '../gateway/gateway.ts';
import { configurationOf, serverHosts } from './configuration.ts';
import type { RunScope } from './record.ts';

/**
 * Opens a session's wire. `spent` is what the run has spent beside what its record says already, in dollars. `undefined` when the
 * provider needs a model key and none is configured.
 */
export async function openWire(scope: RunScope, session: string, spent = 0): Promise<Wire | undefined> {
  const { deps, provider, held } = scope;
  const model = modelOf(scope);
  if (provider.protocol !== undefined && model === undefined) return undefined;
  const { servers } = await configurationOf(scope);
  const left = leftOf(held.run.settings.budget, held.tasks);
  return await deps.gateway.open({
    session,
    listen: deps.runner.wire,
    hosts: [...provider.hosts, ...deps.settings.session.hosts, ...serverHosts(servers)],
    model,
    budget: spendable(left === undefined ? undefined : Math.max(0, left - spent), deps.settings.session.budgetUsd),
  });
}

function modelOf({ deps, provider }: RunScope): ModelEndpoint | undefined {
  return provider.protocol === undefined ? undefined : deps.modelEndpoint(provider.protocol);
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
