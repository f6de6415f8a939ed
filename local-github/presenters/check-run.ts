import type { Hub } from '../hub.ts';
import { repositoryById } from '../lookup.ts';
import type { CheckRun } from '../state.ts';
import type { Payload } from './account.ts';
import { presentApp } from './app.ts';
import { nodeId } from './node-id.ts';
import { isPull, presentPullMinimal } from './pull.ts';
import { repositoryHtmlUrl, repositoryUrl } from './repository.ts';

/** `check-run`; `webhook` adds what only the event carries of its suite. */
export function presentCheckRun(hub: Hub, check: CheckRun, webhook = false): Payload {
  const repository = repositoryById(hub.world, check.repositoryId);
  const api = repositoryUrl(hub, repository);
  const html = repositoryHtmlUrl(hub, repository);
  const url = `${api}/check-runs/${check.id}`;
  const pulls = Object.values(hub.world.issues)
    .filter(isPull)
    .filter((issue) => issue.repositoryId === repository.id && issue.pull.headSha === check.headSha);
  const pullRequests = pulls.map((issue) => presentPullMinimal(hub, issue));
  return {
    id: check.id,
    name: check.name,
    node_id: nodeId('checkRun', check.id),
    head_sha: check.headSha,
    external_id: check.externalId,
    url,
    html_url: `${html}/runs/${check.id}`,
    details_url: check.detailsUrl ?? `${html}/runs/${check.id}`,
    status: check.status,
    conclusion: check.conclusion,
    started_at: check.startedAt,
    completed_at: check.completedAt,
    output: {
      title: check.title,
      summary: check.summary,
      text: check.text,
      annotations_count: check.annotations.length,
      annotations_url: `${url}/annotations`,
    },
    check_suite: webhook
      ? {
          id: check.suiteId,
          head_branch: pulls[0]?.pull.headRef ?? null,
          head_sha: check.headSha,
          status: check.status,
          conclusion: check.conclusion,
          url: `${api}/check-suites/${check.suiteId}`,
          pull_requests: pullRequests,
          app: presentApp(hub),
        }
      : { id: check.suiteId },
    app: presentApp(hub),
    pull_requests: pullRequests,
  };
}
