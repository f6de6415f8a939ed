import { leftToKnow, sessionToGoOnWith, taskBefore } from '../domain/context.ts';
import type { Failure } from '../domain/outcome.ts';
import { conversationOf, earlierConversation, type Earlier } from './kept-sessions.ts';
import type { RunScope, TaskRecord } from './record.ts';

/**
 * The conversation an attempt goes on with: the one that was asked for, or, in a run that is one conversation, that of the task done
 * last. Where that can't be had, because another provider or another machine held it, a conversation of its own.
 */
export async function conversationFor(record: TaskRecord, scope: RunScope): Promise<Earlier | Failure> {
  const earlier = await earlierConversation(record, scope);
  if ('kind' in earlier || earlier.resume !== undefined) return earlier;
  const { deps, held, provider } = scope;
  const before = taskBefore(held.run, held.tasks);
  if (before === undefined) return earlier;
  const session = sessionToGoOnWith(await deps.store.sessionsOf(held.run.id, before.key), provider.id);
  return (session === undefined ? undefined : await conversationOf(session, record, scope)) ?? earlier;
}

/** Writes down what a session leaves for later ones to know. At once: a worker that dies before the task is settled would take it with it. */
export async function leaveNotes(record: TaskRecord, { held }: RunScope): Promise<void> {
  const { task, words = [], failure, stopped, summary } = record;
  const lastMessage = failure === undefined && !stopped ? summary : undefined;
  const notes = leftToKnow(task, { words, lastMessage }, held.run);
  if (notes.length === 0 || notes.join('\0') === task.notes?.join('\0')) return;
  await held.changeTask(task.key, { notes });
}
