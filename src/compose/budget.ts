import type { Config } from '../config.ts';
import type { OperatorBudget } from '../domain/budget.ts';

/** What the operator lets runs spend. */
export function operatorBudget(config: Config): OperatorBudget {
  const {
    MAESTRO_SESSION_BUDGET_USD: usd,
    MAESTRO_BUDGET_TASK: task,
    MAESTRO_BUDGET_RUN: run,
    MAESTRO_BUDGET_REPOSITORY_DAY: repositoryDay,
    MAESTRO_BUDGET_DAY: day,
  } = config;
  return {
    ...(usd === undefined ? {} : { session: { usd } }),
    ...(task === undefined ? {} : { task }),
    ...(run === undefined ? {} : { run }),
    ...(repositoryDay === undefined ? {} : { 'repository-day': repositoryDay }),
    ...(day === undefined ? {} : { day }),
  };
}
