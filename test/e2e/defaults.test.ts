import { describe, expect, it } from 'vitest';
import { ROLES } from './stage.ts';
import { useHarness } from './suite.ts';

const FILE = '.github/maestro.yml';
/** Passes only while the file good.txt is there. */
const CHECKED = 'verify: test -e good.txt\n';
const BROKEN = 'verfiy: "true"\n';

describe('.github/maestro.yml', () => {
  const suite = useHarness({ runner: 'local' });

  it('of another branch, of a pull request and of the run itself changes nothing', async () => {
    const place = await suite.place({ files: { [FILE]: CHECKED } });
    const main = (await place.as<{ readonly object: { readonly sha: string } }>('will', 'GET /git/ref/heads/main'))
      .object;
    await place.as('will', 'POST /git/refs', { ref: 'refs/heads/feature', sha: main.sha });
    await place.push(FILE, 'verify: "true"\n', { branch: 'feature' });
    await place.as('will', 'POST /pulls', { title: 'Check nothing', head: 'feature', base: 'main' });
    const bad = `\`scripted: write ${FILE} verify:true\``;
    const issue = await place.issue('Get round it', `- [ ] Loosen ${bad}\n- [ ] Next \`scripted: write b b\`\n`);
    await place.label(issue);

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed', settings: { verify: ['test -e good.txt'] } });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['failed', undefined]);
    expect(run.tasks[0]?.outcome).toMatchObject({ failure: { kind: 'verify-failed' } });
  });

  it('that is broken is told of on its commit and in the next run, which goes by the last good version', async () => {
    const place = await suite.place({ files: { [FILE]: CHECKED } });
    await place.push(FILE, `${CHECKED}effort: low\n`);
    await suite.harness().quiet();
    await place.push(FILE, BROKEN);
    await suite.harness().quiet();
    const head = (await place.branches()).get('main') ?? '';
    expect(await place.checks(head)).toMatchObject([
      { name: `Maestro: ${FILE}`, status: 'completed', conclusion: 'action_required' },
    ]);
    expect((await place.checks(head))[0]?.output.summary).toContain('line 1, column 1');

    const issue = await place.issue('Good', 'Do it `scripted: write good.txt g`');
    await place.label(issue);
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', settings: { verify: ['test -e good.txt'], effort: 'low' } });
    const [answer] = await place.answers(issue);
    expect(answer).toContain(`\`${FILE}\` has 1 problem, the first at line 1, column 1`);
    expect(answer).toContain('Did you mean `verify`?');
    expect(answer).toContain('the last version without problems');
    const [pull] = await place.pulls();
    expect(pull?.body).toContain('the last version without problems');
  });
});

// A product of its own: that an organisation has no such file is believed for a minute.
describe('.github/maestro.yml of a repository and of its organisation', () => {
  const suite = useHarness({ runner: 'local' });

  it('check and prepare as they say, the organisation where the repository says nothing', async () => {
    await suite.harness().github.control.createRepository({
      name: '.github',
      files: { [FILE]: 'effort: low\ntimeout: 10m\nsetup: echo 1 > prepared.txt\n' },
      roles: ROLES,
    });
    const place = await suite.place({
      files: {
        [FILE]: 'verify: test -e prepared.txt && test -e good.txt\neffort: high\n',
        '.gitignore': 'prepared.txt\n',
      },
    });
    await place.pushPlaybook('work.md', '---\ntimeout: 5m\n---\n- [ ] Good `scripted: write good.txt g`\n');
    const run = await place.settledRun();
    expect(run).toMatchObject({
      state: 'succeeded',
      settings: {
        effort: 'high',
        timeout: 300_000,
        setup: ['echo 1 > prepared.txt'],
        verify: ['test -e prepared.txt && test -e good.txt'],
      },
    });
    await place.branches();
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe(
      '.maestro/playbooks/work.md\ngood.txt\n',
    );
  });
});
