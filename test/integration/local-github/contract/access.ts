import { expect, it } from 'vitest';
import { refused } from '../support.ts';
import type { Target } from './target.ts';

/** Who may see and do what. */
export function accessContract(target: () => Target): void {
  function at() {
    return { owner: target().owner, repo: target().repo };
  }

  async function narrowed(options: { repositories?: string[]; permissions?: Record<string, 'read' | 'write'> }) {
    const { data } = await target().app.rest.apps.createInstallationAccessToken({
      installation_id: target().installationId,
      ...options,
    });
    return { data, octokit: target().with(data.token) };
  }

  it('knows the App and its installations', async () => {
    const { data: app } = await target().app.rest.apps.getAuthenticated();
    expect(`${app?.slug}[bot]`).toBe(target().botLogin);
    const { data } = await target().app.rest.apps.getRepoInstallation(at());
    expect(data).toMatchObject({ id: target().installationId, app_id: app?.id });
    const list = await target().app.rest.apps.listInstallations();
    expect(list.data.map((one) => one.id)).toContain(target().installationId);
    const repositories = await target().installation.rest.apps.listReposAccessibleToInstallation();
    expect(repositories.data.repositories.map((one) => one.name)).toContain(target().repo);
  });

  it('answers 401 to a bad token and to nobody, each in its words', async () => {
    const bad = await refused(target().with('ghs_nonsense').rest.repos.get(at()));
    expect(bad).toMatchObject({ status: 401, message: expect.stringContaining('Bad credentials') });
    const call = target().with('ey.not.a-jwt').rest.apps.getAuthenticated();
    expect(await refused(call)).toMatchObject({
      status: 401,
      message: expect.stringContaining('JSON web token could not be decoded'),
    });
  });

  it('answers 404, not 403, for a private repository that is out of reach', async () => {
    const { octokit } = await narrowed({ repositories: [target().repo] });
    expect(await refused(octokit.rest.repos.get(target().unseen))).toMatchObject({
      status: 404,
      message: expect.stringContaining('Not Found'),
    });
    const write = octokit.rest.issues.create({ ...target().unseen, title: 'x' });
    expect((await refused(write)).status).toBe(404);
  });

  it('answers 403 for a permission the token lacks', async () => {
    const { octokit, data } = await narrowed({ repositories: [target().repo], permissions: { issues: 'read' } });
    expect(data.permissions).toMatchObject({ issues: 'read', metadata: 'read' });
    expect(data.repositories?.map((one) => one.name)).toEqual([target().repo]);
    expect((await octokit.rest.issues.listForRepo(at())).status).toBe(200);
    const refusal = await refused(octokit.rest.issues.create({ ...at(), title: 'x' }));
    expect(refusal).toMatchObject({
      status: 403,
      message: expect.stringContaining('Resource not accessible by integration'),
    });
    expect(refusal.headers['x-accepted-github-permissions']).toContain('issues=write');
  });

  it('refuses to narrow to what the installation has not', async () => {
    expect((await refused(narrowed({ repositories: ['no-such-repository'] }))).status).toBe(422);
    expect((await refused(narrowed({ permissions: { administration: 'write' } }))).status).toBe(422);
  });

  it('revokes a token', async () => {
    const { octokit } = await narrowed({});
    expect((await octokit.rest.repos.get(at())).status).toBe(200);
    expect((await octokit.rest.apps.revokeInstallationAccessToken()).status).toBe(204);
    expect((await refused(octokit.rest.repos.get(at()))).status).toBe(401);
  });

  it('tells a role in both vocabularies', async () => {
    for (const [octokit, permission, role] of [
      [target().writer, 'write', 'write'],
      [target().reader, 'read', 'read'],
    ] as const) {
      const { data: user } = await octokit.rest.users.getAuthenticated();
      const { data } = await target().installation.rest.repos.getCollaboratorPermissionLevel({
        ...at(),
        username: user.login,
      });
      expect(data).toMatchObject({ permission, role_name: role, user: { login: user.login, role_name: role } });
    }
    const stranger = target().installation.rest.repos.getCollaboratorPermissionLevel({
      ...at(),
      username: 'nobody-of-that-name',
    });
    expect((await refused(stranger)).status).toBe(404);
  });

  it('finds the bot by its login, with the brackets encoded', async () => {
    const { data } = await target().installation.rest.users.getByUsername({ username: target().botLogin });
    expect(data).toMatchObject({ login: target().botLogin, type: 'Bot' });
    expect(data.url).toContain('%5Bbot%5D');
  });

  it('finds a repository by its id', async () => {
    const { data } = await target().installation.rest.repos.get(at());
    const byId = await target().installation.request('GET /repositories/{id}', { id: data.id });
    expect(byId.data.full_name).toBe(data.full_name);
  });

  it('counts requests in headers and says so', async () => {
    const { headers } = await target().installation.rest.repos.get(at());
    expect(headers['x-github-request-id']).toMatch(/^[0-9A-F:]+$/);
    expect(Number(headers['x-ratelimit-remaining'])).toBe(
      Number(headers['x-ratelimit-limit']) - Number(headers['x-ratelimit-used']),
    );
    const { data } = await target().installation.rest.rateLimit.get();
    expect(data.rate.used).toBeGreaterThan(0);
  });

  it('answers 404 to what is no operation', async () => {
    expect((await refused(target().installation.request('GET /no/such/thing/anywhere'))).status).toBe(404);
  });
}
