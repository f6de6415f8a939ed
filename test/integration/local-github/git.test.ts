import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { LocalGithub } from '../../../local-github/server.ts';
import { DEMO, git, local, mustGit, octokitOf, octokitWith, scratch } from './support.ts';

async function cloned(github: LocalGithub, token = github.as('will').token): Promise<string> {
  const directory = join(await scratch(), 'clone');
  await mustGit('/', 'clone', '--quiet', github.gitUrl('acme', 'demo', token), directory);
  return directory;
}

async function committed(directory: string, file: string, content: string | Buffer = `${file}\n`): Promise<string> {
  await writeFile(join(directory, file), content);
  await mustGit(directory, 'add', '--all');
  await mustGit(directory, 'commit', '--quiet', '--message', `Add ${file}`);
  return await mustGit(directory, 'rev-parse', 'HEAD');
}

async function narrowToken(github: LocalGithub, options: Record<string, unknown> = {}): Promise<string> {
  const { data } = await octokitOf(github).rest.apps.createInstallationAccessToken({
    installation_id: github.installationId,
    ...options,
  });
  return data.token;
}

it('clones, takes a push and shows it over REST the moment the push returns', async () => {
  const github = await local();
  const directory = await cloned(github);
  const sha = await committed(directory, 'new.txt');
  await mustGit(directory, 'push', '--quiet', 'origin', 'main');
  const { data } = await octokitOf(github, github.installationId).rest.git.getRef({ ...DEMO, ref: 'heads/main' });
  expect(data.object.sha).toBe(sha);
  expect(github.control.refUpdates()).toMatchObject([
    { ref: 'refs/heads/main', after: sha, actor: 'will', via: 'git' },
  ]);
});

it('takes the first push to an empty repository', async () => {
  const github = await local({ seed: { repositories: [{ name: 'empty' }] } });
  const directory = join(await scratch(), 'clone');
  await mustGit('/', 'clone', '--quiet', github.gitUrl('acme', 'empty', github.as('ada').token), directory);
  const sha = await committed(directory, 'first.txt');
  await mustGit(directory, 'push', '--quiet', 'origin', 'HEAD:refs/heads/main');
  expect(github.control.refUpdates()[0]).toMatchObject({ before: '0'.repeat(40), after: sha });
});

it('rejects what is no fast forward, takes it by force, and moves the pull request along', async () => {
  const github = await local();
  const octokit = octokitOf(github, github.installationId);
  const directory = await cloned(github);
  await mustGit(directory, 'checkout', '--quiet', '-b', 'topic');
  await committed(directory, 'one.txt');
  await mustGit(directory, 'push', '--quiet', 'origin', 'topic');
  const { data: pull } = await octokit.rest.pulls.create({ ...DEMO, head: 'topic', base: 'main', title: 'x' });
  await mustGit(directory, 'commit', '--quiet', '--amend', '--message', 'Other words');
  const rejected = await git(directory, 'push', 'origin', 'topic');
  expect(rejected.code).toBe(1);
  expect(rejected.stderr).toContain('non-fast-forward');
  await mustGit(directory, 'push', '--quiet', '--force-with-lease', 'origin', 'topic');
  const moved = await octokit.rest.pulls.get({ ...DEMO, pull_number: pull.number });
  expect(moved.data.head.sha).toBe(await mustGit(directory, 'rev-parse', 'HEAD'));
  await mustGit(directory, 'push', '--quiet', 'origin', ':topic');
  expect((await octokit.rest.pulls.get({ ...DEMO, pull_number: pull.number })).data.state).toBe('closed');
  const pinned = await mustGit(directory, 'ls-remote', 'origin', `refs/pull/${pull.number}/head`);
  expect(pinned).toContain(moved.data.head.sha);
});

it('clones shallowly and by protocol version 2, and fetches a commit by its sha', async () => {
  const github = await local();
  const source = await cloned(github);
  const first = await mustGit(source, 'rev-parse', 'HEAD');
  await committed(source, 'more.txt');
  await mustGit(source, 'push', '--quiet');
  const directory = join(await scratch(), 'shallow');
  await mustGit(
    '/',
    '-c',
    'protocol.version=2',
    'clone',
    '--quiet',
    '--depth=1',
    github.gitUrl('acme', 'demo'),
    directory,
  );
  expect(await mustGit(directory, 'rev-list', '--count', 'HEAD')).toBe('1');
  await mustGit(directory, 'fetch', '--quiet', '--depth=1', 'origin', first);
});

it('takes several refs at once, all or none', async () => {
  const github = await local();
  const directory = await cloned(github);
  await committed(directory, 'x.txt');
  await mustGit(
    directory,
    'push',
    '--quiet',
    '--atomic',
    'origin',
    'HEAD:refs/heads/a',
    'HEAD:refs/heads/b',
    'HEAD:refs/tags/v1',
  );
  expect(github.control.refUpdates().map((update) => update.ref)).toEqual([
    'refs/heads/a',
    'refs/heads/b',
    'refs/tags/v1',
  ]);
  await github.control.protectBranch({ repository: 'acme/demo', branch: 'a' });
  await committed(directory, 'y.txt');
  const refusal = await git(directory, 'push', '--atomic', 'origin', 'HEAD:refs/heads/a', 'HEAD:refs/heads/b');
  expect(refusal.code).not.toBe(0);
  expect(github.control.refUpdates()).toHaveLength(3);
});

it('takes a push of many megabytes', async () => {
  const github = await local();
  const directory = await cloned(github);
  const sha = await committed(directory, 'big.bin', randomBytes(12 * 1024 * 1024));
  await mustGit(directory, 'push', '--quiet');
  expect(github.control.refUpdates()[0]?.after).toBe(sha);
});

it('keeps apart what is pushed at the same time', async () => {
  const github = await local();
  const directory = await cloned(github);
  await committed(directory, 'x.txt');
  const names = ['p1', 'p2', 'p3', 'p4'];
  await Promise.all(
    names.map(async (name) => await mustGit(directory, 'push', '--quiet', 'origin', `HEAD:refs/heads/${name}`)),
  );
  const updates = github.control.refUpdates();
  expect(updates.map((update) => update.ref).sort()).toEqual(names.map((name) => `refs/heads/${name}`));
});

it('says at the client why a protected branch takes nothing', async () => {
  const github = await local();
  const directory = await cloned(github);
  await github.control.protectBranch({ repository: 'acme/demo', branch: 'main' });
  await committed(directory, 'x.txt');
  const refusal = await git(directory, 'push', 'origin', 'main');
  expect(refusal.stderr).toContain('remote: error: GH006: Protected branch update failed for refs/heads/main.');
  expect(github.control.refUpdates()).toEqual([]);
  await github.control.unprotectBranch({ repository: 'acme/demo', branch: 'main' });
  await mustGit(directory, 'push', '--quiet', 'origin', 'main');
});

it('takes an installation token in the address and in an extra header', async () => {
  const github = await local();
  const token = await narrowToken(github, { repositories: ['demo'], permissions: { contents: 'write' } });
  const directory = await cloned(github, token);
  await committed(directory, 'x.txt');
  await mustGit(directory, 'push', '--quiet');
  await mustGit(directory, 'remote', 'set-url', 'origin', github.gitUrl('acme', 'demo'));
  await committed(directory, 'y.txt');
  const basic = Buffer.from(`x-access-token:${token}`).toString('base64');
  await mustGit(directory, '-c', `http.extraHeader=Authorization: Basic ${basic}`, 'push', '--quiet');
  expect(github.control.refUpdates().map((update) => update.actor)).toEqual(['maestro[bot]', 'maestro[bot]']);
});

it('answers 401 to a bad or expired token, in words git prints', async () => {
  const github = await local({ seed: { repositories: [{ name: 'secret', private: true, files: { a: 'a' } }] } });
  const token = await narrowToken(github);
  const ok = await git('/', 'ls-remote', github.gitUrl('acme', 'secret', token));
  expect(ok.code).toBe(0);
  github.control.expireTokens();
  for (const dead of [token, 'ghs_nonsense']) {
    const refusal = await git('/', 'ls-remote', github.gitUrl('acme', 'secret', dead));
    expect(refusal.stderr).toContain('remote: Invalid username or token.');
    expect(refusal.stderr).toContain('Authentication failed');
  }
});

it('answers 403 to who may not push, in words git prints', async () => {
  const github = await local();
  const reader = await cloned(github, github.as('rory').token);
  await committed(reader, 'x.txt');
  const refusal = await git(reader, 'push', 'origin', 'main');
  expect(refusal.stderr).toContain('remote: Permission to acme/demo.git denied to rory.');
  expect(refusal.stderr).toContain('403');
  const app = await cloned(github, await narrowToken(github, { permissions: { contents: 'read' } }));
  await committed(app, 'x.txt');
  expect((await git(app, 'push', 'origin', 'main')).stderr).toContain(
    'remote: Write access to repository not granted.',
  );
  expect(github.control.refUpdates()).toEqual([]);
});

it('answers 404 for what is not there or may not be seen', async () => {
  const github = await local({
    seed: { repositories: [{ name: 'demo' }, { name: 'secret', private: true, files: { a: 'a' } }] },
  });
  const { token } = github.as('nell');
  for (const name of ['secret', 'missing']) {
    const refusal = await git('/', 'ls-remote', github.gitUrl('acme', name, token));
    expect(refusal.stderr).toContain('remote: Repository not found.');
  }
  const narrowed = await narrowToken(github, { repositories: ['demo'] });
  expect((await git('/', 'ls-remote', github.gitUrl('acme', 'secret', narrowed))).stderr).toContain(
    'Repository not found.',
  );
  expect((await git('/', 'ls-remote', github.gitUrl('acme', 'secret', github.as('ada').token))).code).toBe(0);
});

it('refuses workflow files from an App without that permission, not from people', async () => {
  const github = await local();
  const token = await narrowToken(github);
  const directory = await cloned(github, token);
  await mustGit(directory, 'checkout', '--quiet', '-b', 'ci');
  await committed(directory, 'x.txt');
  await mustGit(directory, 'push', '--quiet', 'origin', 'ci');
  await mustGit(directory, 'rm', '--quiet', 'x.txt');
  await writeFile(join(directory, 'build.yml'), 'on: push\n');
  await mustGit(
    directory,
    'update-index',
    '--add',
    '--cacheinfo',
    `100644,${await mustGit(directory, 'hash-object', '-w', 'build.yml')},.github/workflows/build.yml`,
  );
  await mustGit(directory, 'commit', '--quiet', '--message', 'CI');
  const refusal = await git(directory, 'push', 'origin', 'ci');
  expect(refusal.stderr).toContain(
    'refusing to allow a GitHub App to create or update workflow `.github/workflows/build.yml` without `workflows` permission',
  );
  await mustGit(directory, 'push', '--quiet', github.gitUrl('acme', 'demo', github.as('will').token), 'ci');
});

it('marks a pull request merged when its commits reach the base by push', async () => {
  const github = await local();
  const octokit = octokitWith(github.apiUrl, github.as('will').token);
  const directory = await cloned(github);
  await committed(directory, 'x.txt');
  await mustGit(directory, 'push', '--quiet', 'origin', 'HEAD:refs/heads/topic');
  const { data: pull } = await octokit.rest.pulls.create({ ...DEMO, head: 'topic', base: 'main', title: 'x' });
  await mustGit(directory, 'push', '--quiet', 'origin', 'main');
  const { data } = await octokit.rest.pulls.get({ ...DEMO, pull_number: pull.number });
  expect(data).toMatchObject({ merged: true, merged_by: { login: 'will' } });
});
