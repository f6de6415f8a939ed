import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Place, SettledRun } from './place.ts';
import { useHarness } from './suite.ts';

const execute = promisify(execFile);

const POINTER =
  'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n';

/** What GitHub answers to a push, each line behind `remote:`. */
const REFUSALS: readonly (readonly [string, string, readonly string[]])[] = [
  [
    'for a secret in it',
    'error: GH013: Repository rule violations found for refs/heads/maestro.\n- GITHUB PUSH PROTECTION\n  - Push cannot contain secrets\n  —— Amazon AWS Access Key ID ——\n  path: settings/aws.ini:3\n',
    ['Push cannot contain secrets', 'path: settings/aws.ini:3', 'Have the secret taken out of the work'],
  ],
  [
    'for a file too large',
    "error: GH001: Large files detected.\nerror: File movie.mkv is 143.51 MB; this exceeds GitHub's file size limit of 100.00 MB\n",
    ['File movie.mkv is 143.51 MB', 'Keep files of that size out of the repository'],
  ],
  [
    'because commits have to be signed',
    'error: GH013: Repository rule violations found for refs/heads/maestro.\n- Commits must have verified signatures.\n',
    ['Commits must have verified signatures', "Maestro's commits are not signed"],
  ],
  ['in words of its own', 'ticket number missing, ask @platform\n', ['ticket number missing, ask @platform']],
];

async function done(place: Place, task = '`scripted: write a.txt a`'): Promise<SettledRun> {
  await place.label(await place.issue('One thing', task));
  const run = await place.settledRun();
  await place.branches();
  return run;
}

describe('a repository', () => {
  const suite = useHarness({ runner: 'local' });

  it.each(REFUSALS)('that refuses the push %s: it is asked once, and its words are shown', async (_, text, words) => {
    const place = await suite.place();
    const { github } = suite.harness();
    await github.control.refusePushes({ repository: place.fullName, text });
    const issue = await place.issue(
      'Two things',
      '- [ ] One `scripted: write a.txt a`\n- [ ] Two `scripted: exit 3`\n',
    );
    await place.label(issue);
    const run = await place.settledRun();

    expect(run).toMatchObject({ state: 'failed' });
    expect(run.tasks.map(({ outcome, attempts }) => [outcome?.kind, attempts])).toEqual([
      ['failed', 1],
      [undefined, 0],
    ]);
    const pushes = github.control.requests().filter((one) => one.path.includes(`${place.name}.git/git-receive-pack`));
    expect(pushes).toHaveLength(1);
    const [status] = await place.answers(issue);
    for (const part of words) expect(status?.replaceAll('&#8203;', '')).toContain(part);
    expect(status).toContain('on the worker');
    expect(await place.pulls()).toEqual([]);
  });

  it.each(['release/1.x', 'trünk#1', 'maestro-next'])(
    'whose default branch is called %s is worked on',
    async (name) => {
      const place = await suite.place({ defaultBranch: name });
      const run = await done(place);
      expect(run).toMatchObject({ state: 'succeeded', base: { ref: name } });
      expect(await place.pulls()).toMatchObject([{ base: { ref: name }, draft: false }]);
    },
  );

  it('with files in Git LFS keeps its pointers as they are', async () => {
    const place = await suite.place({
      files: { '.gitattributes': '*.bin filter=lfs diff=lfs merge=lfs -text\n', 'big.bin': POINTER },
    });
    const run = await done(place);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe('a.txt\n');
    expect(await place.git('show', `${run.branch}:big.bin`)).toBe(POINTER);
  });

  it('with a submodule keeps it at its commit, and the work goes around it', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    const directory = await mkdtemp(path.join(tmpdir(), 'maestro-person-'));
    const git = async (...argv: readonly string[]): Promise<unknown> =>
      await execute('git', ['-C', directory, '-c', 'user.name=Will', '-c', 'user.email=will@localhost', ...argv]);
    const linked = '1234567890123456789012345678901234567890';
    await git('clone', '--quiet', github.gitUrl('acme', place.name, github.as('will').token), '.');
    await git('update-index', '--add', '--cacheinfo', `160000,${linked},vendor/lib`);
    await git('config', '-f', '.gitmodules', 'submodule.lib.path', 'vendor/lib');
    await git('config', '-f', '.gitmodules', 'submodule.lib.url', 'https://example.com/lib.git');
    await git('add', '.gitmodules');
    await git('commit', '--quiet', '-m', 'A submodule');
    await git('push', '--quiet', 'origin', 'HEAD:main');
    await rm(directory, { recursive: true, force: true });

    const run = await done(place);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe('a.txt\n');
    expect(await place.git('rev-parse', `${run.branch}:vendor/lib`)).toBe(`${linked}\n`);
  });

  it('with paths as long as the system takes is worked on below them', async () => {
    const deep = Array.from({ length: 14 }, (_, level) => `${level}-${'d'.repeat(200)}`).join('/');
    const place = await suite.place({ files: { [`${deep}/there.txt`]: 't\n' } });
    const run = await done(place, `\`scripted: write ${deep}/new.txt n\``);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(await place.git('diff', '--name-only', run.base.sha, run.branch)).toBe(`${deep}/new.txt\n`);
  });

  it('larger than the limit is refused before anything is fetched', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    github.control.setSize({ repository: place.fullName, kilobytes: 20 * 1024 ** 2 });
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    await suite.harness().quiet();
    expect(await place.runs()).toEqual([]);
    const [answer, ...others] = await place.answers(issue);
    expect(others).toEqual([]);
    expect(answer).toContain('takes 20480 MB on GitHub, and repositories of at most 10000 MB are worked on here.');
    expect(github.control.requests().filter((one) => one.path.includes(`${place.name}.git/`))).toEqual([]);
    github.control.setSize({ repository: place.fullName, kilobytes: 20 * 1024 });
    await place.comment(issue, '/maestro run');
    expect(await place.settledRun()).toMatchObject({ state: 'succeeded' });
  });

  it('in which a task made the first configuration of agents shows it to no later task', async () => {
    const place = await suite.place();
    const tasks = ['write a.txt a', 'write CLAUDE.md Obey', 'append CLAUDE.md unseen', 'append CLAUDE.md again'];
    const list = tasks.map((task, at) => `- [ ] Task ${at} \`scripted: ${task}\`\n`).join('');
    await place.label(await place.issue('Four things', list));
    const run = await place.settledRun();
    await place.branches();
    expect(run).toMatchObject({ state: 'succeeded' });
    const versions = run.tasks.map(async ({ outcome }) =>
      outcome?.kind === 'committed' ? await place.git('ls-tree', '-r', outcome.commit, 'CLAUDE.md') : undefined,
    );
    const [none, first, second, third] = await Promise.all(versions);
    expect(none).toBe('');
    expect(first).not.toBe('');
    expect(await place.git('show', `${run.branch}:CLAUDE.md`)).toBe('again\n');
    expect(new Set([first, second, third]).size).toBe(3);
    expect((await place.pulls())[0]?.body).toContain('The agent wrote `CLAUDE.md` without having been shown');
  });

  it('that would get a file too large for GitHub gets none of it, and is told which', async () => {
    const place = await suite.place();
    const issue = await place.issue('One thing', '`scripted: disk 120MB`');
    await place.label(issue);
    const run = await place.settledRun();
    expect(run.tasks[0]?.outcome).toMatchObject({ kind: 'failed', failure: { kind: 'policy' } });
    expect((await place.answers(issue))[0]).toContain('"scripted-fill.bin" has 115 MB; files over 100 MB are refused');
    expect([...(await place.branches()).keys()]).toEqual(['main']);
  });

  it('whose mirror has many packs: they are put together between two tasks, and the work goes on', async () => {
    const place = await suite.place();
    await done(place);
    const { config, log } = suite.harness();
    const mirror = path.join(config.MAESTRO_HOME, 'mirrors', `${place.id}.git`);
    const pack =
      "printf 'blob\\ndata 2\\n%02d\\n' $1 | git --git-dir=$2 -c fastimport.unpackLimit=0 fast-import --quiet";
    for (let at = 0; at <= 50; at += 1) await execute('sh', ['-c', pack, 'sh', String(at), mirror]);
    const issue = await place.issue(
      'Two things',
      '- [ ] One `scripted: write b.txt b`\n- [ ] Two `scripted: write c.txt c`\n',
    );
    await place.label(issue);

    const [, run] = await place.settledRuns(2);
    expect(run).toMatchObject({ state: 'succeeded' });
    const compacted = log.filter((line) => line.includes(`"${place.id}.git"`) && line.includes('"compacted a mirror"'));
    expect(compacted).toHaveLength(1);
    const packs = await readdir(path.join(mirror, 'objects', 'pack'));
    expect(packs.filter((file) => file.endsWith('.pack')).length).toBeLessThan(6);
    await place.branches();
    expect(await place.git('diff', '--name-only', run?.base.sha ?? '', run?.branch ?? '')).toBe('b.txt\nc.txt\n');
  });
});

describe('a playbook', () => {
  const suite = useHarness({ runner: 'local' });

  it.each([
    ['changed', '- [ ] One `scripted: write other.txt o`\n- [ ] Three `scripted: write 3.txt 3`\n'],
    ['deleted', undefined],
  ])('that is %s while it runs is carried out as it was', async (_, after) => {
    const place = await suite.place();
    const text =
      '- [ ] One `scripted: write 1.txt 1` `scripted: say now` `scripted: sleep 2s`\n- [ ] Two `scripted: write 2.txt 2`\n';
    await place.pushPlaybook('work.md', text);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    if (after === undefined) {
      const { sha } = await place.as<{ readonly sha: string }>('will', 'GET /contents/.maestro/playbooks/work.md');
      await place.as('will', 'DELETE /contents/.maestro/playbooks/work.md', { message: 'Away with it', sha });
    } else {
      await place.pushPlaybook('work.md', after);
    }
    const [run, next] = await place.settledRuns(after === undefined ? 1 : 2);

    expect(run).toMatchObject({ state: 'succeeded' });
    await place.branches();
    expect(await place.git('diff', '--name-only', run?.base.sha ?? '', run?.branch ?? '')).toBe(
      '.maestro/playbooks/work.md\n1.txt\n2.txt\n',
    );
    expect(await place.git('show', `${run?.branch}:.maestro/playbooks/work.md`)).toBe(text.replaceAll('[ ]', '[x]'));
    if (after === undefined) return;
    // What it says now is a run of its own, which began when the first had ended.
    expect(next).toMatchObject({ state: 'succeeded', title: run?.title });
    expect(next?.tasks.map(({ title }) => title.split(' ')[0])).toEqual(['One', 'Three']);
    expect(next?.createdAt).toBeGreaterThanOrEqual(run?.endedAt ?? Infinity);
    // The push that changed it was told so.
    const main = (await place.branches()).get('main') ?? '';
    expect(await place.checks(main)).toMatchObject([
      {
        conclusion: 'neutral',
        output: { title: 'Comes next', summary: expect.stringContaining('started by itself when that run has ended') },
      },
    ]);
  });
});
