import { describe, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { useHarness } from './suite.ts';

describe('a request', () => {
  const suite = useHarness({ runner: 'local' });

  it('that is delivered five times over, during and after its run, is one run', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    github.control.addFault({ kind: 'duplicate-hook', event: 'issues.labeled' });
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    await place.until('the run', async () => (await place.runs()).length > 0);
    const labeled = (): number => {
      const found = github.control
        .deliveries()
        .find((one) => one.event === 'issues' && one.action === 'labeled' && isOf(one.request.payload, place.id));
      if (found === undefined) throw new Error('The label was not delivered.');
      return found.id;
    };
    for (let times = 0; times < 3; times += 1) github.control.redeliver(labeled());
    await place.label(issue, 'maestro', 'ada');
    await place.settledRun();
    for (let times = 0; times < 2; times += 1) github.control.redeliver(labeled());
    await suite.harness().quiet();

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.pulls()).toHaveLength(1);
    expect(await place.answers(issue)).toHaveLength(1);
  });

  it('that was taken back at once, its events coming in the wrong order, is no run', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await suite.harness().quiet();
    github.control.addFault({ kind: 'reorder-hooks', event: 'issues', times: 2 });
    await place.label(issue, 'maestro');
    await place.unlabel(issue, 'maestro');
    await suite.harness().quiet();

    expect(await place.runs()).toEqual([]);
  });
});

function isOf(payload: unknown, repositoryId: number): boolean {
  return (payload as { readonly repository?: { readonly id: number } }).repository?.id === repositoryId;
}

describe('with the local runner', () => {
  goesOn('local');
});

describeWith('agentImage', 'with the Docker runner', () => {
  goesOn('docker');
});

function goesOn(runner: 'local' | 'docker'): void {
  const suite = useHarness({ runner });

  it('a run goes on when its worker was shut down in the middle of a task and is there again', async () => {
    const place = await suite.place();
    const issue = await place.issue(
      'Three things',
      '- [ ] One `scripted: write 1.txt 1`\n- [ ] Two `scripted: write 2.txt 2` `scripted: say now` `scripted: sleep 3s`\n- [ ] Three `scripted: write 3.txt 3`\n',
    );
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    await suite.harness().stopWorker();
    const [waiting] = await place.runs();
    expect(waiting?.state).not.toBe('failed');
    await suite.harness().startWorker();

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed', 'committed']);
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 2, 1]);
    await place.branches();
    expect(await place.git('rev-list', '--count', `${run.base.sha}..${run.branch}`)).toBe('3\n');
    expect(await place.pulls()).toHaveLength(1);
  });
}
