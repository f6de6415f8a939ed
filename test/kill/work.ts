import { setTimeout as pause } from 'node:timers/promises';
import type { EffectName } from '../../src/telemetry/failpoint.ts';
import { isFinal } from '../../src/domain/run.ts';
import type { Place } from '../e2e/place.ts';
import type { World } from './world.ts';

/** What a run is asked to do, and what must have come of it however often it was cut. */
export interface Work {
  readonly body: string;
  readonly state: 'succeeded' | 'failed';
  /** Of the tasks, in order. */
  readonly outcomes: readonly ('committed' | 'failed')[];
  /** Files on the run's branch. */
  readonly files: Readonly<Record<string, string>>;
  readonly costIsLost?: boolean;
  /** What is said in the thread once the run is over, to open it again. */
  readonly afterwards?: string;
  /** What is said in the thread while the run goes on, to be answered there once. */
  readonly meanwhile?: string;
}

/** Input tokens the scripted agent says it used, each time. */
const TOKENS = 1_200;

/** Two tasks, two commits. */
export const TWO: Work = {
  body: '- [ ] One `scripted: write 1.txt one`\n- [ ] Two `scripted: write 2.txt two`\n',
  state: 'succeeded',
  outcomes: ['committed', 'committed'],
  files: { '1.txt': 'one\n', '2.txt': 'two\n' },
};

/** A task that leaves work and fails, and one that succeeds. */
export const KEEPING: Work = {
  body: '---\non-failure: continue\n---\n\n- [ ] One `scripted: write 1.txt one` `scripted: fail crash`\n- [ ] Two `scripted: write 2.txt two`\n',
  state: 'failed',
  outcomes: ['failed', 'committed'],
  files: { '2.txt': 'two\n' },
};

/** As `TWO`, but the second task takes long enough for everything to be lost meanwhile; what a run cost is lost with it. */
export const SLOW: Work = {
  ...TWO,
  body: '- [ ] One `scripted: write 1.txt one`\n- [ ] Two `scripted: sleep 4s` `scripted: write 2.txt two`\n',
  costIsLost: true,
};

/** As `TWO`, and then once more from the second task on: what was there is taken back. */
export const REDOING: Work = { ...TWO, afterwards: '/maestro redo 2' };

/** As `REDOING`, on lanes that start from a prepared tree. */
export const SPARING: Work = { ...REDOING, body: `---\nsetup: 'true'\n---\n\n${TWO.body}` };

/** As `TWO`, with something to be run on the way. */
export const EXECUTING: Work = {
  ...TWO,
  body: '- [ ] One `scripted: sleep 3s` `scripted: write 1.txt one`\n- [ ] Two `scripted: write 2.txt two`\n',
  meanwhile: '/maestro exec ls',
};

/** What happens only where something is done again. */
const OF_REDOING: readonly (EffectName | undefined)[] = ['rewind', 'draft'];

/** The work in which an effect happens. */
export function workWith(effect: EffectName | undefined): Work {
  if (OF_REDOING.includes(effect)) return REDOING;
  if (effect === 'exec') return EXECUTING;
  return effect === 'keep' ? KEEPING : TWO;
}

/** How long it may take until what was said is heard: a process that was killed at once never says so. Milliseconds. */
const HEARD_MS = 30_000;

/** How long it may take until it is seen that a run was opened again: a process that was killed never shows it. Milliseconds. */
const TAKEN_MS = 10_000;

/** Asks for the work, as a person with the right to. Gives the issue's number. */
export async function ask(place: Place, work: Work): Promise<number> {
  const issue = await place.issue('Some work', work.body);
  await place.label(issue);
  if (work.meanwhile !== undefined) {
    await place.until('the run to begin', async () => (await place.answers(issue)).length > 0, HEARD_MS);
    await place.comment(issue, work.meanwhile);
  }
  if (work.afterwards === undefined) return issue;
  await place.until('the run to be over', async () => await looksOver(place, issue), HEARD_MS * 5);
  const comment = await place.comment(issue, work.afterwards);
  for (const until = Date.now() + HEARD_MS; Date.now() < until; await pause(200))
    if ((await place.reactions(`issues/comments/${comment}`)).includes('+1')) break;
  // Until a worker has taken that in the run looks over as before.
  for (const until = Date.now() + TAKEN_MS; Date.now() < until && (await looksOver(place, issue));) await pause(100);
  return issue;
}

/** Whether people can see that the work is over. */
export async function looksOver(place: Place, issue: number): Promise<boolean> {
  const { labels } = await place.getIssue(issue);
  return labels.some(({ name }) => /^maestro-(done|failed|stopped)$/.test(name));
}

/** What differs from what must have come of the work. */
export async function unfulfilled(world: World, place: Place, issue: number, work: Work): Promise<readonly string[]> {
  const problems: string[] = [];
  const runs = await place.runs();
  const [run] = runs;
  if (run === undefined || runs.length !== 1) return [`${runs.length} runs instead of one`];
  if (!isFinal(run.state)) return [`run ${run.id} is ${run.state} (${run.reason ?? 'no reason'})`];
  if (run.state !== work.state) problems.push(`run ${run.id} ${run.state} (${run.reason ?? 'no reason'})`);
  const outcomes = (await world.store.tasksOf(run.id)).map(({ outcome }) => outcome?.kind ?? 'open');
  if (outcomes.join() !== work.outcomes.join()) problems.push(`the tasks ended ${outcomes.join(', ')}`);
  for (const task of await world.store.tasksOf(run.id)) {
    if (work.costIsLost !== true && task.outcome?.kind === 'committed' && task.usage.inputTokens < TOKENS)
      problems.push(`task ${task.position} counts ${task.usage.inputTokens} tokens`);
  }
  const pulls = await place.pulls();
  const [pull] = pulls;
  if (pulls.length !== 1) problems.push(`${pulls.length} pull requests instead of one`);
  if (pull?.draft !== (work.state !== 'succeeded')) problems.push(`the pull request's draft is ${pull?.draft}`);
  const answers = await place.answers(issue);
  const told = answers.filter((answer) => /^\*\*Maestro\*\* (?:ran|began to run) /.test(answer));
  if (told.length !== (work.meanwhile === undefined ? 0 : 1))
    problems.push(`what came of a command was told ${told.length} times`);
  if (answers.length - told.length !== 1) problems.push(`${answers.length - told.length} comments instead of one`);
  const { body, labels } = await place.getIssue(issue);
  const boxes = [...body.matchAll(/\[([ x])\]/g)].map(([, box]) => (box === 'x' ? 'committed' : 'failed'));
  if (boxes.join() !== work.outcomes.join()) problems.push(`the issue's boxes say ${boxes.join(', ')}`);
  const states = labels.map(({ name }) => name).filter((name) => name.startsWith('maestro-'));
  const expected = work.state === 'succeeded' ? 'maestro-done' : 'maestro-failed';
  if (states.join() !== expected) problems.push(`the issue's state labels are ${states.join(', ')}`);
  await place.branches();
  for (const [file, content] of Object.entries(work.files)) {
    const found = await place.bytes(run.tip, file).catch(() => 'nothing');
    if (found !== content) problems.push(`${file} holds ${JSON.stringify(found)}`);
  }
  const listed = (await place.git('ls-tree', '-r', '--name-only', run.tip)).trim().split('\n');
  const wanted = ['README.md', ...Object.keys(work.files)].toSorted();
  if (listed.toSorted().join() !== wanted.join()) problems.push(`the branch holds ${listed.join(', ')}`);
  return problems;
}
