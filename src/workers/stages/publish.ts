import type { RunScope, TaskRecord } from '../record.ts';

/** Opens the draft pull request with the first commit and brings everything people read up to date with the newest. */
export async function publish(record: TaskRecord, scope: RunScope): Promise<TaskRecord> {
  if (record.commit !== undefined) await scope.announcer.ensurePullRequest();
  return record;
}
