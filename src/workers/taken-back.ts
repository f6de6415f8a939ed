import type { Session } from '../domain/run.ts';
import { filesChanged, messageOf } from '../git/history.ts';
import { hasObject } from '../git/mirror.ts';
import type { RunScope } from './record.ts';

/** Characters kept of the commit's message, and of the list of its files. */
const KEPT = { message: 1_200, files: 1_200 };

/** What was done at a task before a person had it taken back, for whoever does it again; undefined when nothing was. */
export async function takenBack(earlier: readonly Session[], scope: RunScope): Promise<string | undefined> {
  const outcome = earlier.findLast((one) => one.outcome?.kind === 'committed')?.outcome;
  if (outcome?.kind !== 'committed') return undefined;
  const { mirror } = scope;
  const intro =
    'This task was done before, and a person had that work taken back, with all that was made after it: it is not in the working copy. Do the task anew, minding what they say now.';
  if (!(await hasObject(mirror, `${outcome.commit}^{commit}`))) return intro;
  const message = (await messageOf(mirror, outcome.commit)).slice(0, KEPT.message).toWellFormed();
  const files = (await filesChanged(mirror, outcome.commit)).slice(0, KEPT.files).toWellFormed();
  return [intro, `Its commit \`${outcome.commit}\` said:`, message, 'It changed these files:', files].join('\n\n');
}

/** Sessions since a task's newest work was committed: those before came to what was then taken back. */
export function sinceTakenBack(earlier: readonly Session[]): readonly Session[] {
  return earlier.slice(earlier.findLastIndex(({ outcome }) => outcome?.kind === 'committed') + 1);
}
