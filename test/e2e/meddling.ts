import { keptBranch } from './audit.ts';
import type { Place, SettledRun } from './place.ts';

/** A person changes the world while a run is held at a step. */
export interface Meddling {
  readonly name: string;
  /** Does it. Gives what must hold when the run has ended; undefined when there is nothing to do it to. */
  act(scene: Scene): Promise<Verdict | undefined>;
}

export interface Scene {
  readonly place: Place;
  readonly issue: number;
  readonly branch: string;
  readonly base: string;
  /** How many of the run's commits were on its branch, or on their way there, when it was held. */
  readonly committed: number;
  /** How many of them were on its branch. */
  readonly pushed: number;
  /** Whether the app had heard of it before the run was let go. */
  readonly isTold: boolean;
}

/** What is wrong with how a run ended; nothing when all is well. */
type Verdict = (run: SettledRun) => Promise<readonly string[]>;

/** Tasks of the runs that are meddled with. */
export const TASKS = 2;

/** What people do while a run is at work: to its branch (fault F30), its pull request (F31), its playbook (F33), its request (F35). */
export const MEDDLINGS: readonly Meddling[] = [
  {
    name: "the run's branch is deleted",
    act: async (scene) => {
      const { place, branch } = scene;
      if (!(await place.branches()).has(branch)) return undefined;
      const hadPull = (await place.pulls()).length > 0;
      await place.as('will', `DELETE /git/refs/heads/${branch}`);
      return async (run) => {
        const isThere = (await place.branches()).has(branch);
        return [
          ...(await endsForPeople(scene, run, { ends: hadPull ? 'stopped' : 'succeeded' })),
          ...(isThere === hadPull ? [hadPull ? 'the branch was made again' : 'the branch is gone'] : []),
        ];
      };
    },
  },
  {
    name: "somebody pushes to the run's branch",
    act: async (scene) => {
      const { place, branch, base, committed } = scene;
      if (!(await place.branches()).has(branch))
        await place.as('will', 'POST /git/refs', { ref: `refs/heads/${branch}`, sha: base });
      await place.push('theirs.txt', 'mine\n', { branch });
      const theirs = (await place.branches()).get(branch);
      return async (run) => {
        const problems: string[] = [];
        const tip = (await place.branches()).get(branch);
        if (tip !== theirs) problems.push(`the branch is at ${tip}, and theirs is ${theirs}`);
        const ends = run.tasks.map(({ outcome }) => outcome?.kind);
        const isDone = ends.every((kind) => kind === 'committed');
        if (run.state !== (isDone ? 'succeeded' : 'failed')) problems.push(`the run is ${run.state}`);
        if (isDone) return problems;
        const failed = ends.indexOf('failed') + 1;
        const kept = keptBranch(run, failed);
        if (!(await isKept(place, run, failed))) problems.push(`the work of task ${failed} is not at ${kept}`);
        const [told = ''] = await place.answers(scene.issue);
        if (!told.includes(kept)) problems.push('the comment does not say where the work is');
        if (committed > 0 && !told.includes("Somebody else changed the run's branch"))
          problems.push('the comment does not say that somebody changed the branch');
        return problems;
      };
    },
  },
  {
    name: 'its pull request is closed',
    act: async (scene) => {
      const { place } = scene;
      const [pull] = await place.pulls();
      if (pull === undefined) return undefined;
      await place.as('will', `PATCH /pulls/${pull.number}`, { state: 'closed' });
      return async (run) => [
        ...(await endsForPeople(scene, run, { ends: 'stopped' })),
        ...((await place.pulls())[0]?.state === 'closed' ? [] : ['the pull request was opened again']),
      ];
    },
  },
  {
    name: 'its pull request is merged',
    act: async (scene) => await merge(scene),
  },
  {
    name: 'its pull request is merged, and its branch deleted with that',
    act: async (scene) => {
      const verdict = await merge(scene);
      if (verdict === undefined) return undefined;
      await scene.place.as('will', `DELETE /git/refs/heads/${scene.branch}`);
      return async (run) => [
        ...(await verdict(run)),
        ...((await scene.place.branches()).has(scene.branch) ? ['the branch was made again'] : []),
      ];
    },
  },
  {
    name: 'its label is taken off',
    act: async (scene) => {
      await scene.place.unlabel(scene.issue);
      return async (run) => await endsForPeople(scene, run, { ends: 'stopped', isSeenThrough: true });
    },
  },
  {
    name: 'its issue is closed',
    act: async (scene) => {
      await scene.place.as('will', `PATCH /issues/${scene.issue}`, { state: 'closed' });
      return async (run) => await endsForPeople(scene, run, { ends: 'stopped', isSeenThrough: true });
    },
  },
  {
    name: 'somebody writes other tasks into its issue',
    act: async (scene) => {
      const { place, issue } = scene;
      const body = '- [ ] Other `scripted: write other.txt 1`\n';
      await place.as('will', `PATCH /issues/${issue}`, { body });
      return async (run) => [
        ...(await endsForPeople(scene, run, { ends: 'succeeded' })),
        ...((await place.getIssue(issue)).body === body ? [] : ['what they wrote is not what is there']),
      ];
    },
  },
];

/** Merges what a run's pull request has so far, by hand, as people can with a draft too. */
async function merge(scene: Scene): Promise<Verdict | undefined> {
  const { place, branch } = scene;
  const tip = (await place.branches()).get(branch);
  if (tip === undefined || (await place.pulls()).length === 0) return undefined;
  await place.as('will', 'PATCH /git/refs/heads/main', { sha: tip });
  return async (run) => {
    const [pull] = await place.pulls();
    const branches = await place.branches();
    return [
      ...(await endsForPeople(scene, run, { ends: 'stopped' })),
      ...(pull?.state === 'closed' ? [] : ['the pull request was opened again']),
      ...(branches.get('main') === tip ? [] : ['the default branch was changed']),
      ...(scene.isTold && (branches.get(branch) ?? tip) !== tip ? ['something was added to what was merged'] : []),
    ];
  };
}

/**
 * The run ends for what a person did, keeps what was on its branch, and adds nothing that was not on its way there. Where all was
 * done already it has succeeded.
 *
 * @param of.isSeenThrough A commit that is made already is still put on the branch.
 */
async function endsForPeople(
  { place, issue, committed, pushed, isTold }: Scene,
  run: SettledRun,
  of: { readonly ends: 'stopped' | 'failed' | 'succeeded'; readonly isSeenThrough?: boolean },
): Promise<readonly string[]> {
  const { ends, isSeenThrough = false } = of;
  const problems: string[] = [];
  const kinds = run.tasks.map(({ outcome }) => outcome?.kind);
  const done = kinds.filter((kind) => kind === 'committed').length;
  const isDone = done === TASKS;
  if (isTold && ends !== 'succeeded' && done > committed + (isSeenThrough ? 1 : 0))
    problems.push(`${done} tasks are committed, and ${committed} were`);
  const least = isSeenThrough ? committed : pushed;
  if (done < least) problems.push(`only ${done} tasks are committed, and ${least} were`);
  await place.branches();
  if (done < committed && !(await isKept(place, run, done + 1)))
    problems.push(`the work of task ${done + 1}, which was on its way, is not kept`);
  if (!(run.state === ends || (isDone && run.state === 'succeeded'))) problems.push(`the run is ${run.state}`);
  const open = run.tasks.filter(({ outcome, attempts }) => outcome === undefined && attempts > 0);
  if (open.length > 0) problems.push(`tasks that were begun have no outcome: ${kinds.join()}`);
  const pulls = await place.pulls();
  if (pulls.length > 1) problems.push(`there are ${pulls.length} pull requests`);
  const [told = ''] = await place.answers(issue);
  if (isTold && run.state === 'stopped' && !told.includes('was stopped by will'))
    problems.push(`the comment does not say who stopped it: ${told.slice(0, 200)}`);
  return problems;
}

/** Whether what a task's first attempt did is on the branch that keeps it, as `branches` last found it. */
async function isKept(place: Place, run: SettledRun, position: number): Promise<boolean> {
  const work = await place.git('show', `${keptBranch(run, position)}:${position}.txt`).catch(() => '');
  return work === `${position}\n`;
}
