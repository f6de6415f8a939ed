import { describe, expect, it } from 'vitest';
import { describeWith } from '../setup/require.ts';
import { keptBranch } from './audit.ts';
import type { Place, SettledRun } from './place.ts';
import { useHarness, type Suite } from './suite.ts';

/** How an agent may behave, in the words of its directives. */
async function runOf(
  suite: Suite,
  ...directives: readonly string[]
): Promise<{ place: Place; run: SettledRun; issue: number }> {
  const place = await suite.place({ files: { 'README.md': '# Demo\n' } });
  const issue = await place.issue(
    'One thing',
    directives.map((directive) => `\`scripted: ${directive}\``).join(' and '),
  );
  await place.label(issue);
  const run = await place.settledRun();
  await place.branches();
  return { place, run, issue };
}

describe('an agent on this machine', () => {
  behaves('local');

  describe('that', () => {
    const suite = useHarness({ runner: 'local' });

    it('changes nothing gets no pull request, and the issue says so', async () => {
      const { place, run, issue } = await runOf(suite, 'nothing');
      expect(run).toMatchObject({ state: 'succeeded', pullRequest: undefined });
      expect(run.tasks[0]?.outcome).toEqual({ kind: 'no-change' });
      expect(await place.pulls()).toEqual([]);
      expect([...(await place.branches()).keys()]).toEqual(['main']);
      const [status] = await place.answers(issue);
      expect(status).toContain('There was nothing to change, so no pull request was opened.');
    });

    it('commits by itself ends as one commit of ours', async () => {
      const { place, run } = await runOf(suite, 'write a.txt a', 'commit My own words', 'write b.txt b');
      expect(run).toMatchObject({ state: 'succeeded' });
      expect(await place.git('log', '--format=%an|%s', `${run.base.sha}..${run.branch}`)).toBe(
        'maestro[bot]|One thing\n',
      );
      expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe('a.txt\nb.txt\n');
    });

    it.each([
      ['a repository inside the repository', 'gitlink sub', '"sub" is a repository inside the repository'],
      [
        'a symlink out of the repository',
        'symlink out ../../etc/passwd',
        '"out" is a symlink that leaves the repository',
      ],
      ['a workflow', 'write .github/workflows/ci.yml on: push', '".github/workflows/ci.yml" is a workflow'],
    ])('leaves %s is told which path may not be committed', async (_, directive, sentence) => {
      const { place, run, issue } = await runOf(suite, 'write fine.txt f', directive);
      expect(run).toMatchObject({ state: 'failed' });
      expect(run.tasks[0]?.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'policy' } });
      expect(run.tasks[0]?.outcome).toHaveProperty('failure.message', expect.stringContaining(sentence));
      expect([...(await place.branches()).keys()]).toEqual(['main']);
      const [status] = await place.answers(issue);
      expect(status).toContain(sentence);
    });

    it('ticks all boxes by itself ticks none: only the engine does', async () => {
      const place = await suite.place();
      await place.pushPlaybook(
        'own.md',
        '- [ ] One `scripted: tick` `scripted: write 1.txt 1`\n- [ ] Two `scripted: tick`\n- [ ] Three `scripted: exit 3`\n',
      );
      const run = await place.settledRun();
      expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'no-change', 'failed']);
      await place.branches();
      const text = await place.git('show', `${run.branch}:.maestro/playbooks/own.md`);
      expect(text.match(/\[[ x]\]/g)).toEqual(['[x]', '[ ]', '[ ]']);
    });

    it('has used up its quota waits until it is back, and tries again', async () => {
      const place = await suite.place();
      const issue = await place.issue('One thing', '`scripted: fail quota 3s`');
      await place.label(issue);
      await place.until('the run waits', async () => (await place.runs())[0]?.state === 'parked');
      await place.until('the comment says so', async () => (await place.answers(issue))[0]?.includes('is waiting'));
      await place.until(
        'another attempt',
        async () => ((await place.runs())[0] && (await attempts(place)) > 1) === true,
      );
      await place.comment(issue, '/maestro stop');
      expect(await place.settledRun()).toMatchObject({ state: 'stopped' });
    });

    async function attempts(place: Place): Promise<number> {
      const [run] = await place.runs();
      return run === undefined ? 0 : (await suite.harness().store.sessionsOf(run.id)).length;
    }
  });
});

describeWith('agentImage', 'an agent in a container', () => {
  behaves('docker');
});

function behaves(runner: 'local' | 'docker'): void {
  const suite = useHarness({ runner, env: { MAESTRO_IDLE_SECONDS: '6' } });

  it('that fails half way has its work kept, and the issue says where', async () => {
    const { place, run, issue } = await runOf(suite, 'write half.txt h', 'exit 3');
    expect(run).toMatchObject({ state: 'failed' });
    const kept = keptBranch(run);
    expect(run.tasks[0]?.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'crash', keptRef: kept } });
    expect(await place.git('show', `${kept}:half.txt`)).toBe('h\n');
    expect(await place.pulls()).toEqual([]);
    const [status] = await place.answers(issue);
    expect(status).toContain('could not finish');
    expect(status).toContain(`The unfinished work is kept at \`${kept}\`.`);
    expect(await place.reactions(`issues/${issue}`)).toEqual(['eyes', 'rocket', 'confused']);
    expect((await place.getIssue(issue)).labels.map(({ name }) => name)).toContain('maestro-failed');
  });

  it('that falls silent is ended, and its work kept', async () => {
    const { place, run } = await runOf(suite, 'write half.txt h', 'hang');
    expect(run.tasks[0]?.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'idle' } });
    expect(await place.git('show', `${keptBranch(run)}:half.txt`)).toBe('h\n');
  });

  it('that goes on for ever and ignores being asked to end is ended all the same', async () => {
    const place = await suite.place();
    await place.pushPlaybook(
      'endless.md',
      '---\ntimeout: 4s\n---\n- [ ] Endless `scripted: ignore-term` `scripted: write half.txt h` `scripted: hang`\n',
    );
    const run = await place.settledRun();
    expect(run.tasks[0]?.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'wall' } });
  });

  it('that leaves a daemon behind leaves none', async () => {
    const { run } = await runOf(suite, 'fork', 'write a.txt a');
    // That nothing runs any more is part of every test's audit.
    expect(run).toMatchObject({ state: 'succeeded' });
  });

  it('that floods its output does no harm', async () => {
    const { place, run } = await runOf(suite, 'spew 50MB', 'write a.txt a');
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe('a.txt\n');
  });

  it('that removes its repository has its files taken all the same', async () => {
    const { place, run } = await runOf(suite, 'write a.txt a', 'rm-git');
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe('a.txt\n');
  });
}
