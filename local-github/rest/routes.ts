import type { RateLimits } from '../rate-limits.ts';
import type { Route } from '../routes.ts';
import { appRoutes } from './app.ts';
import { checkRoutes } from './checks.ts';
import { commentRoutes } from './comments.ts';
import { commitRoutes } from './commits.ts';
import { contentRoutes } from './contents.ts';
import { gitDataRoutes } from './git-data.ts';
import { historyRoutes } from './history.ts';
import { issueLabelRoutes } from './issue-labels.ts';
import { issueRoutes } from './issues.ts';
import { labelRoutes } from './labels.ts';
import { mergeRoutes } from './merge.ts';
import { metaRoutes } from './meta.ts';
import { pullRoutes } from './pulls.ts';
import { reactionRoutes } from './reactions.ts';
import { repositoryRoutes } from './repositories.ts';

/** Every operation there is. */
export function allRoutes(options: { readonly tokenLifetime: number; readonly limits: RateLimits }): readonly Route[] {
  return [
    ...appRoutes(options.tokenLifetime),
    ...checkRoutes,
    ...commentRoutes,
    ...commitRoutes,
    ...contentRoutes,
    ...gitDataRoutes,
    ...historyRoutes,
    ...issueLabelRoutes,
    ...issueRoutes,
    ...labelRoutes,
    ...mergeRoutes,
    ...metaRoutes(options.limits),
    ...pullRoutes,
    ...reactionRoutes,
    ...repositoryRoutes,
  ];
}
