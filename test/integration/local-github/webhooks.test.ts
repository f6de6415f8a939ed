import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Webhooks } from '@octokit/webhooks';
import { expect, it } from 'vitest';
import type { LocalGithub, LocalGithubOptions } from '../../../local-github/server.ts';
import { DEMO, hookReceiver, local, mustGit, octokitOf, scratch } from './support.ts';
import type { ReceivedHook } from './support.ts';

const EVERYTHING = [
  'check_run',
  'create',
  'delete',
  'issue_comment',
  'issues',
  'label',
  'pull_request',
  'push',
  'repository',
];

async function subscribed(options: LocalGithubOptions = {}) {
  const receiver = await hookReceiver();
  const github = await local({ webhookUrl: receiver.url, app: { events: EVERYTHING }, ...options });
  return { github, receiver, octokit: octokitOf(github, github.installationId) };
}

function names(hooks: readonly ReceivedHook[]): string[] {
  return hooks.map((hook) =>
    typeof hook.payload['action'] === 'string' ? `${hook.event}.${hook.payload['action']}` : hook.event,
  );
}

async function signed(hook: ReceivedHook | undefined, secret: string): Promise<boolean> {
  const signature = String(hook?.headers['x-hub-signature-256']);
  return await new Webhooks({ secret }).verify(hook?.raw.toString('utf8') ?? '', signature);
}

async function pushFiles(github: LocalGithub, commits: readonly Record<string, string>[]): Promise<string[]> {
  const directory = join(await scratch(), 'clone');
  await mustGit('/', 'clone', '--quiet', github.gitUrl('acme', 'demo', github.as('will').token), directory);
  const shas: string[] = [];
  for (const files of commits) {
    for (const [path, text] of Object.entries(files)) await writeFile(join(directory, path), text);
    await mustGit(directory, 'add', '--all');
    await mustGit(directory, 'commit', '--quiet', '--message', `Write ${Object.keys(files).join(', ')}`);
    shas.push(await mustGit(directory, 'rev-parse', 'HEAD'));
  }
  await mustGit(directory, 'push', '--quiet');
  return shas;
}

it('signs what it sends and names it in headers', async () => {
  const { github, receiver } = await subscribed();
  await github.as('rory').call('POST /repos/acme/demo/issues', { title: 'Grüße' });
  await github.control.hooksQuiet();
  const [hook] = receiver.received;
  expect(await signed(hook, github.app.webhookSecret)).toBe(true);
  expect(await signed(hook, 'another secret')).toBe(false);
  expect(hook?.headers).toMatchObject({
    'x-github-event': 'issues',
    'x-github-delivery': expect.stringMatching(/^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/),
    'x-github-hook-id': expect.stringMatching(/^\d+$/),
    'x-github-hook-installation-target-id': String(github.app.id),
    'x-github-hook-installation-target-type': 'integration',
    'user-agent': expect.stringMatching(/^GitHub-Hookshot\//),
    'content-type': 'application/json',
  });
  expect(hook?.payload).toMatchObject({
    action: 'opened',
    issue: { title: 'Grüße', user: { login: 'rory' } },
    repository: { full_name: 'acme/demo', owner: { login: 'acme' } },
    installation: { id: github.installationId },
    sender: { login: 'rory', type: 'User' },
  });
});

it('tells of everything in a thread, in order, with the label and what it was before', async () => {
  const { github, receiver, octokit } = await subscribed();
  const { data: issue } = await octokit.rest.issues.create({ ...DEMO, title: 'x', labels: ['maestro'] });
  const here = { ...DEMO, issue_number: issue.number };
  await octokit.rest.issues.update({ ...here, title: 'y' });
  await octokit.rest.issues.removeLabel({ ...here, name: 'maestro' });
  const { data: comment } = await octokit.rest.issues.createComment({ ...here, body: 'a' });
  await octokit.rest.issues.updateComment({ ...DEMO, comment_id: comment.id, body: 'b' });
  await octokit.rest.issues.deleteComment({ ...DEMO, comment_id: comment.id });
  await octokit.rest.issues.update({ ...here, state: 'closed' });
  await octokit.rest.issues.update({ ...here, state: 'open' });
  await github.control.hooksQuiet();
  expect(names(receiver.received)).toEqual([
    'label.created',
    'issues.opened',
    'issues.labeled',
    'issues.edited',
    'issues.unlabeled',
    'issue_comment.created',
    'issue_comment.edited',
    'issue_comment.deleted',
    'issues.closed',
    'issues.reopened',
  ]);
  const payloads = receiver.received.map((hook) => hook.payload);
  expect(payloads[2]).toMatchObject({ label: { id: expect.any(Number), name: 'maestro' } });
  expect(payloads[3]).toMatchObject({ changes: { title: { from: 'x' } }, issue: { title: 'y' } });
  expect(payloads[6]).toMatchObject({ changes: { body: { from: 'a' } }, comment: { body: 'b' } });
  expect(payloads.every((payload) => (payload['sender'] as { login: string }).login === 'maestro[bot]')).toBe(true);
});

it('tells of a push with its commits and what they touched, oldest first', async () => {
  const { github, receiver } = await subscribed();
  const before = (await octokitOf(github, github.installationId).rest.git.getRef({ ...DEMO, ref: 'heads/main' })).data
    .object.sha;
  const [first, second] = await pushFiles(github, [{ 'a.txt': 'a' }, { 'a.txt': 'b', 'c.txt': 'c' }]);
  await github.control.hooksQuiet();
  expect(names(receiver.received)).toEqual(['push']);
  expect(receiver.received[0]?.payload).toMatchObject({
    ref: 'refs/heads/main',
    before,
    after: second,
    created: false,
    deleted: false,
    forced: false,
    pusher: { name: 'will' },
    head_commit: { id: second },
    commits: [
      { id: first, added: ['a.txt'], modified: [], removed: [] },
      { id: second, added: ['c.txt'], modified: ['a.txt'], removed: [] },
    ],
  });
});

it('tells of branches that come, are forced and go', async () => {
  const { github, receiver, octokit } = await subscribed();
  const [first = '', second = ''] = await pushFiles(github, [{ 'a.txt': 'a' }, { 'b.txt': 'b' }]);
  await octokit.rest.git.createRef({ ...DEMO, ref: 'refs/heads/topic', sha: second });
  await octokit.rest.git.updateRef({ ...DEMO, ref: 'heads/topic', sha: first, force: true });
  await octokit.rest.git.deleteRef({ ...DEMO, ref: 'heads/topic' });
  await github.control.hooksQuiet();
  expect(names(receiver.received)).toEqual(['push', 'create', 'push', 'push', 'delete', 'push']);
  const [, create, made, forced, , gone] = receiver.received.map((hook) => hook.payload);
  expect(create).toMatchObject({ ref: 'topic', ref_type: 'branch', master_branch: 'main' });
  expect(made).toMatchObject({ created: true, before: '0'.repeat(40), commits: [] });
  expect(forced).toMatchObject({ forced: true, after: first });
  expect(gone).toMatchObject({ deleted: true, after: '0'.repeat(40), head_commit: null });
});

it('tells of a pull request with its number, its new head, and the push its merge is', async () => {
  const { github, receiver, octokit } = await subscribed();
  const base = (await octokit.rest.git.getRef({ ...DEMO, ref: 'heads/main' })).data.object.sha;
  await octokit.rest.git.createRef({ ...DEMO, ref: 'refs/heads/topic', sha: base });
  const write = async (path: string) =>
    await octokit.rest.repos.createOrUpdateFileContents({
      ...DEMO,
      path,
      message: path,
      content: 'YQ==',
      branch: 'topic',
    });
  const one = (await write('one')).data.commit.sha;
  const { data: pull } = await octokit.rest.pulls.create({
    ...DEMO,
    head: 'topic',
    base: 'main',
    title: 'x',
    draft: true,
  });
  const two = (await write('two')).data.commit.sha;
  await octokit.graphql(
    'mutation($id: ID!) { markPullRequestReadyForReview(input: { pullRequestId: $id }) { clientMutationId } }',
    {
      id: pull.node_id,
    },
  );
  await github.as('will').call(`PUT /repos/acme/demo/pulls/${pull.number}/merge`, {});
  await github.control.hooksQuiet();
  const told = names(receiver.received).slice(3);
  expect(told).toEqual([
    'pull_request.opened',
    'push',
    'pull_request.synchronize',
    'pull_request.ready_for_review',
    'pull_request.closed',
    'push',
  ]);
  const [opened, , synchronized, , closed, merged] = receiver.received.slice(3).map((hook) => hook.payload);
  expect(opened).toMatchObject({ number: pull.number, pull_request: { draft: true } });
  expect(synchronized).toMatchObject({ before: one, after: two, pull_request: { head: { sha: two }, commits: 2 } });
  expect(closed).toMatchObject({ pull_request: { merged: true, merged_by: { login: 'will' } } });
  expect(merged).toMatchObject({ ref: 'refs/heads/main', pusher: { name: 'will' } });
});

it('tells of check runs when they begin and when they are complete', async () => {
  const { github, receiver, octokit } = await subscribed();
  const sha = (await octokit.rest.git.getRef({ ...DEMO, ref: 'heads/main' })).data.object.sha;
  const { data } = await octokit.rest.checks.create({ ...DEMO, name: 'x', head_sha: sha });
  await octokit.rest.checks.update({ ...DEMO, check_run_id: data.id, status: 'in_progress' });
  await octokit.rest.checks.update({ ...DEMO, check_run_id: data.id, conclusion: 'success' });
  await github.control.hooksQuiet();
  expect(names(receiver.received)).toEqual(['check_run.created', 'check_run.completed']);
});

it('sends only what the App subscribes to, and what every App gets', async () => {
  const receiver = await hookReceiver();
  const github = await local({ webhookUrl: receiver.url, app: { events: ['issue_comment'] } });
  const octokit = octokitOf(github, github.installationId);
  const { data } = await octokit.rest.issues.create({ ...DEMO, title: 'x' });
  await octokit.rest.issues.createComment({ ...DEMO, issue_number: data.number, body: 'x' });
  github.control.suspendInstallation();
  await github.as('will').call('POST /repos/acme/demo/issues/1/comments', { body: 'unheard while suspended' });
  github.control.unsuspendInstallation();
  await github.control.hooksQuiet();
  expect(names(receiver.received)).toEqual(['issue_comment.created', 'installation.suspend', 'installation.unsuspend']);
});

it('does not try again by itself, lists what failed and delivers it again on request', async () => {
  const { github, receiver, octokit } = await subscribed();
  receiver.status = 500;
  await octokit.rest.issues.create({ ...DEMO, title: 'x' });
  await github.control.hooksQuiet();
  receiver.status = 202;
  expect(receiver.received).toHaveLength(1);
  const app = octokitOf(github);
  const failed = await app.rest.apps.listWebhookDeliveries({ per_page: 10 });
  expect(failed.data).toMatchObject([{ event: 'issues', action: 'opened', status_code: 500, redelivery: false }]);
  const id = failed.data[0]?.id ?? 0;
  const { data } = await app.rest.apps.getWebhookDelivery({ delivery_id: id });
  expect(data).toMatchObject({ request: { payload: { issue: { title: 'x' } } }, response: { payload: 'noted' } });
  expect((await app.rest.apps.redeliverWebhookDelivery({ delivery_id: id })).status).toBe(202);
  await github.control.hooksQuiet();
  expect(receiver.received).toHaveLength(2);
  const [one, other] = receiver.received.map((hook) => hook.headers['x-github-delivery']);
  expect(other).toBe(one);
  const after = await app.rest.apps.listWebhookDeliveries();
  expect(after.data[0]).toMatchObject({ guid: data.guid, redelivery: true, status_code: 202 });
});

it('pages through deliveries by cursor, newest first', async () => {
  const { github, octokit } = await subscribed();
  for (const title of ['a', 'b', 'c']) await octokit.rest.issues.create({ ...DEMO, title });
  await github.control.hooksQuiet();
  const app = octokitOf(github);
  const all = await app.paginate('GET /app/hook/deliveries', { per_page: 2 });
  const ids = all.map((delivery) => delivery.id);
  expect(ids).toHaveLength(3);
  expect(ids).toEqual(ids.toSorted((one, other) => other - one));
});

it('sends to another address once told so', async () => {
  const { github, receiver, octokit } = await subscribed();
  const other = await hookReceiver();
  const app = octokitOf(github);
  // octokit takes a parameter called `url` for the address of the request, so the body goes in whole.
  await app.request('PATCH /app/hook/config', { data: { url: other.url, secret: 'changed' } });
  expect((await app.rest.apps.getWebhookConfigForApp()).data).toMatchObject({ url: other.url, secret: '********' });
  await octokit.rest.issues.create({ ...DEMO, title: 'x' });
  await github.control.hooksQuiet();
  expect([receiver.received.length, other.received.length]).toEqual([0, 1]);
  expect(await signed(other.received[0], 'changed')).toBe(true);
});
