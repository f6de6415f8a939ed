import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import type { Place, SettledRun } from './place.ts';
import { useHarness } from './suite.ts';
import { keptBranch } from './audit.ts';

describe('a checklist', () => {
  const suite = useHarness({ runner: 'local', database: 'embedded' });

  it('in an issue gets one commit per open task, and its boxes ticked where that was committed', async () => {
    const place = await suite.place();
    const body = [
      'Please:',
      '',
      '- [x] Was done before',
      '- [ ] First `scripted: write a.txt a`',
      '  - [ ] with a part of it',
      '  - [ ] and another',
      '- [ ] Second `scripted: nothing`',
      '* [ ] Third `scripted: write c.txt c`',
    ].join('\r\n');
    const issue = await place.issue('Three things', body);
    await place.label(issue);

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'no-change', 'committed']);
    await place.branches();
    expect(await subjects(place, run)).toEqual([expect.stringMatching(/^First/), expect.stringMatching(/^Third/)]);
    expect((await place.getIssue(issue)).body).toBe(
      body
        .replace('- [ ] First', '- [x] First')
        .replace('- [ ] with', '- [x] with')
        .replace('- [ ] and', '- [x] and')
        .replace('* [ ] Third', '* [x] Third'),
    );
    const [pull] = await place.pulls();
    expect(pull?.body).toContain(`Closes #${issue}`);
  });

  it('in each playbook an issue names is a run of its own', async () => {
    const files = {
      '.maestro/playbooks/one.md': '# One\n\n- [ ] Write `scripted: write one.txt 1`\n',
      '.maestro/playbooks/two.md': '# Two\n\n- [ ] Write `scripted: write two.txt 2`\n',
    };
    const place = await suite.place({ files });
    const issue = await place.issue('Both', 'Do `.maestro/playbooks/one.md`, then .maestro/playbooks/two.md.');
    await place.label(issue);

    const runs = await place.settledRuns(2);
    expect(runs.map((run) => [run.state, run.title])).toEqual([
      ['succeeded', 'One'],
      ['succeeded', 'Two'],
    ]);
    const pulls = await place.pulls();
    expect(pulls.map((pull) => pull.head.ref).toSorted()).toEqual(runs.map((run) => run.branch).toSorted());
    for (const pull of pulls) expect(pull.body).toContain(`Refs #${issue}`);
    expect(await place.answers(issue)).toHaveLength(2);
  });
});

describe('a playbook committed to the default branch', () => {
  const suite = useHarness({ runner: 'local' });

  it.each([
    ['with Windows line ends', (text: string) => Buffer.from(text.replaceAll('\n', '\r\n'))],
    ['with a byte order mark and no last line end', (text: string) => Buffer.from(`\uFEFF${text.trimEnd()}`)],
  ])('%s is ticked one box a commit and otherwise left as it is', async (_, encode) => {
    const place = await suite.place();
    const text = encode(
      '# Upgrade\n\nTrailing spaces   \n\n- [ ] One `scripted: write 1.txt 1`\n- [ ] Two `scripted: write 2.txt 2`\n\n```\n- [ ] not a task\n```\n1. [ ] Three `scripted: write 3.txt 3`\n',
    );
    await place.pushPlaybook('upgrade.md', text);

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded', trigger: { kind: 'push' }, requester: { login: 'will' } });
    await place.branches();
    const versions = await playbookVersions(place, run, 'upgrade.md');
    expect(versions).toHaveLength(4);
    expect(versions[0]).toEqual(text.toString('latin1'));
    const boxes = [...(versions[0] ?? '').matchAll(/(?<=^(?:-|1\.) \[) (?=\] (?:One|Two|Three))/gm)].map(
      (match) => match.index,
    );
    for (const [at, offset] of boxes.entries()) {
      const before = versions[at] ?? '';
      expect(versions[at + 1]).toBe(`${before.slice(0, offset)}x${before.slice(offset + 1)}`);
    }
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: false, title: 'Upgrade' });
    expect(await place.answers(pull?.number ?? 0)).toHaveLength(1);
  });

  it('stops at a task whose check fails every time, keeping its last work apart', async () => {
    const place = await suite.place();
    await place.pushPlaybook(
      'checked.md',
      '---\nverify: test ! -e bad.txt\n---\n- [ ] Good `scripted: write good.txt g`\n- [ ] Bad `scripted: write bad.txt b`\n- [ ] Later `scripted: write later.txt l`\n',
    );

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'failed', undefined]);
    const kept = keptBranch(run, 2, 3);
    expect(run.tasks[1]?.outcome).toMatchObject({ failure: { kind: 'verify-failed', keptRef: kept } });
    expect([...(await place.branches()).keys()].toSorted()).toEqual([kept, run.branch, 'main'].toSorted());
    expect(await place.git('show', `${kept}:bad.txt`)).toBe('b\n');
    expect(await place.git('ls-tree', '--name-only', run.branch)).not.toContain('bad.txt');
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: true });
    expect(pull?.body).toContain('This is unfinished: 1 of 3 tasks done');
    expect(pull?.body).toContain('The check `test ! -e bad.txt` failed (exit code 1).');
    expect(pull?.body).toContain(kept);
    expect(await place.checks(pull?.head.sha ?? '')).toMatchObject([{ status: 'completed', conclusion: 'failure' }]);
  });

  it('gives a task whose check fails to a fresh session that is told what failed', async () => {
    const place = await suite.place();
    const bad = '`scripted: write bad.txt b` `scripted: repair delete bad.txt` `scripted: repair write good.txt g`';
    await place.pushPlaybook(
      'repaired.md',
      `---\nverify: "test ! -e bad.txt || { echo bad.txt is there; exit 1; }"\n---\n- [ ] Mend ${bad}\n- [ ] Next \`scripted: write next.txt n\`\n`,
    );

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome, attempts }) => [outcome?.kind, attempts])).toEqual([
      ['committed', 2],
      ['committed', 1],
    ]);
    const [first, second] = await suite.harness().store.sessionsOf(run.id);
    expect(first?.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'verify-failed' } });
    expect(await readFile(second?.log ?? '', 'utf8')).toContain('bad.txt is there');
    expect([...(await place.branches()).keys()].toSorted()).toEqual([run.branch, 'main'].toSorted());
    expect(await place.git('ls-tree', '--name-only', run.branch)).toContain('good.txt');
    expect(await place.git('log', '--format=%B', '-1', `${run.branch}~1`)).toContain('Checked by Maestro with:');
    const [pull] = await place.pulls();
    expect(pull).toMatchObject({ draft: false });
    expect(pull?.body).toMatch(
      /<summary>Checks<\/summary>[\s\S]*\| 1 \| `test ! -e bad\.txt .*attempt 1: \*\*failed\*\* after .*, exit code 1 \|\n\| 1 \| .*attempt 2: passed in .*, exit code 0 \|/,
    );
    expect(pull?.body).toContain('Checks failed on 1 attempt: task 1, attempt 1');
    expect(pull?.body).toContain('```text\nbad.txt is there\n```');
    const [check] = await place.checks(pull?.head.sha ?? '');
    expect(check?.output.text).toContain('attempt 1: **failed** after');
    expect(await place.git('log', '--format=%B', '-1', `${run.branch}~1`)).toMatch(
      /> attempt 1: test ! -e .*exit code 1/,
    );
    const log = (await readFile(first?.log ?? '', 'utf8'))
      .split('\n')
      .filter((line) => line.includes('"type":"check"'));
    expect(log.map((line) => JSON.parse(line) as unknown)).toMatchObject([{ code: 1, tail: 'bad.txt is there' }]);
  });

  it('goes on after a failed task when it says so', async () => {
    const place = await suite.place();
    await place.pushPlaybook(
      'onwards.md',
      '---\non-failure: continue\n---\n- [ ] Bad `scripted: exit 3`\n- [ ] Good `scripted: write good.txt g`\n',
    );

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['failed', 'committed']);
    await place.branches();
    expect(await place.git('show', `${run.branch}:.maestro/playbooks/onwards.md`)).toContain('- [ ] Bad');
    expect(await place.git('show', `${run.branch}:.maestro/playbooks/onwards.md`)).toContain('- [x] Good');
  });

  it('with a mistake starts nothing and is told so in a check on the commit', async () => {
    const place = await suite.place();
    await place.pushPlaybook('wrong.md', '---\nbudgett: 3\n---\n- [ ] Something\n');
    await suite.harness().quiet();

    expect(await place.runs()).toEqual([]);
    const main = (await place.branches()).get('main') ?? '';
    const [check, ...others] = await place.checks(main);
    expect(others).toEqual([]);
    expect(check).toMatchObject({ status: 'completed' });
    expect(JSON.stringify(check?.output)).toContain('budgett');
  });
});

async function subjects(place: Place, run: SettledRun): Promise<readonly string[]> {
  const listed = await place.git('log', '--reverse', '--format=%s', `${run.base.sha}..${run.branch}`);
  return listed.trimEnd().split('\n');
}

/** The playbook at the base and at each commit of the run, byte for byte as Latin 1. */
async function playbookVersions(place: Place, run: SettledRun, name: string): Promise<readonly string[]> {
  const commits = (await place.git('rev-list', '--reverse', `${run.base.sha}..${run.branch}`)).trimEnd().split('\n');
  return await Promise.all(
    [run.base.sha, ...commits].map(async (commit) => await place.bytes(commit, `.maestro/playbooks/${name}`)),
  );
}
