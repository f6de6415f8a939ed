import { paginate, pageOf } from '../pages.ts';
import { presentAccountId } from '../presenters/account.ts';
import { presentApp } from '../presenters/app.ts';
import { nodeId } from '../presenters/node-id.ts';
import { repositoryUrl } from '../presenters/repository.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import type { Activity, IssueEvent } from '../state.ts';
import { unprocessable } from '../errors.ts';
import { issueOf } from './issues.ts';

const ISSUES = {
  app: [
    ['issues', 'read'],
    ['pull_requests', 'read'],
  ],
  user: 'read',
} as const;
const CONTENTS = { app: [['contents', 'read']], user: 'read' } as const;

const DAY = 24 * 3_600_000;
const PERIODS: Readonly<Record<string, number>> = {
  day: DAY,
  week: 7 * DAY,
  month: 30 * DAY,
  quarter: 90 * DAY,
  year: 365 * DAY,
};

/** What happened before: to a thread's labels, and to branches. Other events of threads are not kept. */
export const historyRoutes: readonly Route[] = [
  onRepository('GET /issues/{issue_number}/events', 'issues/list-events', ISSUES, listEvents),
  onRepository('GET /activity', 'repos/list-activities', CONTENTS, listActivities),
];

function listEvents(call: RepositoryCall): Reply {
  const issue = issueOf(call);
  const events = call.hub.world.issueEvents.filter((event) => event.issueId === issue.id);
  return paginate(call, events, (event) => presentIssueEvent(call, event));
}

function presentIssueEvent({ hub, repository }: RepositoryCall, event: IssueEvent): Readonly<Record<string, unknown>> {
  return {
    id: event.id,
    node_id: nodeId('issueEvent', event.id),
    url: `${repositoryUrl(hub, repository)}/issues/events/${event.id}`,
    actor: presentAccountId(hub, event.actorId),
    event: event.event,
    commit_id: null,
    commit_url: null,
    created_at: event.createdAt,
    label: event.label,
    performed_via_github_app: event.viaApp ? presentApp(hub) : null,
  };
}

// Newest first unless told otherwise, and by cursor instead of page number.
function listActivities(call: RepositoryCall): Reply {
  const { query, hub, repository } = call;
  const { perPage } = pageOf(query);
  const ref = query.get('ref');
  const period = PERIODS[query.get('time_period') ?? ''];
  const since = period === undefined ? 0 : hub.clock.now() - period;
  const found = hub.world.activities.filter(
    (activity) =>
      activity.repositoryId === repository.id &&
      (ref === null || activity.ref === ref || activity.ref === `refs/heads/${ref}`) &&
      (query.get('activity_type') ?? activity.type) === activity.type &&
      Date.parse(activity.at) >= since,
  );
  const sorted = query.get('direction') === 'asc' ? found : found.toReversed();
  const after = query.get('after');
  const start = after === null ? 0 : sorted.findIndex((activity) => cursorOf(activity) === after) + 1;
  if (after !== null && start === 0) throw unprocessable('Invalid cursor');
  const page = sorted.slice(start, start + perPage);
  const last = page.at(-1);
  const next = new URLSearchParams(query);
  if (last !== undefined) next.set('after', cursorOf(last));
  const more = start + perPage < sorted.length;
  return {
    status: 200,
    body: page.map((activity) => presentActivity(call, activity)),
    ...(more ? { headers: { link: `<${call.address}?${next.toString()}>; rel="next"` } } : {}),
  };
}

function cursorOf(activity: Activity): string {
  return Buffer.from(`activity:${activity.id}`).toString('base64url');
}

function presentActivity({ hub }: RepositoryCall, activity: Activity): Readonly<Record<string, unknown>> {
  return {
    id: activity.id,
    node_id: nodeId('activity', activity.id),
    before: activity.before,
    after: activity.after,
    ref: activity.ref,
    timestamp: activity.at,
    activity_type: activity.type,
    actor: presentAccountId(hub, activity.actorId),
  };
}
