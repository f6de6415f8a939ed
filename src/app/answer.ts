import { digest } from '../domain/ids.ts';
import type { Problem } from '../domain/playbook.ts';
import type { Refusal } from '../domain/refusal.ts';
import { renderProblems } from '../domain/report/problems.ts';
import { renderRefusal } from '../domain/report/refusal-comment.ts';
import type { Repository } from '../domain/repository.ts';
import type { Sender } from '../domain/webhook.ts';
import type { Reaction, ReactionTarget } from '../forge/forge.ts';
import type { AppDeps } from './deps.ts';

/** What answering takes. */
export type AnswerDeps = Pick<AppDeps, 'forge' | 'log'>;

/** A request made in an issue or pull request, and where its answer goes. */
export interface Asked {
  readonly repository: Repository;
  readonly thread: number;
  readonly sender: Sender;
  /** What was labelled or written, to react to; undefined where nothing is. */
  readonly target?: ReactionTarget | undefined;
  /** The same for every delivery of this request: an answer is given once. */
  readonly key: string;
}

/** Reacts to a request. A reaction is a courtesy: failing to give one is logged and holds nothing up. */
export async function react(deps: AnswerDeps, asked: Asked, content: Reaction): Promise<void> {
  if (asked.target === undefined) return;
  try {
    await deps.forge.react(asked.repository, asked.target, content);
  } catch (error) {
    deps.log.warn({ err: error, thread: asked.thread, content }, 'reaction could not be given');
  }
}

/** Says once that a request is not carried out. Returns the note for the delivery. */
export async function refuse(deps: AnswerDeps, asked: Asked, refusal: Refusal): Promise<string> {
  await react(deps, asked, 'confused');
  // Somebody without permission is told once per thread, however often they ask: answers must not be a megaphone.
  const key =
    refusal.reason === 'not-permitted'
      ? `not-permitted/${asked.sender.id}`
      : digest(`${asked.key}|${refusal.message}`, 15);
  const body = renderRefusal(refusal, { requester: asked.sender.login });
  await deps.forge.ensureComment(asked.repository, asked.thread, `refusal/${key}`, body);
  return `refused: ${refusal.reason}`;
}

/** Says once what has to be mended in a playbook before it can run. `place` is its path, or `issue #n`. */
export async function refuseProblems(
  deps: AnswerDeps,
  asked: Asked,
  found: { readonly place: string; readonly problems: readonly Problem[] },
): Promise<string> {
  await react(deps, asked, 'confused');
  const key = `problems/${digest(`${asked.key}|${found.place}`, 15)}`;
  await deps.forge.ensureComment(asked.repository, asked.thread, key, renderProblems(found.place, found.problems));
  return 'refused: bad-playbook';
}

/** Tells somebody whose role is too small. */
export function notPermitted(role: string): Refusal {
  const has = role === 'none' ? 'you have none here' : `yours here is \`${role}\``;
  return {
    reason: 'not-permitted',
    message: `Starting and steering runs needs the role \`write\` or more in this repository; ${has}. Ask somebody who has it.`,
  };
}
