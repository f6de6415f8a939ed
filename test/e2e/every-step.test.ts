import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Run } from '../../src/domain/run.ts';
import { haltsOf, type Halting, LONG_MS, type Step, untilOver } from './halt.ts';
import { MEDDLINGS, type Meddling } from './meddling.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';
import { isThorough } from './thorough.ts';

const WORK = '- [ ] First `scripted: write 1.txt 1`\n- [ ] Second `scripted: write 2.txt 2`\n';

/** Runs that are meddled with at the same time. */
const AT_ONCE = 2;

/** One step of each kind, for every day: what is begun, what is done, and what is written down of it. */
const SAMPLE: readonly Step[] = [
  { point: 'lane.after-effect', phase: 'before the pull request' },
  { point: 'push.after-intent', phase: 'before the pull request' },
  { point: 'push.after-effect', phase: 'before the pull request' },
  { point: 'pull-request.after-effect', phase: 'before the pull request' },
  { point: 'session.after-effect', phase: 'after it' },
  { point: 'capture.after-effect', phase: 'after it' },
  { point: 'push.before-intent', phase: 'after it' },
  { point: 'push.after-intent', phase: 'after it' },
  { point: 'push.after-effect', phase: 'after it' },
  { point: 'ready.before-intent', phase: 'after it' },
  { point: 'end.after-intent', phase: 'after it' },
];

/** Steps of the sample each meddling is tried at. */
const EACH = 3;

/** Where every step is tried: only at points this matches. */
const ONLY = new RegExp(process.env['MAESTRO_STEPS'] ?? '');

/** Steps of what is told beside the work: held there, a run does all that is left to do. */
const TELLING = /^(?:describe|check|comment|label)\./;

describe('at every step of a run,', () => {
  const suite = useHarness({ runner: 'local' });
  let halts: Halting;
  /** Every step that an undisturbed run passes; only known where all are to be tried. */
  let everyStep: readonly Step[] = [];
  beforeAll(() => {
    halts = haltsOf(suite.harness());
  });
  afterAll(() => halts[Symbol.dispose]());

  async function begin(): Promise<{ readonly place: Place; readonly issue: number }> {
    const place = await suite.place({ audited: false });
    return { place, issue: await place.issue('Two things', WORK) };
  }

  async function stepsFor(meddling: Meddling): Promise<readonly Step[]> {
    if (!isThorough) {
      const apart = Math.floor(SAMPLE.length / EACH);
      const from = MEDDLINGS.indexOf(meddling) % apart;
      return Array.from({ length: EACH }, (_, at) => SAMPLE[from + at * apart]).filter((step) => step !== undefined);
    }
    if (everyStep.length === 0) {
      const { place, issue } = await begin();
      await place.label(issue);
      await untilOver(place);
      everyStep = halts.passed(place).filter(({ point }) => ONLY.test(point));
    }
    return everyStep;
  }

  /** Holds a run at a step, has a person meddle, lets it go, and says what is wrong with how it ended. */
  async function meddle(step: Step, meddling: Meddling, isTold: boolean): Promise<readonly string[]> {
    const { place, issue } = await begin();
    const halt = halts.at(place, step);
    try {
      await place.label(issue);
      const isReached = await halt.reached();
      const [run] = await place.runs();
      if (run === undefined || !isReached) return ['the run did not come by'];
      if (TELLING.test(step.point))
        await place.until('the end of the work', async () => await isWorkOver(run), LONG_MS);
      const [committed, pushed] = [await begunPushes(place), await commitsOn(place, run)];
      const scene = { place, issue, branch: run.branch, base: run.base.sha, committed, pushed, isTold };
      const verdict = await meddling.act(scene);
      if (isTold) await suite.harness().quiet();
      halt.release();
      await untilOver(place);
      const settled = await place.settledRun();
      const problems = (await verdict?.(settled)) ?? [];
      await suite.harness().audit(place);
      return problems;
    } finally {
      halt.release();
    }
  }

  async function isWorkOver({ id }: Run): Promise<boolean> {
    return (await suite.harness().store.tasksOf(id)).every(({ outcome }) => outcome !== undefined);
  }

  /** How many commits of a place's run are on its branch, or on their way there. */
  async function begunPushes(place: Place): Promise<number> {
    const { store } = suite.harness();
    const [run] = await place.runs();
    const sessions = run === undefined ? [] : await store.sessionsOf(run.id);
    const pushes = await Promise.all(
      sessions.map(async ({ runId, id }) => await store.findEffect(runId, `push/${id}`)),
    );
    return pushes.filter((push) => push !== undefined).length;
  }

  it.each(MEDDLINGS)(
    '$name: the run ends as people expect, and nothing of theirs is touched',
    async (meddling) => {
      const queue = [...(await stepsFor(meddling)).entries()];
      const problems: string[] = [];
      const take = async (): Promise<void> => {
        for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
          const [at, step] = next;
          // With the webhook dealt with before the run goes on, and with both at the same time.
          const isTold = at % 2 === 0;
          const found = await meddle(step, meddling, isTold).catch((error: unknown) => [String(error)]);
          problems.push(...found.map((one) => `${step.point}, ${step.phase}, ${isTold ? 'told' : 'racing'}: ${one}`));
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, take));
      expect(problems).toEqual([]);
    },
    isThorough ? 7_200_000 : 1_200_000,
  );
});

/** How many of a run's commits are on its branch. */
async function commitsOn(place: Place, { base, branch }: Run): Promise<number> {
  const tip = (await place.branches()).get(branch);
  return tip === undefined ? 0 : Number(await place.git('rev-list', '--count', `${base.sha}..${tip}`));
}
