import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PLAYBOOKS, startApp, type App, type Place } from './app-on-local-github.ts';

/** From a click on GitHub, over a real webhook, to a row in the store. */

let app: App;
let here: Place;

beforeAll(async () => {
  app = await startApp();
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

beforeEach(async () => {
  here = await app.newRepository({ files: { [`${PLAYBOOKS}/done.md`]: '- [x] all\n' } });
});

afterEach(async () => {
  app.github.control.clearFaults();
  await app.assertSettled();
});

describe('a label', () => {
  it('of a writer becomes a run, shown on the issue', async () => {
    const number = await here.issue('Tune the violins', '- [ ] First\n- [ ] Second\n');
    await here.label('will', number, 'maestro');
    const [run, ...others] = await here.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      trigger: { kind: 'label', issue: number, label: 'maestro', sender: { login: 'will' } },
      playbook: { kind: 'checklist', text: '- [ ] First\n- [ ] Second\n' },
      provider: 'scripted',
      repository: { owner: 'acme', name: here.name, defaultBranch: 'main' },
    });
    expect((await app.store.tasksOf(run!.id)).map((task) => task.title)).toEqual(['First', 'Second']);
    expect(await here.enqueued()).toEqual([run!.id]);
    expect(await here.reactions(`issues/${number}`)).toEqual(['eyes']);
    const issue = await here.as<{ labels: { name: string }[] }>('ada', `GET /issues/${number}`);
    expect(issue.labels.map((label) => label.name).toSorted()).toEqual(['maestro', 'maestro-queued']);
    expect(await here.answers(number)).toEqual([]);
  });

  it('of a triager is refused once with a reason', async () => {
    const number = await here.issue('Tune the violins');
    await here.label('tess', number, 'maestro');
    await here.label('tess', number, 'maestro:codex');
    expect(await here.runs()).toEqual([]);
    expect(await here.answers(number)).toEqual([expect.stringMatching(/needs the role .*write/)]);
    expect(await here.reactions(`issues/${number}`)).toEqual(['confused']);
  });

  it('taken off stops the run', async () => {
    const number = await here.issue('Tune the violins');
    await here.label('will', number, 'maestro');
    await here.as('mira', `DELETE /issues/${number}/labels/maestro`);
    expect((await here.runs())[0]?.stop).toMatchObject({ by: 'mira', reason: 'label removed by @mira' });
  });

  it('on an issue that names a playbook is refused while the run of its push is going', async () => {
    await here.write(`${PLAYBOOKS}/a.md`, '# Alpha\n\n- [ ] one\n');
    expect((await here.runs()).map((run) => run.trigger.kind)).toEqual(['push']);
    const number = await here.issue('Please', `Run ${PLAYBOOKS}/a.md.`);
    await here.label('will', number, 'maestro');
    expect(await here.answers(number)).toEqual([expect.stringContaining('already working on this')]);
  });
});

describe('an event GitHub sends twice, late or in another order', () => {
  it('is one run when sent twice', async () => {
    app.github.control.addFault({ kind: 'duplicate-hook', event: 'issues.labeled', times: 1 });
    const number = await here.issue('Tune');
    await here.label('will', number, 'maestro');
    expect(await here.runs()).toHaveLength(1);
  });

  it('is one run when delivered again by hand, also after it is over', async () => {
    const number = await here.issue('Tune');
    await here.label('will', number, 'maestro');
    const labeled = app.github.control.deliveries().findLast((delivery) => delivery.action === 'labeled');
    for (let copy = 0; copy < 3; copy += 1) app.github.control.redeliver(labeled!.id);
    await app.settled();
    expect(await here.runs()).toHaveLength(1);
    expect(await here.answers(number)).toEqual([]);
  });

  it('and was lost while we were away starts its run when delivered again', async () => {
    const url = `${app.url}/api/github/webhooks`;
    const number = await here.issue('Tune');
    app.github.control.setWebhookUrl('http://127.0.0.1:9/');
    await here.label('will', number, 'maestro');
    expect(await here.runs()).toEqual([]);
    app.github.control.setWebhookUrl(url);
    const labeled = app.github.control.deliveries().findLast((delivery) => delivery.action === 'labeled');
    app.github.control.redeliver(labeled!.id);
    await app.settled();
    expect(await here.runs()).toHaveLength(1);
  });

  it('leaves nothing going when the label came off before we heard that it was on', async () => {
    const number = await here.issue('Tune');
    app.github.control.addFault({ kind: 'reorder-hooks', event: 'issues', times: 2 });
    await app.github.as('will').call(`POST /repos/acme/${here.name}/issues/${number}/labels`, { labels: ['maestro'] });
    await here.as('will', `DELETE /issues/${number}/labels/maestro`);
    expect((await here.runs()).filter((run) => run.stop === undefined)).toEqual([]);
  });
});

describe('a command', () => {
  it('starts a run, stops it, tells of it and lists the commands', async () => {
    const number = await here.issue('Tune the violins', 'They are low.');
    const id = await here.comment('will', number, '/maestro run provider=codex\nUse a fork.');
    const [run] = await here.runs();
    expect(run).toMatchObject({ provider: 'codex', instructions: 'Use a fork.', trigger: { commentId: id } });
    expect(await here.reactions(`issues/comments/${id}`)).toEqual(['eyes']);
    await here.comment('will', number, '/maestro run');
    await here.comment('will', number, '/maestro status');
    await here.comment('will', number, '/maestro stop enough');
    await here.comment('will', number, '/maestro help');
    await here.comment('will', number, '/maestro dance');
    expect(await here.runs()).toHaveLength(1);
    expect((await here.runs())[0]?.stop?.reason).toBe('stopped by @will: enough');
    expect(await here.answers(number)).toEqual([
      expect.stringContaining(run!.id),
      expect.stringContaining('will start soon'),
      expect.stringContaining('/maestro run'),
      expect.stringContaining('dance'),
    ]);
  });

  it('of an outsider is refused, and our own words are no command', async () => {
    app.github.control.setRole({ repository: `acme/${here.name}`, login: 'nell', role: 'read' });
    const number = await here.issue('Tune the violins');
    await here.comment('nell', number, '/maestro run');
    await here.comment('nell', number, '/maestro run');
    expect(await here.runs()).toEqual([]);
    expect(await here.answers(number)).toHaveLength(1);
  });

  it('waits when GitHub does not say who may', async () => {
    const number = await here.issue('Tune the violins');
    app.github.control.addFault({ kind: 'status', status: 404, path: '/collaborators/', times: 1 });
    await here.comment('will', number, '/maestro run');
    expect(await here.runs()).toEqual([]);
    expect(await app.pending()).toHaveLength(1);
    await expect.poll(async () => (await here.runs()).length, { timeout: 10_000 }).toBe(1);
    await app.settled();
  });

  it('on the pull request of somebody is refused', async () => {
    await here.branch('feature');
    await here.write('notes.txt', 'la', 'feature');
    const body = { head: 'feature', base: 'main', title: 'Mine' };
    const { number } = await here.as<{ number: number }>('will', 'POST /pulls', body);
    await here.comment('will', number, '/maestro run');
    await here.label('will', number, 'maestro');
    expect(await here.runs()).toEqual([]);
    expect(await here.answers(number)).toEqual([
      expect.stringContaining('pull requests that are not its own'),
      expect.stringContaining('not on a pull request'),
    ]);
  });
});

describe('a push', () => {
  it('of a playbook to the default branch becomes a run at that commit', async () => {
    const sha = await here.write(`${PLAYBOOKS}/tune.md`, '# Tune\n\n- [ ] Strings\n- [ ] Brass\n');
    const [run, ...others] = await here.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      title: 'Tune',
      trigger: { kind: 'push', path: `${PLAYBOOKS}/tune.md`, after: sha },
      base: { ref: 'main', sha },
    });
  });

  it('of anything else, or to another branch, becomes nothing', async () => {
    await here.write('src/main.ts', '- [ ] not a playbook\n');
    await here.write(`${PLAYBOOKS}/done.md`, '- [x] all\n- [x] more\n');
    await here.branch('feature');
    await here.write(`${PLAYBOOKS}/tune.md`, '- [ ] Strings\n', 'feature');
    expect(await here.runs()).toEqual([]);
  });
});

describe('the loss of access', () => {
  it('stops what is going there', async () => {
    const number = await here.issue('Tune');
    await here.label('will', number, 'maestro');
    app.github.control.suspendInstallation();
    await app.settled();
    app.github.control.unsuspendInstallation();
    expect((await here.runs())[0]?.stop?.reason).toMatch(/^the App was suspended by @/);
  });
});
