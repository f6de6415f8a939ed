import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PLAYBOOKS, startApp, type App } from './app-on-local-github.ts';

/** From a click on GitHub, over a real webhook, to a row in the store. */

let app: App;

beforeEach(async () => {
  app = await startApp({ [`${PLAYBOOKS}/done.md`]: '- [x] all\n' });
});

afterEach(async () => {
  expect(await app.pending()).toEqual([]);
  await app[Symbol.asyncDispose]();
});

const LABELS = 'POST /repos/acme/demo/issues';

describe('a label', () => {
  it('of a writer becomes a run, shown on the issue', async () => {
    const number = await app.issue('Tune the violins', '- [ ] First\n- [ ] Second\n');
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    const [run, ...others] = await app.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      trigger: { kind: 'label', issue: number, label: 'maestro', sender: { login: 'will' } },
      playbook: { kind: 'checklist', text: '- [ ] First\n- [ ] Second\n' },
      provider: 'scripted',
      repository: { owner: 'acme', name: 'demo', defaultBranch: 'main' },
    });
    expect((await app.store.tasksOf(run!.id)).map((task) => task.title)).toEqual(['First', 'Second']);
    expect(app.enqueued).toEqual([run!.id]);
    expect(await app.reactions(`issues/${number}`)).toEqual(['eyes']);
    const issue = await app.as<{ labels: { name: string }[] }>('ada', `GET /repos/acme/demo/issues/${number}`);
    expect(issue.labels.map((label) => label.name).toSorted()).toEqual(['maestro', 'maestro-queued']);
    expect(await app.answers(number)).toEqual([]);
  });

  it('of a triager is refused once with a reason', async () => {
    const number = await app.issue('Tune the violins');
    await app.as('tess', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    await app.as('tess', `${LABELS}/${number}/labels`, { labels: ['maestro:codex'] });
    expect(await app.runs()).toEqual([]);
    expect(await app.answers(number)).toEqual([expect.stringMatching(/needs the role .*write/)]);
    expect(await app.reactions(`issues/${number}`)).toEqual(['confused']);
  });

  it('taken off stops the run', async () => {
    const number = await app.issue('Tune the violins');
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    await app.as('mira', `DELETE /repos/acme/demo/issues/${number}/labels/maestro`);
    expect((await app.runs())[0]?.stop).toMatchObject({ by: 'mira', reason: 'label removed by @mira' });
  });

  it('on an issue that names a playbook runs that', async () => {
    await app.write(`${PLAYBOOKS}/a.md`, '# Alpha\n\n- [ ] one\n', { branch: 'main' });
    for (const run of await app.runs()) expect(run.trigger.kind).toBe('push');
    const number = await app.issue('Please', `Run ${PLAYBOOKS}/a.md.`);
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    expect(await app.answers(number)).toEqual([expect.stringContaining('already working on this')]);
  });
});

describe('an event GitHub sends twice, late or in another order', () => {
  it('is one run when sent twice', async () => {
    app.github.control.addFault({ kind: 'duplicate-hook', event: 'issues.labeled', times: 1 });
    const number = await app.issue('Tune');
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    expect(await app.runs()).toHaveLength(1);
  });

  it('is one run when delivered again by hand, also after it is over', async () => {
    const number = await app.issue('Tune');
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    const labeled = app.github.control.deliveries().find((delivery) => delivery.action === 'labeled');
    for (let copy = 0; copy < 3; copy += 1) app.github.control.redeliver(labeled!.id);
    await app.settled();
    expect(await app.runs()).toHaveLength(1);
    expect(await app.answers(number)).toEqual([]);
  });

  it('and was lost while we were away starts its run when delivered again', async () => {
    const url = `${app.url}/api/github/webhooks`;
    const number = await app.issue('Tune');
    app.github.control.setWebhookUrl('http://127.0.0.1:9/');
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    expect(await app.runs()).toEqual([]);
    app.github.control.setWebhookUrl(url);
    const labeled = app.github.control.deliveries().find((delivery) => delivery.action === 'labeled');
    app.github.control.redeliver(labeled!.id);
    await app.settled();
    expect(await app.runs()).toHaveLength(1);
  });

  it('leaves nothing going when the label came off before we heard that it was on', async () => {
    const number = await app.issue('Tune');
    app.github.control.addFault({ kind: 'reorder-hooks', event: 'issues', times: 2 });
    await app.github.as('will').call(`${LABELS}/${number}/labels`, { labels: ['maestro'] });
    await app.as('will', `DELETE /repos/acme/demo/issues/${number}/labels/maestro`);
    expect((await app.runs()).filter((run) => run.stop === undefined)).toEqual([]);
  });
});

describe('a command', () => {
  it('starts a run, stops it, tells of it and lists the commands', async () => {
    const number = await app.issue('Tune the violins', 'They are low.');
    const at = `POST /repos/acme/demo/issues/${number}/comments`;
    const { id } = await app.as<{ id: number }>('will', at, { body: '/maestro run provider=codex\nUse a fork.' });
    const [run] = await app.runs();
    expect(run).toMatchObject({ provider: 'codex', instructions: 'Use a fork.', trigger: { commentId: id } });
    expect(await app.reactions(`issues/comments/${id}`)).toEqual(['eyes']);
    await app.as('will', at, { body: '/maestro run' });
    await app.as('will', at, { body: '/maestro status' });
    await app.as('will', at, { body: '/maestro stop enough' });
    await app.as('will', at, { body: '/maestro help' });
    await app.as('will', at, { body: '/maestro dance' });
    expect(await app.runs()).toHaveLength(1);
    expect((await app.runs())[0]?.stop?.reason).toBe('stopped by @will: enough');
    expect(await app.answers(number)).toEqual([
      expect.stringContaining(run!.id),
      expect.stringContaining('/maestro run'),
      expect.stringContaining('dance'),
    ]);
  });

  it('of an outsider is refused, and our own words are no command', async () => {
    app.github.control.setRole({ repository: 'acme/demo', login: 'nell', role: 'read' });
    const number = await app.issue('Tune the violins');
    const at = `POST /repos/acme/demo/issues/${number}/comments`;
    await app.as('nell', at, { body: '/maestro run' });
    await app.as('nell', at, { body: '/maestro run' });
    expect(await app.runs()).toEqual([]);
    expect(await app.answers(number)).toHaveLength(1);
  });

  it('waits when GitHub does not say who may', async () => {
    const number = await app.issue('Tune the violins');
    app.github.control.addFault({ kind: 'status', status: 404, path: '/collaborators/', times: 1 });
    await app.as('will', `POST /repos/acme/demo/issues/${number}/comments`, { body: '/maestro run' });
    expect(await app.runs()).toEqual([]);
    expect(await app.pending()).toHaveLength(1);
    await expect.poll(async () => (await app.runs()).length, { timeout: 10_000 }).toBe(1);
    await app.settled();
  });

  it('on the pull request of somebody is refused', async () => {
    await app.as('will', 'POST /repos/acme/demo/git/refs', { ref: 'refs/heads/feature', sha: await headSha() });
    await app.write('notes.txt', 'la', { branch: 'feature' });
    const body = { head: 'feature', base: 'main', title: 'Mine' };
    const { number } = await app.as<{ number: number }>('will', 'POST /repos/acme/demo/pulls', body);
    await app.as('will', `POST /repos/acme/demo/issues/${number}/comments`, { body: '/maestro run' });
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    expect(await app.runs()).toEqual([]);
    expect(await app.answers(number)).toEqual([
      expect.stringContaining('pull requests that are not its own'),
      expect.stringContaining('not on a pull request'),
    ]);
  });
});

describe('a push', () => {
  it('of a playbook to the default branch becomes a run at that commit', async () => {
    const sha = await app.write(`${PLAYBOOKS}/tune.md`, '# Tune\n\n- [ ] Strings\n- [ ] Brass\n');
    const [run, ...others] = await app.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      title: 'Tune',
      trigger: { kind: 'push', path: `${PLAYBOOKS}/tune.md`, after: sha },
      base: { ref: 'main', sha },
    });
  });

  it('of anything else, or to another branch, becomes nothing', async () => {
    await app.write('src/main.ts', '- [ ] not a playbook\n');
    await app.write(`${PLAYBOOKS}/done.md`, '- [x] all\n- [x] more\n');
    await app.as('will', 'POST /repos/acme/demo/git/refs', { ref: 'refs/heads/feature', sha: await headSha() });
    await app.write(`${PLAYBOOKS}/tune.md`, '- [ ] Strings\n', { branch: 'feature' });
    expect(await app.runs()).toEqual([]);
  });
});

describe('the loss of access', () => {
  it('stops what is going there', async () => {
    const number = await app.issue('Tune');
    await app.as('will', `${LABELS}/${number}/labels`, { labels: ['maestro'] });
    app.github.control.suspendInstallation();
    await app.settled();
    expect((await app.runs())[0]?.stop?.reason).toMatch(/^the App was suspended by @/);
  });
});

async function headSha(): Promise<string> {
  const { object } = await app.as<{ object: { sha: string } }>('ada', 'GET /repos/acme/demo/git/ref/heads/main');
  return object.sha;
}
