import { BranchMovedError } from '../../git/remote.ts';
import type { RunScope, TaskRecord } from '../record.ts';
import { isNotTaken, takenOff } from './kept-work.ts';
import { pushAgain } from './push.ts';

/** Opens the draft pull request with the first commit; with every other it is there. */
export async function publish(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  const { commit } = record;
  if (commit === undefined) return record;
  try {
    await openPullRequest(scope);
  } catch (error) {
    if (isNotTaken(error)) await takenOff(record, commit, scope, error);
    throw error;
  }
  return record;
}

/** A branch that is deleted before it has a pull request to close is made again: nobody could read what was on it yet (fault F30). */
async function openPullRequest(scope: RunScope): Promise<void> {
  try {
    await scope.announcer.ensurePullRequest();
  } catch (error) {
    if (!(error instanceof BranchMovedError) || error.actual !== undefined) throw error;
    await pushAgain(scope);
    await scope.announcer.ensurePullRequest();
  }
}
