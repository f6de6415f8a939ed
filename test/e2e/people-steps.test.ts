import { afterEach, describe, expect, it } from 'vitest';
import { type Failpoint, watchFailpoints } from '../../src/telemetry/failpoint.ts';
import { keptBranch } from './audit.ts';
import { createGate, type Gate } from './gate.ts';
import type { Place, SettledRun } from './place.ts';
import { useHarness } from './suite.ts';

/** What a person does while a run's second and last task is at a step. */
type Act = 'pushes to its branch' | 'deletes its branch' | 'closes its pull request' | 'takes its label off';

interface Held {
  readonly act: Act;
  readonly place: Place;
  readonly issue: number;
  readonly branch: string;
  readonly gate: Gate;
}

const ACTS: readonly Act[] = [
  'pushes to its branch',
  'deletes its branch',
  'closes its pull request',
  'takes its label off',
];

/** The steps of a task, by the last thing that is done before each; and whether its commit is on the branch by then. */
const STEPS: readonly (readonly [step: string, point: Failpoint, pushed: boolean])[] = [
  ['taken in', 'capture.before-intent', false],
  ['committed', 'commit.before-intent', false],
  ['about to be pushed', 'push.before-intent', false],
  ['pushed, and that not on record', 'push.after-effect', true],
  ['about to be settled', 'settle.before-intent', true],
  ['settled, and the run about to end', 'end.before-intent', true],
];

describe('a person changes something on GitHub while the work of a run is being', () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_CONCURRENCY: String(ACTS.length) } });
  afterEach(() => watchFailpoints(undefined));

  it.each(STEPS)('%s: theirs stays, nothing is made again, and the run says how it ended', async (_, point, pushed) => {
    const runs = await Promise.all(ACTS.map(halfway));
    const held = hold(point);
    await Promise.all(runs.map(async ({ gate }) => gate.open()));
    await runs[0]?.place.until('all runs held', async () => held.count() === runs.length);
    const theirs = new Map<Act, string | undefined>();
    for (const run of runs) theirs.set(run.act, await does(run));
    await suite.harness().quiet();
    held.release();

    for (const run of runs) await hasEnded(run, { pushed, theirs: theirs.get(run.act) });
  });

  /** A run whose second task is at work; the first is committed, and its pull request open. */
  async function halfway(act: Act): Promise<Held> {
    const place = await suite.place();
    const gate = createGate();
    const issue = await place.issue(
      'Two things',
      `- [ ] First \`scripted: write 1.txt 1\`\n- [ ] Second ${gate.directives} \`scripted: write 2.txt 2\`\n`,
    );
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    await place.until('the pull request', async () => (await place.pulls())[0]);
    return { act, place, issue, branch: (await place.runs())[0]?.branch ?? '', gate };
  }

  /** Gives where the person left the run's branch. */
  async function does({ act, place, issue, branch }: Held): Promise<string | undefined> {
    if (act === 'pushes to its branch') await place.push('theirs.txt', 'mine\n', { branch });
    if (act === 'deletes its branch') await place.as('will', `DELETE /git/refs/heads/${branch}`);
    if (act === 'closes its pull request') await place.as('will', 'PATCH /pulls/2', { state: 'closed' });
    if (act === 'takes its label off') await place.unlabel(issue);
    return (await place.branches()).get(branch);
  }

  async function hasEnded(
    { act, place, issue, branch }: Held,
    was: { readonly pushed: boolean; readonly theirs: string | undefined },
  ): Promise<void> {
    const run = await place.settledRun();
    const branches = await place.branches();
    const pulls = await place.pulls();
    const [status = '', ...others] = await place.answers(issue);
    expect(others).toEqual([]);
    expect(pulls).toHaveLength(1);
    const done = run.tasks[1]?.outcome?.kind === 'committed';
    expect(done).toBe(was.pushed || act === 'takes its label off');
    if (act === 'takes its label off') expect(branches.get(branch)).toBe(run.tip);
    else expect(branches.get(branch)).toBe(was.theirs);
    if (act.startsWith('deletes') || act.startsWith('closes')) expect(pulls[0]?.state).toBe('closed');
    if (done) {
      // What was asked for is done, and on the branch: that somebody ended it at that moment changes nothing of it.
      expect(run.state).toBe('succeeded');
      expect(status).toContain('is done');
      return;
    }
    await keptAside(place, run);
    if (act === 'pushes to its branch') {
      expect(run.state).toBe('failed');
      expect(status).toContain("Somebody else changed the run's branch");
    } else {
      expect(run.state).toBe('stopped');
      expect(status.replaceAll('&#8203;', '')).toContain('Pull request #2 closed by @will.');
    }
  }

  /** The work that could not go to the branch is beside it. */
  async function keptAside(place: Place, run: SettledRun): Promise<void> {
    expect(await place.git('show', `${keptBranch(run, 2)}:2.txt`)).toBe('2\n');
  }
});

/** Holds everything that comes to a failpoint until it is released. */
function hold(at: Failpoint): { count(): number; release(): void } {
  const released = Promise.withResolvers<void>();
  let count = 0;
  watchFailpoints(async (point) => {
    if (point !== at) return;
    count += 1;
    await released.promise;
  });
  return { count: () => count, release: () => released.resolve() };
}
