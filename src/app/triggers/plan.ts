import { slugOf } from '../../domain/branch.ts';
import type { Command } from '../../domain/command.ts';
import { runIdFor } from '../../domain/ids.ts';
import type { RunRequest } from '../../domain/plan-run.ts';
import { estimate, planHash } from '../../domain/preview.ts';
import { badCommand, type Refusal } from '../../domain/refusal.ts';
import { renderPreview } from '../../domain/report/preview.ts';
import type { Run, RunTask } from '../../domain/run.ts';
import { naturalKey, type Trigger } from '../../domain/trigger.ts';
import type { CommentEvent, IssueSnapshot } from '../../domain/webhook.ts';
import { parsePlaybook } from '../../playbook/parse.ts';
import { planTask } from '../../playbook/plan-task.ts';
import { react, refuse, refuseProblems, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { issuePlaybooks } from '../sources.ts';
import { planPart, type Part } from '../start.ts';
import { filePart, partsOf, startParts } from './thread.ts';

/** Names of the marks that remember which plans were shown. */
export const SHOWN_PLANS = 'plan/';

/** Runs of the repository an estimate goes by. */
const RECENT_RUNS = 20;

/** What was asked for when a plan was shown; its hash is the mark's name. */
interface ShownPlan {
  readonly path: string | null;
  readonly provider: string | null;
  readonly model: string | null;
  readonly instructions: string;
}

/**
 * Shows what a request would come to. In an issue that says what to do in words alone there is nothing to show yet: there a run is
 * started whose one task is to write a playbook.
 *
 * @param path The playbook file that is named, if one is.
 */
export async function plan(
  deps: AppDeps,
  asked: Asked,
  event: CommentEvent,
  of: { readonly request: RunRequest; readonly path: string | undefined },
): Promise<string> {
  const { request, path } = of;
  const isInWords =
    path === undefined &&
    parsePlaybook(event.issue.body).boxes.length === 0 &&
    issuePlaybooks(event.issue.body).length === 0;
  if (isInWords) return await write(deps, asked, event.issue, request);
  const parts = path === undefined ? partsOf(deps, request, event.issue) : [filePart(deps, request, path)];
  const notes: string[] = [];
  for (const part of parts) notes.push(await show(deps, asked, event, { request, part }));
  return notes.join(', ');
}

async function show(
  deps: AppDeps,
  asked: Asked,
  event: CommentEvent,
  { request, part }: { readonly request: RunRequest; readonly part: Part },
): Promise<string> {
  const planned = await planPart(deps, request, part);
  if (planned.kind === 'ignored') return `ignored: ${planned.reason}`;
  if (planned.kind === 'refused') return await refuse(deps, asked, planned.refusal);
  if (planned.kind === 'problems') return await refuseProblems(deps, asked, planned);
  const { run, tasks } = planned;
  const hash = planHash(run);
  const value: ShownPlan = {
    path: part.path ?? null,
    provider: request.provider ?? null,
    model: request.model ?? null,
    instructions: request.instructions,
  };
  await deps.store.setMark(planName(event, hash), { value, at: deps.clock.now() });
  const guess = estimate(await recentTasks(deps, request.repository.id), tasks.length);
  const body = renderPreview({ run, tasks, hash, estimate: guess, requester: event.sender.login });
  await deps.forge.ensureComment(event.repository, event.issue.number, `plan/${event.comment.id}/${hash}`, body);
  await react(deps, asked, '+1');
  return `plan ${hash} shown`;
}

async function recentTasks({ store }: AppDeps, repositoryId: number): Promise<readonly RunTask[]> {
  const runs = await store.listRuns({ repositoryId, limit: RECENT_RUNS });
  return (await Promise.all(runs.map(async ({ id }) => await store.tasksOf(id)))).flat();
}

/** Starts the run that writes a playbook for an issue. */
async function write(deps: AppDeps, asked: Asked, issue: IssueSnapshot, request: RunRequest): Promise<string> {
  const path = await freePath(deps, request, issue);
  const text = planTask(issue, path);
  const source = { kind: 'checklist', issue: issue.number, title: `Plan: ${issue.title}`, text } as const;
  await react(deps, asked, 'eyes');
  return await startParts(deps, { ...request, plan: { path } }, [{ path: undefined, read: async () => source }], asked);
}

/** Where a playbook for an issue goes: named after it, and beside one of that name which is there. */
async function freePath({ forge, rules }: AppDeps, { repository }: RunRequest, issue: IssueSnapshot): Promise<string> {
  const name = slugOf(issue.title) ?? `issue-${issue.number}`;
  const path = `${rules.playbookDirectory}/${name}.md`;
  const head = await forge.branchHead(repository, repository.defaultBranch);
  const isTaken = head !== undefined && (await forge.readFile(repository, path, head)) !== undefined;
  return isTaken ? `${rules.playbookDirectory}/${name}-${issue.number}.md` : path;
}

/**
 * Starts the very plan that was shown here under a hash. Gives the note for the delivery; undefined when none was shown under it.
 */
export async function approvePlan(
  deps: AppDeps,
  asked: Asked,
  event: CommentEvent,
  of: {
    readonly command: Extract<Command, { kind: 'approve' }>;
    readonly trigger: Trigger;
    readonly misplaced: Refusal | undefined;
  },
): Promise<string | undefined> {
  const { hash } = of.command;
  const name = planName(event, hash);
  const shown = (await deps.store.findMarks([name])).get(name)?.value as ShownPlan | undefined;
  if (shown === undefined) return undefined;
  const { repository } = event;
  const request: RunRequest = {
    repository,
    trigger: of.trigger,
    provider: shown.provider ?? undefined,
    model: shown.model ?? undefined,
    instructions: shown.instructions,
  };
  const earlier = await deps.store.findRun(runIdFor(naturalKey(repository.id, of.trigger, shown.path ?? '')));
  if (earlier === undefined && of.misplaced !== undefined) return await refuse(deps, asked, of.misplaced);
  await react(deps, asked, 'eyes');
  const [issuePart] = partsOf(deps, request, { ...event.issue, ...(shown.path === null ? {} : { body: '' }) });
  const part = shown.path === null ? issuePart : filePart(deps, request, shown.path);
  if (part === undefined || (shown.path === null && part.path !== undefined))
    return await refuse(deps, asked, changed(hash));
  return await startParts(
    deps,
    request,
    [{ ...part, accept: (run: Run) => (planHash(run) === hash ? undefined : changed(hash)) }],
    asked,
  );
}

function changed(hash: string): Refusal {
  return badCommand(
    `What \`${hash}\` was the plan of has changed since, or its settings have. See what it would be now with \`/maestro plan\`, and approve that.`,
  );
}

function planName({ repository, issue }: CommentEvent, hash: string): string {
  return `${SHOWN_PLANS}${repository.id}/${issue.number}/${hash}`;
}
