import type { Refusal } from '../domain/refusal.ts';
import type { Repository } from '../domain/repository.ts';
import type { Resume } from '../domain/run.ts';
import { findKept, type KeptSession } from '../sessions/shelf.ts';
import type { AppDeps } from './deps.ts';

/** How many conversations a refusal names. */
const NAMED = 3;

/** A conversation that a run may go on with. */
export interface Resumable extends Resume {
  /** The provider that held it: no other can go on with it. */
  readonly provider: string;
}

/**
 * The conversation a person names by the provider's id or ours, among those kept for this repository. Never one of another
 * repository: what was said there is for those who may read that one.
 */
export async function findResumable(
  deps: AppDeps,
  repository: Repository,
  asked: { readonly wanted: string; readonly provider: string | undefined },
): Promise<Resumable | Refusal> {
  const all = await deps.shelf.list();
  const here = all.filter((session) => session.repository.id === repository.id);
  const found = await find(deps, repository, { wanted: asked.wanted, here });
  if (found === undefined) return await unknown(deps, { wanted: asked.wanted, all, here });
  if ('reason' in found) return found;
  if (asked.provider === undefined || asked.provider === found.provider) return found;
  return refusal(
    `That conversation is one of \`${found.provider}\`, and \`${asked.provider}\` can't go on with it: leave \`provider=\` out.`,
  );
}

async function find(
  deps: AppDeps,
  repository: Repository,
  { wanted, here }: { readonly wanted: string; readonly here: readonly KeptSession[] },
): Promise<Resumable | Refusal | undefined> {
  const kept = findKept(here, wanted);
  if (kept !== undefined) return { session: kept.id, conversation: kept.conversation, provider: kept.provider };
  // A worker on another machine has a shelf of its own.
  const known = (await deps.store.findSessions(wanted)).filter(({ repositoryId }) => repositoryId === repository.id);
  const [newest] = known;
  if (newest === undefined) return undefined;
  const fresh = known.find(
    ({ session: { kept, endedAt } }) =>
      kept !== undefined && (endedAt ?? Infinity) > deps.clock.now() - deps.rules.keepMs,
  )?.session;
  if (fresh?.conversation !== undefined) {
    return { session: fresh.id, conversation: fresh.conversation, provider: fresh.provider };
  }
  return refusal(
    newest.session.kept === undefined
      ? 'Nothing is kept of that conversation: its agent left none, it was too large, or it still goes on.'
      : 'That conversation is not kept any more: it is too old.',
  );
}

async function unknown(
  deps: AppDeps,
  of: { readonly wanted: string; readonly all: readonly KeptSession[]; readonly here: readonly KeptSession[] },
): Promise<Refusal> {
  const { wanted, all, here } = of;
  if (findKept(all, wanted) !== undefined || (await deps.store.findSessions(wanted)).length > 0) {
    return refusal(
      'That conversation is about another repository, and is gone on with only there: what was said in it may not be for everybody here.',
    );
  }
  const named = nearest(wanted, here).map(
    ({ conversation, provider, endedAt }) =>
      `\`${conversation}\` (${provider}, ${new Date(endedAt).toISOString().slice(0, 16).replace('T', ' ')} UTC)`,
  );
  const shown = wanted.replaceAll('`', "'");
  return refusal(
    `No conversation \`${shown}\` is kept for this repository. ${named.length === 0 ? 'None is.' : `There is ${named.join(', ')}.`}`,
  );
}

/** Those whose id begins most like what was written; then the newest. One of each conversation. */
function nearest(wanted: string, sessions: readonly KeptSession[]): readonly KeptSession[] {
  const once = sessions.filter(
    ({ conversation }, at) => sessions.findIndex((other) => other.conversation === conversation) === at,
  );
  const likeness = ({ id, conversation }: KeptSession): number =>
    Math.max(commonStart(wanted, id), commonStart(wanted, conversation));
  return once.toSorted((a, b) => likeness(b) - likeness(a)).slice(0, NAMED);
}

function commonStart(one: string, other: string): number {
  let length = 0;
  while (length < one.length && one[length] === other[length]) length += 1;
  return length;
}

function refusal(message: string): Refusal {
  return { reason: 'no-conversation', message };
}
