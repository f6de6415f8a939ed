import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DEMO, git, hookReceiver, local, mustGit, octokitOf, refused, scratch } from './support.ts';

async function prepared() {
  const github = await local();
  const octokit = octokitOf(github, github.installationId);
  // So that faults hit what the test calls and not the token that octokit fetches first.
  await octokit.rest.repos.get(DEMO);
  return { github, octokit };
}

it('cuts the reply off after the effect', async () => {
  const { github, octokit } = await prepared();
  github.control.addFault({ kind: 'cut-after', method: 'POST', path: '/issues$' });
  await expect(octokit.rest.issues.create({ ...DEMO, title: 'made all the same' })).rejects.toMatchObject({
    status: 500,
  });
  const { data } = await octokit.rest.issues.listForRepo(DEMO);
  expect(data.map((issue) => issue.title)).toEqual(['made all the same']);
  expect(github.control.requests().filter((request) => request.status === 0)).toMatchObject([
    { operation: 'issues/create' },
  ]);
  expect((await octokit.rest.issues.create({ ...DEMO, title: 'once only' })).status).toBe(201);
});

it('cuts a push off after the refs have moved', async () => {
  const { github } = await prepared();
  const directory = join(await scratch(), 'clone');
  await mustGit('/', 'clone', '--quiet', github.gitUrl('acme', 'demo', github.as('will').token), directory);
  await mustGit(directory, 'commit', '--quiet', '--allow-empty', '--message', 'x');
  github.control.addFault({ kind: 'cut-after', method: 'POST', path: 'git-receive-pack$' });
  expect((await git(directory, 'push')).code).not.toBe(0);
  expect(github.control.refUpdates()).toHaveLength(1);
  expect((await git(directory, 'push')).stderr).toContain('Everything up-to-date');
});

it('cuts off before anything is done', async () => {
  const { github, octokit } = await prepared();
  github.control.addFault({ kind: 'cut-before', method: 'POST' });
  await expect(octokit.rest.issues.create({ ...DEMO, title: 'never' })).rejects.toMatchObject({ status: 500 });
  expect((await octokit.rest.issues.listForRepo(DEMO)).data).toEqual([]);
});

it('refuses with any status, as often as told', async () => {
  const { github, octokit } = await prepared();
  github.control.addFault({ kind: 'status', status: 502, path: '^/repos/', times: 2 });
  expect((await refused(octokit.rest.repos.get(DEMO))).status).toBe(502);
  expect((await refused(octokit.rest.repos.get(DEMO))).status).toBe(502);
  expect((await octokit.rest.repos.get(DEMO)).status).toBe(200);
});

it('limits as GitHub does, in both ways', async () => {
  const { github, octokit } = await prepared();
  github.control.addFault({ kind: 'secondary-limit', status: 429, retryAfter: 7 });
  const secondary = await refused(octokit.rest.repos.get(DEMO));
  expect(secondary).toMatchObject({ status: 429, message: expect.stringContaining('secondary rate limit') });
  expect(secondary.headers['retry-after']).toBe('7');
  github.control.addFault({ kind: 'primary-limit', retryAfter: 30 });
  const primary = await refused(octokit.rest.repos.get(DEMO));
  expect(primary).toMatchObject({ status: 403, message: expect.stringContaining('API rate limit exceeded') });
  expect(primary.headers['x-ratelimit-remaining']).toBe('0');
  const reset = Number(primary.headers['x-ratelimit-reset']) - Date.now() / 1000;
  expect(reset).toBeGreaterThan(25);
  expect(reset).toBeLessThan(35);
});

it('delays, then answers as usual', async () => {
  const { github, octokit } = await prepared();
  github.control.addFault({ kind: 'delay', ms: 150 });
  const started = performance.now();
  expect((await octokit.rest.repos.get(DEMO)).status).toBe(200);
  expect(performance.now() - started).toBeGreaterThanOrEqual(145);
});

it('drops, doubles and reorders webhooks', async () => {
  const receiver = await hookReceiver();
  const github = await local({ webhookUrl: receiver.url });
  const octokit = octokitOf(github, github.installationId);
  const open = async (title: string) => await octokit.rest.issues.create({ ...DEMO, title });
  github.control.addFault({ kind: 'drop-hook', event: 'issues.opened' });
  await open('dropped');
  github.control.addFault({ kind: 'duplicate-hook', event: 'issues' });
  await open('doubled');
  github.control.addFault({ kind: 'reorder-hooks', times: 2 });
  await open('first');
  await open('second');
  await open('third');
  await github.control.hooksQuiet();
  const titles = receiver.received.map((hook) => (hook.payload['issue'] as { title: string }).title);
  expect(titles).toEqual(['doubled', 'doubled', 'second', 'first', 'third']);
  const [one, other] = receiver.received.map((hook) => hook.headers['x-github-delivery']);
  expect(other).toBe(one);
});

it('forgets its rules when told to', async () => {
  const { github, octokit } = await prepared();
  github.control.addFault({ kind: 'status', status: 500, times: 99 });
  expect(github.control.faults()).toHaveLength(1);
  github.control.clearFaults();
  expect((await octokit.rest.repos.get(DEMO)).status).toBe(200);
});
