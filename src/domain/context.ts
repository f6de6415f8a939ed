import { isThrough, type Run, type RunTask, type Session } from './run.ts';
import { LIMITS, notesAfter, type Word } from './talk.ts';

/** The task whose conversation the next one goes on with, in a run that is one conversation: the one that was done last. */
export function taskBefore({ settings }: Pick<Run, 'settings'>, tasks: readonly RunTask[]): RunTask | undefined {
  if (settings.context !== 'document') return undefined;
  return tasks
    .filter((task) => isThrough(task) && task.attempts > 0 && task.endedAt !== undefined)
    .reduce<RunTask | undefined>(
      (last, task) => ((task.endedAt ?? 0) >= (last?.endedAt ?? 0) ? task : last),
      undefined,
    );
}

/** The session of a task that is through whose conversation another can go on with: that which did it, if it is kept. */
export function sessionToGoOnWith(
  sessions: readonly Pick<Session, 'id' | 'outcome' | 'kept' | 'provider'>[],
  provider: string,
): Session['id'] | undefined {
  const did = sessions.findLast(({ outcome }) => outcome?.kind === 'committed' || outcome?.kind === 'no-change');
  return did?.kept !== undefined && did.provider === provider ? did.id : undefined;
}

/**
 * What a task leaves to know after a session of it. Where tasks hand over to each other, the last message of one that was finished
 * stands in for the note that it did not leave.
 */
export function leftToKnow(
  task: Pick<RunTask, 'notes'>,
  said: { readonly words: readonly Word[]; readonly lastMessage: string | undefined },
  { settings }: Pick<Run, 'settings'>,
): readonly string[] {
  const handsOver = settings.context === 'handoff' || settings.context === 'document';
  const message = said.lastMessage?.trim() ?? '';
  if (!handsOver || message === '' || said.words.some(({ kind }) => kind === 'note'))
    return notesAfter(task, said.words);
  const text = message.length > LIMITS.note ? `${message.slice(0, LIMITS.note - 1).toWellFormed()}…` : message;
  return notesAfter(task, [...said.words, { kind: 'note', text }]);
}
