import { z } from 'zod';
import { authorOf } from '../auth/access.ts';
import { timestamp } from '../clock.ts';
import { notFound, unprocessable } from '../errors.ts';
import { emitCheckRun } from '../events.ts';
import { objectType, resolveCommit } from '../git/objects.ts';
import { paginate } from '../pages.ts';
import { presentCheckRun } from '../presenters/check-run.ts';
import { repositoryHtmlUrl } from '../presenters/repository.ts';
import { readBody } from '../request-body.ts';
import { onRepository } from '../routes.ts';
import type { Reply, RepositoryCall, Route } from '../routes.ts';
import { takeId } from '../state.ts';
import type { CheckRun } from '../state.ts';

const READ = { app: [['checks', 'read']], user: 'read' } as const;
// Only Apps write check runs: people get 403 whatever their role.
const WRITE = { app: [['checks', 'write']], user: 'none' } as const;

const Annotation = z.object({
  path: z.string(),
  start_line: z.number(),
  end_line: z.number(),
  start_column: z.number().optional(),
  end_column: z.number().optional(),
  annotation_level: z.enum(['notice', 'warning', 'failure']),
  message: z.string(),
  title: z.string().optional(),
  raw_details: z.string().optional(),
});
const Output = z.object({
  title: z.string().optional(),
  summary: z.string(),
  text: z.string().optional(),
  // GitHub takes at most 50 annotations a request.
  annotations: z.array(Annotation).max(50).optional(),
});
const Fields = z.object({
  details_url: z.string().optional(),
  external_id: z.string().optional(),
  status: z.enum(['queued', 'in_progress', 'completed', 'waiting', 'requested', 'pending']).optional(),
  conclusion: z
    .enum(['action_required', 'cancelled', 'failure', 'neutral', 'success', 'skipped', 'stale', 'timed_out'])
    .optional(),
  started_at: z.string().optional(),
  completed_at: z.string().optional(),
  output: Output.optional(),
});
const Create = Fields.extend({
  name: z.string(),
  head_sha: z.string(),
  output: Output.extend({ title: z.string() }).optional(),
});
const Update = Fields.extend({ name: z.string().optional() });

export const checkRoutes: readonly Route[] = [
  onRepository('POST /check-runs', 'checks/create', WRITE, create),
  onRepository('GET /check-runs/{check_run_id}', 'checks/get', READ, (call) => ({
    status: 200,
    body: presentCheckRun(call.hub, checkOf(call)),
  })),
  onRepository('PATCH /check-runs/{check_run_id}', 'checks/update', WRITE, update),
  onRepository('GET /check-runs/{check_run_id}/annotations', 'checks/list-annotations', READ, annotations),
  onRepository('GET /commits/{ref}/check-runs', 'checks/list-for-ref', READ, listForRef),
];

function checkOf(call: RepositoryCall): CheckRun {
  const check = call.hub.world.checkRuns[Number(call.params['check_run_id'])];
  if (check === undefined || check.repositoryId !== call.repository.id) throw notFound();
  return check;
}

async function create(call: RepositoryCall): Promise<Reply> {
  const { hub, repository, directory } = call;
  const author = authorOf(call.actor);
  const body = readBody(Create, call.body);
  if ((await objectType(directory, body.head_sha)) !== 'commit') {
    throw unprocessable(`No commit found for SHA: ${body.head_sha}`);
  }
  const now = timestamp(hub.clock.now());
  const check: CheckRun = {
    id: takeId(hub.world),
    repositoryId: repository.id,
    suiteId: suiteOf(call, body.head_sha),
    name: body.name,
    headSha: body.head_sha,
    externalId: '',
    detailsUrl: null,
    status: 'queued',
    conclusion: null,
    startedAt: now,
    completedAt: null,
    title: null,
    summary: null,
    text: null,
    annotations: [],
  };
  apply(check, body, now);
  hub.world.checkRuns[check.id] = check;
  emitCheckRun(hub, check, 'created', author);
  if (check.status === 'completed') emitCheckRun(hub, check, 'completed', author);
  return { status: 201, body: presentCheckRun(hub, check) };
}

// One suite per commit and App.
function suiteOf(call: RepositoryCall, sha: string): number {
  const known = Object.values(call.hub.world.checkRuns).find(
    (check) => check.repositoryId === call.repository.id && check.headSha === sha,
  );
  return known?.suiteId ?? takeId(call.hub.world);
}

function apply(target: CheckRun, body: z.infer<typeof Update>, now: string): void {
  const check = target;
  check.name = body.name ?? check.name;
  check.detailsUrl = body.details_url ?? check.detailsUrl;
  check.externalId = body.external_id ?? check.externalId;
  check.startedAt = body.started_at ?? check.startedAt;
  // A conclusion completes a run; a run completed without one is refused.
  const status = body.conclusion === undefined ? (body.status ?? check.status) : 'completed';
  if (status === 'completed' && (body.conclusion ?? check.conclusion) === null) {
    throw unprocessable('Invalid request.\n\nMissing required key "conclusion".');
  }
  check.status = status;
  check.conclusion = status === 'completed' ? (body.conclusion ?? check.conclusion) : null;
  check.completedAt = status === 'completed' ? (body.completed_at ?? check.completedAt ?? now) : null;
  if (body.output === undefined) return;
  check.title = body.output.title ?? check.title;
  check.summary = body.output.summary;
  check.text = body.output.text ?? check.text;
  // Each request adds its annotations to those before.
  check.annotations.push(...(body.output.annotations ?? []));
}

function update(call: RepositoryCall): Reply {
  const { hub } = call;
  const author = authorOf(call.actor);
  const check = checkOf(call);
  const wasCompleted = check.status === 'completed';
  apply(check, readBody(Update, call.body), timestamp(hub.clock.now()));
  if (check.status === 'completed' && !wasCompleted) emitCheckRun(hub, check, 'completed', author);
  return { status: 200, body: presentCheckRun(hub, check) };
}

function annotations(call: RepositoryCall): Reply {
  const check = checkOf(call);
  return paginate(call, check.annotations, (annotation) => ({
    ...annotation,
    start_column: annotation.start_column ?? null,
    end_column: annotation.end_column ?? null,
    title: annotation.title ?? '',
    raw_details: annotation.raw_details ?? '',
    blob_href: `${repositoryHtmlUrl(call.hub, call.repository)}/blob/${check.headSha}/${annotation.path}`,
  }));
}

async function listForRef(call: RepositoryCall): Promise<Reply> {
  const { hub, query } = call;
  const ref = (call.params['ref'] ?? '').replace(/^(heads|tags)\//, '');
  const sha = await resolveCommit(call.directory, ref);
  if (sha === undefined) throw unprocessable(`No commit found for SHA: ${ref}`);
  const name = query.get('check_name');
  const status = query.get('status');
  const appId = query.get('app_id');
  const found = Object.values(hub.world.checkRuns).filter(
    (check) =>
      check.repositoryId === call.repository.id &&
      check.headSha === sha &&
      (name === null || check.name === name) &&
      (status === null || check.status === status) &&
      (appId === null || Number(appId) === hub.world.app.id),
  );
  const latest = query.get('filter') === 'all' ? found : newestByName(found);
  return paginate(
    call,
    latest.toReversed(),
    (check) => presentCheckRun(hub, check),
    (page, total) => ({ total_count: total, check_runs: page }),
  );
}

function newestByName(checks: readonly CheckRun[]): CheckRun[] {
  return [...new Map(checks.map((check) => [check.name, check])).values()];
}
