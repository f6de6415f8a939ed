import { describe, expect, it } from 'vitest';
import { keptBranch } from './audit.ts';
import { watchFailpoints } from '../../src/telemetry/failpoint.ts';
import { createGate, type Gate } from './gate.ts';
import { haltsOf, untilOver } from './halt.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';

const TWO_THINGS = '- [ ] First `scripted: write 1.txt 1`\n- [ ] Second `scripted: write 2.txt 2`\n';

/** A repository whose run has committed its first task and is in the middle of its second. */
interface Halfway {
  readonly place: Place;
  readonly issue: number;
  readonly branch: string;
  readonly gate: Gate;
}

/** What people read in a comment, without the characters that keep GitHub from acting on it. */
function plain(text: string | undefined): string {
  return (text ?? '').replaceAll('&#8203;', '');
}

/** The run ends within seconds although its agent does not, keeps what was done, and says who ended it. */
async function endsFor({ place, issue, branch }: Halfway, words: string, asked: number): Promise<void> {
  const run = await place.settledRun();
  expect(Date.now() - asked).toBeLessThan(15_000);
  expect(run).toMatchObject({ state: 'stopped', stop: { by: 'will' } });
  expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'cancelled']);
  await place.branches();
  expect(await place.git('show', `${keptBranch(run, 2)}:2.txt`)).toBe('2\n');
  const [status, ...others] = await place.answers(issue);
  expect(others).toEqual([]);
  expect(status).toContain('was stopped by will, 1 of 2 tasks done');
  expect(plain(status)).toContain(words);
  expect(plain(status)).toContain(`unfinished work kept at \`${keptBranch(run, 2)}\``);
  expect(run.branch).toBe(branch);
}

describe('while a run is in the middle of its second task', () => {
  const suite = useHarness({ runner: 'local' });

  async function halfway(): Promise<Halfway> {
    const place = await suite.place();
    const gate = createGate();
    const issue = await place.issue(
      'Two things',
      `- [ ] First \`scripted: write 1.txt 1\`\n- [ ] Second \`scripted: write 2.txt 2\` ${gate.directives}\n`,
    );
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    const [run] = await place.runs();
    await place.until('the pull request', async () => (await place.pulls())[0]);
    return { place, issue, branch: run?.branch ?? '', gate };
  }

  it('somebody closes the pull request: the run stops, and opens neither that nor another', async () => {
    const run = await halfway();
    const { place } = run;
    const asked = Date.now();
    await place.as('will', 'PATCH /pulls/2', { state: 'closed' });
    await endsFor(run, 'Pull request #2 closed by @will.', asked);
    expect(await place.pulls()).toMatchObject([{ number: 2, state: 'closed', draft: true }]);
  });

  it('somebody merges the pull request: the run stops, and adds nothing to what was merged', async () => {
    const run = await halfway();
    const { place, branch } = run;
    const tip = (await place.branches()).get(branch);
    const asked = Date.now();
    await place.as('will', 'PATCH /git/refs/heads/main', { sha: tip });
    await endsFor(run, 'Pull request #2 merged by @will.', asked);
    expect(await place.pulls()).toMatchObject([{ number: 2, state: 'closed' }]);
    expect((await place.branches()).get(branch)).toBe(tip);
  });

  it("somebody deletes the run's branch: the run stops, and does not make it again", async () => {
    const run = await halfway();
    const { place, branch } = run;
    const asked = Date.now();
    await place.as('will', `DELETE /git/refs/heads/${branch}`);
    await endsFor(run, 'Pull request #2 closed by @will.', asked);
    expect(await place.branches()).not.toContain(branch);
    expect(await place.pulls()).toMatchObject([{ number: 2, state: 'closed' }]);
  });

  it('the pull request is closed and nobody tells us: it is noticed before the next commit', async () => {
    const { place, issue, branch, gate } = await halfway();
    suite.harness().github.control.addFault({ kind: 'drop-hook', event: 'pull_request.closed' });
    const tip = (await place.branches()).get(branch);
    await place.as('will', 'PATCH /pulls/2', { state: 'closed' });
    await gate.open();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'stopped' });
    const branches = await place.branches();
    expect(branches.get(branch)).toBe(tip);
    expect(await place.git('show', `${keptBranch(run, 2)}:2.txt`)).toBe('2\n');
    expect((await place.answers(issue))[0]).toContain('Pull request #');
    expect((await place.answers(issue))[0]).toContain('2 was closed.');
  });

  it('the pull request goes with its branch while the commit is on its way, and nobody tells us: it was closed, says the run', async () => {
    const { place, issue, branch, gate } = await halfway();
    const { control } = suite.harness().github;
    control.addFault({ kind: 'drop-hook', event: 'pull_request.closed' });
    // Whether the pull request is open is asked for at the same time as this, and answered before.
    control.addFault({
      kind: 'delay',
      path: `/repos/${place.fullName}/collaborators/will/permission`,
      ms: 3_000,
      times: 1,
    });
    const before = control.counts().requests;
    await gate.open();
    await place.until('the look at the pull request', async () =>
      control.requests(before).some((one) => one.method === 'GET' && one.path === `/repos/${place.fullName}/pulls`),
    );
    await place.as('will', `DELETE /git/refs/heads/${branch}`);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'stopped' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'cancelled']);
    expect(await place.branches()).not.toContain(branch);
    expect(await place.git('show', `${keptBranch(run, 2)}:2.txt`)).toBe('2\n');
    expect(plain((await place.answers(issue))[0])).toContain('Pull request #2 was closed.');
  });

  it("somebody pushes to the run's branch: theirs stays, ours is put beside it, and the comment says where", async () => {
    const { place, issue, branch, gate } = await halfway();
    await place.push('theirs.txt', 'mine\n', { branch });
    const theirs = (await place.branches()).get(branch);
    await gate.open();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'failed']);
    const branches = await place.branches();
    expect(branches.get(branch)).toBe(theirs);
    expect(await place.git('show', `${keptBranch(run, 2)}:2.txt`)).toBe('2\n');
    const [status] = await place.answers(issue);
    expect(status).toContain("Somebody else changed the run's branch");
    expect(status).toContain(`The unfinished work is kept at \`${keptBranch(run, 2)}\`.`);
    expect((await place.pull(2)).body).toContain(keptBranch(run, 2));
  });

  it('the base moves on: the work stays on its commit, and the pull request says so', async () => {
    const { place, gate } = await halfway();
    await place.push('elsewhere.txt', 'e\n', { branch: 'main' });
    const moved = (await place.branches()).get('main') ?? '';
    await gate.open();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect((await place.pull(2)).body).toContain(
      `The base \`main\` moved to ${moved.slice(0, 10)} while this was made; this is based on ${run.base.sha.slice(0, 10)}, and nothing was rebased.`,
    );
    expect(await place.pulls()).toMatchObject([{ draft: false, state: 'open' }]);
  });
});

describe("between a run's first push and its pull request", () => {
  const suite = useHarness({ runner: 'local' });

  /** Has somebody do something there, and waits for the end. */
  async function between(act: (of: { place: Place; branch: string; base: string }) => Promise<unknown>) {
    using halts = haltsOf(suite.harness());
    const place = await suite.place();
    const halt = halts.at(place, { point: 'pull-request.before-intent', phase: 'before the pull request' });
    const issue = await place.issue('Two things', TWO_THINGS);
    await place.label(issue);
    expect(await halt.reached()).toBe(true);
    const [run] = await place.runs();
    await act({ place, branch: run?.branch ?? '', base: run?.base.sha ?? '' });
    halt.release();
    await untilOver(place);
    return { place, issue };
  }

  it('somebody deletes the branch: it is made again, and nothing is done twice', async () => {
    const { place } = await between(async (of) => await of.place.as('will', `DELETE /git/refs/heads/${of.branch}`));
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', tasks: [{ attempts: 1 }, { attempts: 1 }] });
    expect((await place.branches()).get(run.branch)).toBe(run.tip);
    expect(await place.pulls()).toMatchObject([{ state: 'open', draft: false, head: { sha: run.tip } }]);
  });

  it('somebody takes the commit off: theirs stays, the work is put beside it, and is done again when they ask', async () => {
    const { place, issue } = await between(async ({ place: one, branch, base }) => {
      await one.as('will', `PATCH /git/refs/heads/${branch}`, { sha: base, force: true });
    });
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed', tip: run.base.sha });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['failed', undefined]);
    expect((await place.branches()).get(run.branch)).toBe(run.base.sha);
    expect(await place.git('show', `${keptBranch(run)}:1.txt`)).toBe('1\n');
    const [status] = await place.answers(issue);
    expect(status).toContain("Somebody else changed the run's branch");
    expect(status).toContain(keptBranch(run));
    expect(await place.pulls()).toEqual([]);

    await place.as('will', `DELETE /git/refs/heads/${run.branch}`);
    await place.comment(issue, '/maestro retry');
    const [again] = await place.until('the end', async () => {
      const runs = await place.runs();
      return runs[0]?.state === 'succeeded' ? runs : undefined;
    });
    expect(again).toMatchObject({ id: run.id });
    expect(await place.pulls()).toMatchObject([{ state: 'open', draft: false, head: { ref: run.branch } }]);
  });

  it('somebody opens a pull request from it: theirs is left alone, and what is on the branch is on record', async () => {
    const { place, issue } = await between(async ({ place: one, branch }) => {
      await one.as('will', 'POST /pulls', { title: 'Mine', body: 'Mine.', head: branch, base: 'main' });
    });
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', undefined]);
    expect(await place.pulls()).toMatchObject([{ title: 'Mine', body: 'Mine.', user: { login: 'will' } }]);
    expect((await place.answers(issue))[0]).toContain('A pull request already exists');
  });
});

describe('over what was pushed and is not on record yet', () => {
  const suite = useHarness({ runner: 'local' });

  it('a person stops the run, and its worker is thrown off: it is on record, and nothing more is begun', async () => {
    const place = await suite.place();
    const issue = await place.issue('Two things', TWO_THINGS);
    let isDone = false;
    using _ = watchFailpoints(async (point) => {
      if (isDone || point !== 'settle.before-intent') return;
      isDone = true;
      await place.unlabel(issue);
      await suite.harness().quiet();
      throw new Error('thrown off its path');
    });
    await place.label(issue);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'stopped', stop: { by: 'will' } });
    expect(run.tasks).toMatchObject([
      { outcome: { kind: 'committed', commit: run.tip }, attempts: 1 },
      { attempts: 0 },
    ]);
    expect((await place.branches()).get(run.branch)).toBe(run.tip);
    expect((await place.getIssue(issue)).body).toContain('- [x] First');
    expect((await place.answers(issue))[0]).toContain('was stopped by will, 1 of 2 tasks done');
  });
});

describe('before a run has begun', () => {
  const suite = useHarness({ runner: 'local' });

  /** A run in line, with no worker to take it. */
  async function waiting(given?: Place): Promise<{ place: Place; issue: number; branch: string; base: string }> {
    const place = given ?? (await suite.place());
    await suite.harness().stopWorker();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    const run = await place.until('the run', async () => (await place.runs())[0]);
    return { place, issue, branch: run.branch, base: run.base.sha };
  }

  it('a branch of its name is made by somebody: it is left as it is, and the work put beside it', async () => {
    const { place, issue, branch, base } = await waiting();
    await place.as('will', 'POST /git/refs', { ref: `refs/heads/${branch}`, sha: base });
    await place.push('theirs.txt', 'mine\n', { branch });
    const theirs = (await place.branches()).get(branch);
    await suite.harness().startWorker();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect((await place.branches()).get(branch)).toBe(theirs);
    expect(await place.git('show', `${keptBranch(run)}:a.txt`)).toBe('a\n');
    expect((await place.answers(issue))[0]).toContain('was expected not to exist');
    expect(await place.pulls()).toEqual([]);
  });

  it('the base is forced back: the work starts from the commit it was asked for on, which GitHub still has', async () => {
    const place = await suite.place();
    const first = (await place.branches()).get('main');
    await place.push('second.txt', '2\n');
    const { base } = await waiting(place);
    await place.as('ada', 'PATCH /git/refs/heads/main', { sha: first, force: true });
    await suite.harness().startWorker();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', base: { sha: base } });
    expect((await place.branches()).get('main')).toBe(first);
    expect(await place.git('show', `${run.branch}:second.txt`)).toBe('2\n');
    expect(await place.pulls()).toMatchObject([{ base: { ref: 'main' }, head: { ref: run.branch } }]);
  });

  it('the person who asked loses the role: nothing is begun', async () => {
    const { place, issue } = await waiting();
    suite.harness().github.control.setRole({ repository: place.fullName, login: 'will', role: 'read' });
    await suite.harness().startWorker();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed', tasks: [{ attempts: 0 }] });
    expect([...(await place.branches()).keys()]).toEqual(['main']);
    expect(plain((await place.answers(issue))[0])).toContain('@will may not write to');
  });

  it('a stop is asked for: no agent is started, and the comment names who stopped it', async () => {
    const { place, issue } = await waiting();
    await place.comment(issue, '/maestro stop');
    await suite.harness().quiet();
    await suite.harness().startWorker();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'stopped', tasks: [{ attempts: 0 }] });
    expect((await place.answers(issue))[0]).toContain('was stopped by will');
  });
});
