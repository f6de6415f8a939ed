import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { branchName } from '../../src/domain/branch.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';

const execute = promisify(execFile);

/** Two tasks; between `now` in the second and its end there is time for the world to change. */
const TWO =
  '- [ ] First `scripted: write 1.txt 1`\n- [ ] Second `scripted: write 2.txt 2` `scripted: say now` `scripted: sleep 4s`\n';

describe('a repository', () => {
  const suite = useHarness({ runner: 'local' });

  it('without a commit gets an answer and no run', async () => {
    const place = await suite.place({ files: undefined });
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    await suite.harness().quiet();
    expect(await place.runs()).toEqual([]);
    const [answer, ...others] = await place.answers(issue);
    expect(others).toEqual([]);
    expect(answer).toContain('has no commit on `main` to start from: push a first one, then ask again.');
  });

  it('that is renamed while a run goes on is worked on under its new name', async () => {
    const { place, issue } = await started();
    suite.harness().github.control.renameRepository({ repository: place.fullName, name: `${place.name}-renamed` });
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.pulls()).toMatchObject([{ draft: false }]);
    expect(await place.answers(issue)).toHaveLength(1);
  });

  it('that is taken from the installation ends its run, and others go on', async () => {
    const { place } = await started();
    const other = await suite.place();
    const { github } = suite.harness();
    github.control.selectRepositories([other.fullName]);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: expect.stringMatching(/^(stopped|failed)$/) });
    expect(run.reason).toBeTruthy();
    github.control.selectRepositories('all');
    await works(other);
  });

  it('that is deleted ends its run, and others go on', async () => {
    const place = await suite.place({ audited: false });
    const issue = await place.issue('Two things', TWO);
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    await suite.harness().github.control.deleteRepository(place.fullName);
    const run = await place.settledRun();
    expect(run.state).toMatch(/^(stopped|failed)$/);
    expect(run.reason).toBeTruthy();
    await works(await suite.place());
  });

  it('whose rules refuse the push ends its run with what GitHub said', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    await suite.harness().stopWorker();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    const run = await place.until('the run', async () => (await place.runs())[0]);
    expect(run.branch).toBe(branchName({ title: 'One thing', runId: run.id }));
    await github.control.protectBranch({ repository: place.fullName, branch: run.branch });
    await suite.harness().startWorker();
    const ended = await place.settledRun();
    expect(ended).toMatchObject({ state: 'failed' });
    expect(ended.reason).toContain('GitHub refused the push');
    expect(ended.reason).toContain('Protected branch update failed');
    expect((await place.answers(issue))[0]).toContain('Protected branch update failed');
    expect(await place.pulls()).toEqual([]);
  });

  it('whose base moves on does not disturb the run', async () => {
    const { place } = await started();
    await place.push('README.md', '# Moved on\n');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.pulls()).toMatchObject([{ draft: false, base: { ref: 'main' } }]);
  });

  it("keeps what a person pushed to the run's branch, and the run stops politely", async () => {
    const { place, issue } = await started();
    const [before] = await place.runs();
    await place.push('theirs.txt', 'mine\n', { branch: before?.branch ?? '' });
    const theirs = (await place.branches()).get(before?.branch ?? '');
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.reason).toContain("Somebody else changed the run's branch");
    expect((await place.branches()).get(run.branch)).toBe(theirs);
    expect((await place.answers(issue))[0]).toContain("changed the run's branch");
    expect(await place.pulls()).toMatchObject([{ state: 'open', draft: true }]);
  });

  it('whose pull request a person closes half way gets no other', async () => {
    const { place } = await started();
    const pull = await place.until('the pull request', async () => (await place.pulls())[0]);
    await place.as('will', `PATCH /pulls/${pull.number}`, { state: 'closed' });
    const run = await place.settledRun();
    expect(run.state).toMatch(/^(succeeded|stopped|failed)$/);
    expect(await place.pulls()).toMatchObject([{ number: pull.number, state: 'closed' }]);
  });

  it('outlives the tokens the run began with', async () => {
    const { place } = await started();
    suite.harness().github.control.expireTokens();
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
  });

  it('takes nothing from a push of a person to another branch', async () => {
    const place = await suite.place();
    const directory = await mkdtemp(path.join(tmpdir(), 'maestro-person-'));
    const url = suite.harness().github.gitUrl('acme', place.name, suite.harness().github.as('will').token);
    const git = async (...argv: readonly string[]): Promise<unknown> =>
      await execute('git', ['-C', directory, '-c', 'user.name=Will', '-c', 'user.email=will@localhost', ...argv]);
    await git('clone', '--quiet', url, '.');
    await git('checkout', '--quiet', '-b', 'feature');
    await execute('mkdir', ['-p', path.join(directory, '.maestro/playbooks')]);
    await writeFile(path.join(directory, '.maestro/playbooks/a.md'), '- [ ] A `scripted: write a.txt a`\n');
    await git('add', '-A');
    await git('commit', '--quiet', '-m', 'A playbook');
    await git('push', '--quiet', 'origin', 'feature');
    await suite.harness().quiet();
    expect(await place.runs()).toEqual([]);
    await git('push', '--quiet', 'origin', 'feature:main');
    expect(await place.settledRun()).toMatchObject({ state: 'succeeded', requester: { login: 'will' } });
    await rm(directory, { recursive: true, force: true });
  });

  async function started(): Promise<{ place: Place; issue: number }> {
    const place = await suite.place();
    const issue = await place.issue('Two things', TWO);
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    return { place, issue };
  }
});

describe('an installation that is suspended', () => {
  const suite = useHarness({ runner: 'local' });

  it('ends its runs, and the service goes on when it is there again', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    await place.label(await place.issue('Two things', TWO));
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    github.control.suspendInstallation();
    const run = await place.settledRun();
    expect(run.state).toMatch(/^(stopped|failed)$/);
    expect(run.reason).toBeTruthy();
    github.control.unsuspendInstallation();
    await works(await suite.place());
  });
});

/** The service is up: a run in another repository comes to its end. */
async function works(place: Place): Promise<void> {
  await place.label(await place.issue('Still there?', '`scripted: write yes.txt yes`'));
  expect(await place.settledRun()).toMatchObject({ state: 'succeeded' });
}
