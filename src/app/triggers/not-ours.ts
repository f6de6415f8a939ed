import { branchTip } from '../../domain/redo.ts';
import { badCommand, type Refusal } from '../../domain/refusal.ts';
import { isFinal, type Run } from '../../domain/run.ts';
import type { AppDeps } from '../deps.ts';

/** What was asked for, where the branch of a run that is over is not the run's any more. */
const WORDS = {
  redo: { closed: 'nothing is taken back from it', moved: 'Maestro takes nothing back that is not its own' },
  add: { closed: 'nothing is added to it', moved: 'Maestro adds nothing to what it does not know' },
} as const;

/**
 * Why the branch of a run that is over can't be worked on any more; undefined when it can. Of a run that goes on its worker knows
 * better, and looks before it moves anything.
 */
export async function notOurs(
  { forge }: Pick<AppDeps, 'forge'>,
  run: Run,
  order: keyof typeof WORDS,
): Promise<Refusal | undefined> {
  if (!isFinal(run.state)) return undefined;
  const { closed, moved } = WORDS[order];
  const pull = await forge.findPullRequest(run.repository, run.branch);
  if (pull !== undefined && !pull.open)
    return badCommand(
      `The pull request of the run here was ${pull.merged ? 'merged' : 'closed'}: ${closed}. Ask for a new run.`,
    );
  const tip = branchTip(run);
  if (tip === undefined || (await forge.branchHead(run.repository, run.branch)) === tip) return undefined;
  return badCommand(
    `Somebody else changed the run's branch since: ${moved}. Take their commits off it, or ask for a new run.`,
  );
}
