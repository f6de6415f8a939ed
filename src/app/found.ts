import { parseCommand } from '../domain/command.ts';
import { hasTriggerLabel } from '../domain/label.ts';
import type { Repository } from '../domain/repository.ts';
import { labelRequest, naturalKey } from '../domain/trigger.ts';
import { isZeroSha, type CommentEvent, type IssueLabelEvent, type PushEvent } from '../domain/webhook.ts';
import type { Labeling, SurveyedComment, SurveyedIssue, SurveyedPush } from '../forge/forge.ts';
import { refuse } from './answer.ts';
import { permissionOf } from './permission.ts';
import { isKnown, type ScanDeps, type Span } from './scan-deps.ts';

/** State labels that say that a run came to its end. */
const FINAL_LABELS: readonly string[] = ['maestro-done', 'maestro-failed', 'maestro-stopped'];

/** What tells that a comment was dealt with: the reactions we leave in the end. */
const FINAL_REACTIONS: readonly string[] = ['hooray', 'confused', '+1'];

/** GitHub's times are whole seconds, and a label changes its issue at once. Milliseconds. */
const SAME_MOMENT_MS = 2_000;

/** Labels asking for a run that were put on open issues in the span, are still there, and were not dealt with. */
export async function findLabelings(
  deps: ScanDeps,
  repository: Repository,
  span: Span,
): Promise<readonly IssueLabelEvent[]> {
  const found: IssueLabelEvent[] = [];
  for (const surveyed of await deps.survey.changedIssues(repository, span.from)) {
    const { issue } = surveyed;
    if (!hasTriggerLabel(issue.labels)) continue;
    const all = await deps.survey.labelings(repository, issue.number);
    const labelings = all.filter(({ kind }) => kind === 'labeled');
    const wanted = issue.labels.filter((label) => labelRequest(label) !== undefined);
    for (const label of wanted) {
      const last = labelings.findLast((labeling) => labeling.label === label);
      if (last === undefined || last.at < span.from || last.at > span.to) continue;
      const { sender, at } = last;
      const event: IssueLabelEvent = { kind: 'labeled', repository, issue, label, sender, at };
      if (await isKnown(deps, event)) continue;
      if (span.first && (await cameToItsEnd(deps, labelings, last))) continue;
      if (await isAsItWas(deps, { repository, surveyed, at })) found.push(event);
      else await tellChanged(deps, { ...event, target: { kind: 'issue', number: issue.number } });
    }
  }
  return found;
}

/** Whether we put a final state label on the issue after it was labelled: a run of a life we do not remember. */
async function cameToItsEnd(deps: ScanDeps, all: readonly Labeling[], asked: Labeling): Promise<boolean> {
  const self = await deps.forge.self();
  return all.some(({ label, sender, at }) => FINAL_LABELS.includes(label) && sender.id === self.id && at >= asked.at);
}

/** Commands in comments of the span that were never edited and not dealt with. */
export async function findCommands(
  deps: ScanDeps,
  repository: Repository,
  span: Span,
): Promise<readonly CommentEvent[]> {
  const found: CommentEvent[] = [];
  for (const comment of await deps.survey.newComments(repository, span.from)) {
    const command = parseCommand(comment.body);
    if (command === undefined || comment.at > span.to || (span.first && isDone(comment, command.kind))) continue;
    const surveyed = await deps.survey.surveyedIssue(repository, comment.thread);
    if (surveyed === undefined) continue;
    const { sender, at, id, body } = comment;
    const event: CommentEvent = {
      kind: 'comment',
      repository,
      issue: surveyed.issue,
      comment: { id, body },
      sender,
      at,
    };
    if (await isKnown(deps, event)) continue;
    const runsText = (command.kind === 'run' || command.kind === 'plan') && command.playbook === undefined;
    if (!runsText || (await isAsItWas(deps, { repository, surveyed, at }))) found.push(event);
    else await tellChanged(deps, { ...event, target: { kind: 'comment', id } });
  }
  return found;
}

/** On a first look, old questions need no answer, and a command with our last reaction was carried out. */
function isDone(comment: SurveyedComment, kind: string): boolean {
  if (kind !== 'run' && kind !== 'approve' && kind !== 'stop') return true;
  return comment.reactions.some((reaction) => FINAL_REACTIONS.includes(reaction));
}

/** Pushes to the default branch in the span that were not dealt with, if they brought a playbook that is still there. */
export async function findPushes(deps: ScanDeps, repository: Repository, span: Span): Promise<readonly PushEvent[]> {
  const { defaultBranch } = repository;
  const events: PushEvent[] = [];
  for (const push of await deps.survey.pushesTo(repository, defaultBranch, span.from)) {
    if (push.at > span.to) continue;
    const event = asEvent(repository, push);
    if (!(await isKnown(deps, event))) events.push(event);
  }
  const [oldest] = events;
  if (oldest === undefined || !(await bringsPlaybooks(deps, oldest))) return [];
  return await Promise.all(
    events.map(async (event) => ({
      ...event,
      messages: isZeroSha(event.before) ? [] : await deps.survey.messagesBetween(repository, event.before, event.after),
    })),
  );
}

function asEvent(repository: Repository, { before, after, sender, at }: SurveyedPush): PushEvent {
  const ref = `refs/heads/${repository.defaultBranch}`;
  return { kind: 'push', repository, ref, before, after, messages: [], sender, at };
}

/** Whether any playbook is on the default branch now that was not there, with this content, before a push. */
async function bringsPlaybooks(deps: ScanDeps, { repository, before }: PushEvent): Promise<boolean> {
  const head = await deps.forge.branchHead(repository, repository.defaultBranch);
  if (head === undefined) return false;
  const directory = deps.rules.playbookDirectory;
  const now = await deps.forge.listFiles(repository, directory, head);
  const then = isZeroSha(before) ? [] : await deps.forge.listFiles(repository, directory, before);
  return now.some(({ path, blob }) => !then.some((old) => old.path === path && old.blob === blob));
}

/**
 * Whether an issue's text is surely what it was when the request was made (promise P10): nothing happened to the issue since, or its
 * author may start runs and so speaks for what they write.
 */
async function isAsItWas(
  deps: ScanDeps,
  of: { readonly repository: Repository; readonly surveyed: SurveyedIssue; readonly at: number },
): Promise<boolean> {
  const { author, updatedAt } = of.surveyed;
  if (updatedAt <= of.at + SAME_MOMENT_MS) return true;
  return (await permissionOf(deps, of.repository, author)).kind === 'granted';
}

/** Tells that a request came too late to be sure of what it was about. Only somebody who may ask is told. */
async function tellChanged(
  deps: ScanDeps,
  event: (IssueLabelEvent | CommentEvent) & { readonly target: Parameters<typeof refuse>[1]['target'] },
): Promise<void> {
  const { repository, sender, issue } = event;
  const name = `changed/${repository.id}/${event.kind}/${issue.number}/${event.at}`;
  if ((await deps.store.findMarks([name])).size > 0) return;
  if ((await permissionOf(deps, repository, sender)).kind === 'granted') {
    const trigger = { kind: 'label', issue: issue.number, label: 'changed', at: event.at, sender } as const;
    const asked = {
      repository,
      thread: issue.number,
      sender,
      target: event.target,
      key: naturalKey(repository.id, trigger),
    };
    const again = event.kind === 'comment' ? 'Ask again.' : 'Take the label off and put it on again.';
    const message = `GitHub did not tell Maestro of this in time, and the issue has changed since; what it said then is not known. ${again}`;
    await refuse(deps, asked, { reason: 'bad-command', message });
  }
  await deps.store.setMark(name, { value: true, at: deps.clock.now() });
}
