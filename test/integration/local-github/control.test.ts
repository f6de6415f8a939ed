import { expect, it } from 'vitest';
import { DEMO, local, octokitOf, octokitWith, refused, scratch } from './support.ts';
import { startLocalGithub } from '../../../local-github/server.ts';

const HOUR = 60 * 60 * 1000;

it('expires tokens by moving the clock, and lets new ones be had', async () => {
  const github = await local();
  const app = octokitOf(github);
  const issue = async () =>
    (await app.rest.apps.createInstallationAccessToken({ installation_id: github.installationId })).data;
  const { token, expires_at } = await issue();
  expect(Math.round((Date.parse(expires_at) - Date.now()) / 60_000)).toBe(60);
  expect(token).toMatch(/^ghs_\d+_[\w-]+\.[\w-]+\.[\w-]+$/);
  expect((await octokitWith(github.apiUrl, token).rest.repos.get(DEMO)).status).toBe(200);
  github.control.advanceClock(HOUR + 1000);
  expect((await refused(octokitWith(github.apiUrl, token).rest.repos.get(DEMO))).status).toBe(401);
  expect((await octokitWith(github.apiUrl, (await issue()).token).rest.repos.get(DEMO)).status).toBe(200);
});

it('sends clients of a former name to the present one', async () => {
  const github = await local();
  const octokit = octokitOf(github, github.installationId);
  const { data: before } = await octokit.rest.repos.get(DEMO);
  github.control.renameRepository({ repository: 'acme/demo', name: 'renamed' });
  const { data } = await octokit.rest.repos.get(DEMO);
  expect(data).toMatchObject({ id: before.id, full_name: 'acme/renamed' });
  expect((await octokit.rest.issues.create({ ...DEMO, title: 'x' })).data.html_url).toContain('/acme/renamed/issues/1');
});

it('changes roles as GitHub tells them', async () => {
  const github = await local();
  const octokit = octokitOf(github, github.installationId);
  const roles = async (username: string) => {
    const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...DEMO, username });
    return [data.permission, data.role_name];
  };
  expect(await Promise.all(['ada', 'mira', 'will', 'tess', 'rory'].map(roles))).toEqual([
    ['admin', 'admin'],
    ['write', 'maintain'],
    ['write', 'write'],
    ['read', 'triage'],
    ['read', 'read'],
  ]);
  github.control.setRole({ repository: 'acme/demo', login: 'will', role: 'read' });
  expect(await roles('will')).toEqual(['read', 'read']);
});

it('tells none for strangers to a private repository', async () => {
  const github = await local({ seed: { repositories: [{ name: 'demo', private: true, files: { a: 'a' } }] } });
  const octokit = octokitOf(github, github.installationId);
  const { data } = await octokit.rest.repos.getCollaboratorPermissionLevel({ ...DEMO, username: 'nell' });
  expect(data).toMatchObject({ permission: 'none', role_name: 'none' });
});

it('suspends, uninstalls and installs', async () => {
  const github = await local();
  const octokit = octokitOf(github, github.installationId);
  await octokit.rest.repos.get(DEMO);
  github.control.suspendInstallation();
  const refusal = await refused(octokit.rest.repos.get(DEMO));
  expect(refusal).toMatchObject({
    status: 403,
    message: expect.stringContaining('This installation has been suspended'),
  });
  github.control.unsuspendInstallation();
  expect((await octokit.rest.repos.get(DEMO)).status).toBe(200);
  github.control.uninstall();
  expect((await refused(octokit.rest.repos.get(DEMO))).status).toBe(401);
  const installationId = github.control.install('acme');
  expect((await octokitOf(github, installationId).rest.repos.get(DEMO)).status).toBe(200);
});

it('takes a repository out of the installation', async () => {
  const github = await local({
    seed: { repositories: [{ name: 'demo', private: true, files: { a: 'a' } }, { name: 'other' }] },
  });
  const octokit = octokitOf(github, github.installationId);
  expect((await octokit.rest.repos.get(DEMO)).status).toBe(200);
  github.control.selectRepositories(['acme/other']);
  expect((await refused(octokit.rest.repos.get(DEMO))).status).toBe(404);
  await github.control.hooksQuiet();
  expect(github.control.deliveries().at(-1)).toMatchObject({ event: 'installation_repositories', action: 'removed' });
});

it('deletes a repository for good', async () => {
  const github = await local();
  const octokit = octokitOf(github, github.installationId);
  await octokit.rest.repos.get(DEMO);
  await github.control.deleteRepository('acme/demo');
  expect((await refused(octokit.rest.repos.get(DEMO))).status).toBe(404);
  await github.control.createRepository({ name: 'demo', files: { a: 'a' } });
  expect((await octokit.rest.repos.get(DEMO)).status).toBe(200);
});

it('names the operation it does not implement', async () => {
  const github = await local();
  const refusal = await refused(octokitOf(github, github.installationId).rest.issues.listMilestones(DEMO));
  expect(refusal).toMatchObject({ status: 501, message: expect.stringContaining('issues/list-milestones') });
});

it('records who asked for what', async () => {
  const github = await local();
  await octokitOf(github, github.installationId).rest.issues.create({ ...DEMO, title: 'x' });
  await github.as('rory').request('GET /repos/acme/demo');
  const records = github.control.requests().filter((request) => request.path.startsWith('/repos/'));
  expect(records).toMatchObject([
    { method: 'POST', operation: 'issues/create', actor: 'maestro[bot]', body: { title: 'x' }, status: 201 },
    { method: 'GET', operation: 'repos/get', actor: 'rory', status: 200 },
  ]);
});

it('is controlled over HTTP too, but not by web pages', async () => {
  const github = await local();
  const post = async (name: string, body: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(`${github.url}/_control/${name}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers,
    });
    return { status: response.status, data: (await response.json()) as Record<string, unknown> };
  };
  expect((await post('faults', { kind: 'status', status: 502 })).status).toBe(200);
  expect((await github.as('rory').request('GET /repos/acme/demo')).status).toBe(502);
  expect((await post('set-role', { repository: 'acme/demo', login: 'rory', role: 'admin' })).status).toBe(200);
  expect((await post('set-role', { repository: 'acme/none', login: 'rory', role: 'admin' })).data['message']).toBe(
    'There is no repository acme/none.',
  );
  expect((await post('set-role', { repository: 'acme/demo' })).status).toBe(400);
  expect((await post('no-such', {})).data['message']).toContain('There is no control "no-such"');
  expect((await post('clear-faults', {}, { origin: 'https://example.com' })).status).toBe(403);
  const records = await fetch(`${github.url}/_control/requests`);
  expect(await records.json()).toHaveLength(1);
});

it('remembers everything across a restart', async () => {
  const dataDir = await scratch();
  const first = await startLocalGithub({ dataDir });
  const { login, token } = first.as('will');
  await first.as('will').call('POST /repos/acme/demo/issues', { title: 'kept' });
  const { privateKey } = first.app;
  await first.close();
  const second = await local({ dataDir });
  expect(second.app.privateKey).toBe(privateKey);
  expect(second.as(login).token).toBe(token);
  const octokit = octokitOf(second, second.installationId);
  expect((await octokit.rest.issues.get({ ...DEMO, issue_number: 1 })).data.title).toBe('kept');
  expect((await octokit.rest.repos.getContent({ ...DEMO, path: 'README.md' })).status).toBe(200);
  expect((await octokit.rest.issues.create({ ...DEMO, title: 'next' })).data.number).toBe(2);
});
