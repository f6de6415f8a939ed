import { helpText, parseCommand, type Command } from '../../domain/command.ts';
import { unknownProvider } from '../../domain/label.ts';
import type { RunRequest } from '../../domain/plan-run.ts';
import { badCommand, noRun, type Refusal } from '../../domain/refusal.ts';
import { renderExplanation } from '../../domain/report/explanation.ts';
import { issueOf } from '../../domain/report/run-report.ts';
import { isFinal, type Run } from '../../domain/run.ts';
import { naturalKey, type Trigger } from '../../domain/trigger.ts';
import type { CommentEvent } from '../../domain/webhook.ts';
import { notPermitted, react, refuse, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { explainThread } from '../explain.ts';
import { permissionOf } from '../permission.ts';
import { findResumable } from '../resume.ts';
import { runsHere } from '../runs-here.ts';
import { playbookPath } from '../sources.ts';
import { refreshStatus } from '../status.ts';
import { stopRuns } from '../stop.ts';
import { answer, approve, asReply } from './answer.ts';
import { approvePlan, plan } from './plan.ts';
import { steer } from './steer.ts';
import { filePart, partsOf, startParts } from './thread.ts';

/** Handles a new comment: if it is a command, carries it out. Returns the note for the delivery. */
export async function onComment(deps: AppDeps, event: CommentEvent): Promise<string> {
  const trigger = triggerOf(event);
  const key = naturalKey(event.repository.id, trigger);
  const command = parseCommand(event.comment.body) ?? (await asReply(deps, event, key));
  if (command === undefined) return 'ignored: not a command';
  const permission = await permissionOf(deps, event.repository, event.sender);
  if (permission.kind === 'ignored') return `ignored: ${permission.reason}`;
  const asked: Asked = {
    repository: event.repository,
    thread: event.issue.number,
    sender: event.sender,
    target: { kind: 'comment', id: event.comment.id },
    key,
  };
  // Whoever may not answer was not asked: they only said something.
  if (permission.kind === 'denied' && command.kind === 'reply') return 'ignored: not permitted to answer';
  if (permission.kind === 'denied') return await refuse(deps, asked, notPermitted(permission.role));
  switch (command.kind) {
    case 'unknown':
      return await refuse(deps, asked, badCommand(`There is no command \`${command.verb.replaceAll('`', "'")}\`.`));
    case 'invalid':
      return await refuse(deps, asked, badCommand(command.message));
    case 'help':
      return await help(deps, asked, event);
    case 'status':
      return await status(deps, asked, event);
    case 'explain':
      return await explain(deps, asked, event);
    case 'stop':
      return await stop(deps, asked, event, command.reason);
    case 'pause':
    case 'resume':
    case 'steer':
    case 'retry':
    case 'redo':
    case 'skip':
    case 'add':
    case 'exec':
      return await steer(deps, asked, await runsOf(deps, event), command);
    case 'answer':
    case 'reply':
      return await answer(deps, asked, await runsOf(deps, event), command);
    case 'approve':
      return (
        (await approvePlan(deps, asked, event, { command, trigger, misplaced: await wrongPlace(deps, event) })) ??
        (await approve(deps, asked, await runsOf(deps, event), command))
      );
    case 'run':
    case 'plan':
      return await run(deps, asked, event, { command, trigger });
  }
}

async function run(
  deps: AppDeps,
  asked: Asked,
  event: CommentEvent,
  wish: { readonly command: Extract<Command, { kind: 'run' | 'plan' }>; readonly trigger: Trigger },
): Promise<string> {
  const { command, trigger } = wish;
  const provider = command.provider?.toLowerCase();
  const refusal = (await wrongPlace(deps, event)) ?? unknownProvider(provider, deps.rules.providers);
  if (refusal !== undefined) return await refuse(deps, asked, refusal);
  const earlier =
    command.kind === 'plan' || command.resume === undefined
      ? undefined
      : await findResumable(deps, event.repository, { wanted: command.resume, provider });
  if (earlier !== undefined && 'reason' in earlier) return await refuse(deps, asked, earlier);
  const { instructions, model } = command;
  const request: RunRequest = {
    repository: event.repository,
    trigger,
    provider: earlier?.provider ?? provider,
    model,
    instructions,
    ...(earlier === undefined ? {} : { resume: { session: earlier.session, conversation: earlier.conversation } }),
  };
  if (command.playbook === undefined) {
    if (command.kind === 'plan') return await plan(deps, asked, event, { request, path: undefined });
    const parts = partsOf(deps, request, event.issue);
    if (earlier !== undefined && parts.length > 1) return await refuse(deps, asked, severalPlaybooks());
    await react(deps, asked, 'eyes');
    return await startParts(deps, request, parts, asked);
  }
  const path = playbookPath(command.playbook, deps.rules.playbookDirectory);
  if (path === undefined) {
    const directory = deps.rules.playbookDirectory;
    return await refuse(
      deps,
      asked,
      badCommand(`A playbook is a \`.md\` file below \`${directory}\`, named by its path.`),
    );
  }
  if (command.kind === 'plan') return await plan(deps, asked, event, { request, path });
  await react(deps, asked, 'eyes');
  return await startParts(deps, request, [filePart(deps, request, path)], asked);
}

/** A pull request's head is somebody else's work, in the case of a fork even an outsider's: nothing ever runs on it (threat S11). */
async function wrongPlace(deps: AppDeps, event: CommentEvent): Promise<Refusal | undefined> {
  if (event.issue.isPullRequest) {
    const [ours] = await runsOf(deps, event);
    if (ours === undefined) {
      return {
        reason: 'fork',
        message:
          'Maestro does not run on pull requests that are not its own, least of all on those of forks: ask in an issue.',
      };
    }
    const thread = issueOf(ours);
    const where = thread === undefined ? 'by changing its playbook' : `in #${thread}`;
    return {
      ...badCommand(`This pull request is the work of run \`${ours.id}\`: ask for a new run ${where}.`),
      refersTo: thread === undefined ? [] : [thread],
    };
  }
  return event.issue.open ? undefined : badCommand('This issue is closed: reopen it, then ask again.');
}

async function stop(deps: AppDeps, asked: Asked, event: CommentEvent, reason: string): Promise<string> {
  const runs = (await runsOf(deps, event)).filter((run) => !isFinal(run.state));
  if (runs.length === 0) return await refuse(deps, asked, noRun('No run is going here that could be stopped.'));
  await react(deps, asked, '+1');
  const by = event.sender.login;
  const words = reason === '' ? `stopped by @${by}` : `stopped by @${by}: ${reason}`;
  return await stopRuns(deps, runs, { by, reason: words, at: deps.clock.now() });
}

/** The status comment is the answer: of the newest run here, and of older ones that still go on. */
async function status(deps: AppDeps, asked: Asked, event: CommentEvent): Promise<string> {
  const [newest, ...older] = await runsOf(deps, event);
  if (newest === undefined) return await refuse(deps, asked, noRun('There has been no run here yet.'));
  const runs = [newest, ...older.filter((run) => !isFinal(run.state))];
  for (const run of runs) await refreshStatus(deps, asked.repository, run);
  await react(deps, asked, '+1');
  return `status of ${runs.map((run) => run.id).join(', ')}`;
}

/** One comment that says of each thing that could hold the run here whether it does. */
async function explain(deps: AppDeps, asked: Asked, event: CommentEvent): Promise<string> {
  const { repository, issue, sender, comment } = event;
  const runs = await runsOf(deps, event);
  const run = runs.find(({ state }) => !isFinal(state)) ?? runs[0];
  const explained = await explainThread(deps, repository, issue.number, run);
  await react(deps, asked, '+1');
  const body = renderExplanation(explained, sender.login);
  await deps.forge.ensureComment(repository, issue.number, `explain/${comment.id}`, body);
  return `explained ${run?.id ?? 'that there is no run'}`;
}

async function help(deps: AppDeps, asked: Asked, event: CommentEvent): Promise<string> {
  await react(deps, asked, '+1');
  await deps.forge.ensureComment(event.repository, event.issue.number, `help/${event.comment.id}`, helpText());
  return 'help given';
}

async function runsOf(deps: AppDeps, { repository, issue }: CommentEvent): Promise<readonly Run[]> {
  return await runsHere(deps.store, repository.id, issue);
}

function triggerOf(event: CommentEvent): Trigger {
  const { issue, comment, at, sender } = event;
  return {
    kind: 'command',
    issue: issue.number,
    commentId: comment.id,
    at,
    sender: { id: sender.id, login: sender.login },
  };
}

function severalPlaybooks(): Refusal {
  return badCommand(
    'This issue names several playbooks, and one conversation is gone on with in one run: name one with `playbook=`.',
  );
}
