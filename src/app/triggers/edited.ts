import { noRun } from '../../domain/refusal.ts';
import { threadOf } from '../../domain/report/run-report.ts';
import { isFinal, type Run } from '../../domain/run.ts';
import { newTicks, runOfStatusComment, type Tick } from '../../domain/tick-boxes.ts';
import type { CommentEditedEvent } from '../../domain/webhook.ts';
import { notPermitted, refuse, type Asked } from '../answer.ts';
import type { AppDeps } from '../deps.ts';
import { permissionOf } from '../permission.ts';
import { refreshStatus } from '../status.ts';
import { stopRuns } from '../stop.ts';
import { approve } from './answer.ts';
import { steer } from './steer.ts';

/**
 * Handles an edit of a comment: a box ticked in a run's status comment is a command of whoever ticked it. Whatever else they changed
 * there is overwritten, and the boxes are empty again. Returns the note for the delivery.
 */
export async function onCommentEdited(deps: AppDeps, event: CommentEditedEvent): Promise<string> {
  const { repository, comment, sender } = event;
  const self = await deps.forge.self();
  if (comment.authorId !== self.id) return 'ignored: not a comment of ours';
  // Also ours, and foreign bots: answering them could go on for ever.
  const permission = await permissionOf(deps, repository, sender);
  if (permission.kind === 'ignored') return `ignored: ${permission.reason}`;
  const run = await runOf(deps, event);
  if (run === undefined) return 'ignored: not the status comment of a run here';

  const ticks = newTicks(comment.before, comment.body);
  const notes: string[] = [];
  if (permission.kind === 'denied') {
    const key = keyOf(event, 'denied');
    if (ticks.length > 0) notes.push(await refuse(deps, askedBy(event, key), notPermitted(permission.role)));
  } else for (const tick of ticks) notes.push(await carryOut(deps, event, run, tick));
  await refreshStatus(deps, repository, (await deps.store.findRun(run.id)) ?? run, comment.id);
  return notes.length === 0 ? 'an edit of a status comment was undone' : notes.join(', ');
}

/** The run an edited comment was the status of, by what it said before: that nobody can have changed but who was answered for it. */
async function runOf(deps: AppDeps, event: CommentEditedEvent): Promise<Run | undefined> {
  const { repository, issue, comment } = event;
  const id = runOfStatusComment(comment.before) ?? runOfStatusComment(comment.body);
  const run = id && (await deps.store.findRun(id));
  if (run === undefined || run.repository.id !== repository.id || threadOf(run) !== issue.number) return undefined;
  return run.statusCommentId === undefined || run.statusCommentId === comment.id ? run : undefined;
}

async function carryOut(deps: AppDeps, event: CommentEditedEvent, run: Run, tick: Tick): Promise<string> {
  const { command, words } = tick;
  const asked = askedBy(event, keyOf(event, words));
  if (command.kind === 'approve') return await approve(deps, asked, [run], command);
  if (command.kind !== 'stop') return await steer(deps, asked, [run], command);
  if (isFinal(run.state)) return await refuse(deps, asked, noRun('The run here has ended; there is nothing to stop.'));
  const by = event.sender.login;
  return await stopRuns(deps, [run], { by, reason: `stopped by @${by}`, at: deps.clock.now() });
}

/** The same for every delivery of one edit. */
function keyOf({ repository, comment, at }: CommentEditedEvent, what: string): string {
  return ['tick', repository.id, comment.id, at, what].join('|');
}

/** There is nothing to react to: the comment itself, written anew, is the answer. */
function askedBy({ repository, issue, sender }: CommentEditedEvent, key: string): Asked {
  return { repository, thread: issue.number, sender, key };
}
