import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { rewoundBranchName } from '../../src/domain/branch.ts';
import type { Run } from '../../src/domain/run.ts';
import { describeWith } from '../setup/require.ts';
import { haltsOf } from './halt.ts';
import type { Place, SettledRun } from './place.ts';
import { pullRequestEvents } from './stage.ts';
import { useHarness, type Suite } from './suite.ts';

const THREE = [1, 2, 3].map((n) => `- [ ] Step ${n} \`scripted: append ${n}.txt ${n}\`\n`).join('');

/** Titles of the commits on a branch since the run's base, the oldest first. */
async function titles(place: Place, run: Run, branch = run.branch): Promise<readonly string[]> {
  await place.branches();
  const listed = await place.git('log', '--reverse', '--format=%s', `${run.base.sha}..${branch}`);
  return listed.split('\n').flatMap((line) => /^Step \d/.exec(line) ?? []);
}

function commitOf({ tasks }: SettledRun, position: number): string {
  const outcome = tasks[position - 1]?.outcome;
  return outcome?.kind === 'committed' ? outcome.commit : '';
}

/** Waits until the run is over once more, having done a task as often as this. */
async function doneAgain(place: Place, position: number, attempts: number): Promise<SettledRun> {
  return await place.until(`task ${position} done ${attempts} times`, async () => {
    const run = await place.settledRun();
    return run.tasks[position - 1]?.attempts === attempts && run;
  });
}

function takesBackWhatIsDone(suite: Suite): void {
  it('takes a task of a run that is done back with all after it, and does them again', async () => {
    const place = await suite.place();
    const issue = await place.issue('Three things', THREE);
    await place.label(issue);
    const first = await place.settledRun();
    const [ready] = await place.pulls();
    expect(ready).toMatchObject({ draft: false, head: { sha: first.tip } });

    const redo = await place.comment(issue, '/maestro redo 2 with the blue paint');
    const again = await doneAgain(place, 2, 2);
    expect(again).toMatchObject({ id: first.id, state: 'succeeded' });
    expect(again.pushed).toBeUndefined();
    expect(again.tasks.map(({ attempts }) => attempts)).toEqual([1, 2, 2]);
    expect(commitOf(again, 1)).toBe(commitOf(first, 1));
    expect(commitOf(again, 2)).not.toBe(commitOf(first, 2));
    expect(await titles(place, again)).toEqual(['Step 1', 'Step 2', 'Step 3']);
    // Done on what was there before task 2, not on what was taken back.
    expect(await place.git('show', `${again.branch}:2.txt`)).toBe('2\n');
    const kept = rewoundBranchName(first.id, first.tip);
    expect((await place.branches()).get(kept)).toBe(first.tip);

    const [pull, ...others] = await place.pulls();
    expect(others).toEqual([]);
    expect(pull).toMatchObject({ number: ready?.number, draft: false, state: 'open', head: { sha: again.tip } });
    expect(pull?.body).toContain(kept);
    expect((await place.getIssue(issue)).body).toBe(THREE.replaceAll('[ ]', '[x]'));
    expect(await place.reactions(`issues/comments/${redo}`)).toEqual(['+1']);
    const sessions = await suite.harness().store.sessionsOf(again.id, again.tasks[1]?.key);
    const log = await readFile(sessions.at(-1)?.log ?? '', 'utf8');
    expect(log).toContain('with the blue paint');
    expect(log).toContain('A\\t2.txt');
    expect(log).toContain(commitOf(first, 2));
    const third = await suite.harness().store.sessionsOf(again.id, again.tasks[2]?.key);
    expect(await readFile(third.at(-1)?.log ?? '', 'utf8')).not.toContain('with the blue paint');
  });
}

describe('a task that is to be done again', () => {
  const suite = useHarness({ runner: 'local' });

  it('asked for when all is said and the run is about to end: its pull request is no longer offered for review', async () => {
    using halting = haltsOf(suite.harness());
    const place = await suite.place();
    const end = halting.at(place, { point: 'end.before-intent', phase: 'after it' });
    const issue = await place.issue('Three things', THREE);
    await place.label(issue);
    expect(await end.reached()).toBe(true);
    expect(await place.pulls()).toMatchObject([{ draft: false }]);

    await place.comment(issue, '/maestro redo 3');
    await suite.harness().quiet();
    end.release();
    await doneAgain(place, 3, 2);
    const actions = pullRequestEvents(suite.harness(), place.id).map(({ action }) => action);
    expect(actions.filter((action) => action !== 'edited' && action !== 'synchronize')).toEqual([
      'opened',
      'ready_for_review',
      'converted_to_draft',
      'ready_for_review',
    ]);
    expect(await place.pulls()).toMatchObject([{ draft: false }]);
  });

  takesBackWhatIsDone(suite);

  it('may be the first: the pull request stays open, and the branch moves with the next commit', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Three things',
      THREE.replace('append 1.txt 1`', 'append 1.txt 1` `scripted: sleep 1s`'),
    );
    await place.label(issue);
    const first = await place.settledRun();
    await place.comment(issue, '/maestro redo 1');
    await place.until('the pull request to be a draft', async () => (await place.pulls())[0]?.draft === true);
    await place.until('no tick', async () => !(await place.getIssue(issue)).body.includes('[x]'));
    const again = await doneAgain(place, 1, 2);
    expect(again).toMatchObject({ state: 'succeeded' });
    expect(await titles(place, again)).toEqual(['Step 1', 'Step 2', 'Step 3']);
    expect(commitOf(again, 1)).not.toBe(commitOf(first, 1));
    expect(await place.pulls()).toMatchObject([{ state: 'open', draft: false, head: { sha: again.tip } }]);
    expect((await place.branches()).get(rewoundBranchName(first.id, first.tip))).toBe(first.tip);
  });

  it('is taken back while a later one is at work, once that is through; a committed playbook is unticked with it', async () => {
    const place = await suite.place();
    await place.pushPlaybook(
      'steps.md',
      `# Steps\n\n${THREE.replace('append 3.txt 3`', 'append 3.txt 3` `scripted: say now` `scripted: sleep 3s`')}`,
    );
    await place.until('the last task', async () => await place.agentSaid('"now"'));
    const [pull] = await place.until('a pull request', async () => {
      const pulls = await place.pulls();
      return pulls.length > 0 && pulls;
    });
    await place.comment(pull?.number ?? 0, '/maestro redo 2');
    const run = await doneAgain(place, 2, 2);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 2, 2]);
    expect(await titles(place, run)).toEqual(['Step 1', 'Step 2', 'Step 3']);
    const before = await place.git('show', `${commitOf(run, 1)}:.maestro/playbooks/steps.md`);
    expect([...before.matchAll(/\[(.)\]/g)].map(([, mark]) => mark)).toEqual(['x', ' ', ' ']);
    const after = await place.git('show', `${run.branch}:.maestro/playbooks/steps.md`);
    expect([...after.matchAll(/\[(.)\]/g)].map(([, mark]) => mark)).toEqual(['x', 'x', 'x']);
  });

  it('opens a run that failed again, and what failed after it', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Three things',
      `- [ ] Step 1 \`scripted: append 1.txt 1\`\n- [ ] Step 2 \`scripted: exit 3\`\n- [ ] Step 3 \`scripted: append 3.txt 3\`\n`,
    );
    await place.label(issue);
    const failed = await place.settledRun();
    expect(failed.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'failed', undefined]);
    await place.comment(issue, '/maestro redo 1');
    const again = await doneAgain(place, 2, 2);
    expect(again).toMatchObject({ state: 'failed' });
    expect(again.tasks.map(({ attempts }) => attempts)).toEqual([2, 2, 0]);
    expect(await titles(place, again)).toEqual(['Step 1']);
  });

  it('is refused where that can not be: no such task, one still to be done, somebody else on the branch, a closed pull request', async () => {
    const place = await suite.place();
    const issue = await place.issue('Three things', THREE);
    await place.label(issue);
    const run = await place.settledRun();
    const [pull] = await place.pulls();
    const refused = async (words: string): Promise<string> => {
      const known = (await place.answers(issue)).length;
      const comment = await place.comment(issue, words);
      await suite.harness().quiet();
      expect(await place.reactions(`issues/comments/${comment}`)).toEqual(['confused']);
      const answers = await place.answers(issue);
      expect(answers).toHaveLength(known + 1);
      return answers.at(-1) ?? '';
    };
    expect(await refused('/maestro redo')).toContain('Say which task');
    expect(await refused('/maestro redo 7')).toContain('There is no task 7');
    expect(await refused('/maestro retry 2')).toContain('/maestro redo N');
    await place.push('theirs.txt', 'theirs\n', { branch: run.branch });
    expect(await refused('/maestro redo 2')).toContain('Somebody else changed');
    await place.as('will', `PATCH /pulls/${pull?.number}`, { state: 'closed' });
    expect(await refused('/maestro redo 2')).toContain('was closed');
    expect((await place.settledRun()).tasks.map(({ attempts }) => attempts)).toEqual([1, 1, 1]);
    expect((await place.branches()).has(rewoundBranchName(run.id, run.tip))).toBe(false);
  });
});

describeWith(['docker'], 'a task that is to be done again, in containers', () => {
  takesBackWhatIsDone(useHarness({ runner: 'docker' }));
});
