import { branchTip } from '../../domain/redo.ts';
import { badCommand, type Refusal } from '../../domain/refusal.ts';
import { isFinal, type Run } from '../../domain/run.ts';
import type { AppDeps } from '../deps.ts';

/**
 * Why nothing can be taken back from the branch of a run that is over; undefined when it can. Of one that goes on its worker knows
 * better, and looks before it moves anything.
 */
export async function notTakenBack({ forge }: Pick<AppDeps, 'forge'>, run: Run): Promise<Refusal | undefined> {
  if (!isFinal(run.state)) return undefined;
  const pull = await forge.findPullRequest(run.repository, run.branch);
  if (pull !== undefined && !pull.open)
    return badCommand(
      `The pull request of the run here was ${pull.merged ? 'merged' : 'closed'}: nothing is taken back from it. Ask for a new run.`,
    );
  const tip = branchTip(run);
  if (tip === undefined || (await forge.branchHead(run.repository, run.branch)) === tip) return undefined;
  return badCommand(
    "Somebody else changed the run's branch since: Maestro takes nothing back that is not its own. Take their commits off it, or ask for a new run.",
  );
}
