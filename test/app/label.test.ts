import { describe, expect, it } from 'vitest';
import { ForgeError } from '../../src/forge/forge.ts';
import { labelPayload, NOON, READER } from './payloads.ts';
import { createWorld } from './world.ts';

describe('a label put on an issue by a writer', () => {
  it('saves a run with the issue as its one task, in line and acknowledged', async () => {
    const world = await createWorld();
    const note = await world.deliver('issues', labelPayload('labeled', 'maestro'));
    const [run, ...others] = await world.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      playbook: { kind: 'issue', issue: 1, title: 'Tune the violins', text: 'They are a quarter tone low.' },
      provider: 'claude',
      requester: { id: 11, login: 'wanda' },
      base: { ref: 'main', sha: 'aa'.repeat(20) },
      state: 'queued',
    });
    expect(run?.branch).toMatch(/^maestro\/tune-the-violins-/);
    expect(await world.store.tasksOf(run!.id)).toHaveLength(1);
    expect(note).toBe(`run ${run!.id} created`);
    expect(world.enqueued).toEqual([run!.id]);
    expect(world.reactions).toEqual(['eyes on issue 1']);
    expect(world.stateLabels.get(1)).toBe('maestro-queued');
    expect((await world.store.auditOf(run!.id)).map((entry) => entry.action)).toEqual(['run created']);
  });

  it('takes the open boxes of a checklist as tasks, numbered from one', async () => {
    const world = await createWorld();
    const body = '- [x] Strings\n- [ ] Brass\n  - [ ] Horns\n- [ ] Woodwind\n';
    await world.deliver('issues', labelPayload('labeled', 'maestro', { body }));
    const [run] = await world.runs();
    expect(run?.playbook).toMatchObject({ kind: 'checklist', text: body });
    const tasks = await world.store.tasksOf(run!.id);
    expect(tasks.map(({ position, title }) => [position, title])).toEqual([
      [1, 'Brass'],
      [2, 'Woodwind'],
    ]);
  });

  it('runs each playbook the issue names, read from the default branch', async () => {
    const world = await createWorld();
    world.commits.set('aa'.repeat(20), {
      '.maestro/playbooks/a.md': '# Alpha\n\n- [ ] one\n',
      '.maestro/playbooks/b.md': '- [ ] two\n',
      '.maestro/playbooks/hidden.md': '- [ ] three\n',
    });
    const body =
      'Please run `.maestro/playbooks/a.md` and .maestro/playbooks/b.md. <!-- .maestro/playbooks/hidden.md --> .maestro/playbooks/../../etc/passwd.md';
    await world.deliver('issues', labelPayload('labeled', 'maestro', { body }));
    const runs = await world.runs();
    expect(runs.map((run) => run.title).toSorted()).toEqual(['Alpha', 'b']);
    expect(new Set(world.enqueued).size).toBe(2);
  });

  it.each([
    ['maestro', ['maestro'], 'claude'],
    ['maestro:codex', ['maestro:codex'], 'codex'],
    ['Maestro:Codex', ['Maestro:Codex'], 'codex'],
    ['maestro', ['maestro', 'maestro:codex'], 'codex'],
  ])('%s among %j runs %s', async (label, labels, provider) => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', label, { labels }));
    expect((await world.runs()).map((run) => run.provider)).toEqual([provider]);
  });

  it('lets the label win over the front matter, and drops the model meant for another provider', async () => {
    const world = await createWorld();
    const body = '---\nprovider: claude\nmodel: opus\n---\n- [ ] one\n';
    await world.deliver('issues', labelPayload('labeled', 'maestro:codex', { body }));
    await world.deliver('issues', labelPayload('labeled', 'maestro', { body, number: 2 }));
    world.hasIssue({ number: 2 });
    await world.deliver('issues', labelPayload('labeled', 'maestro', { body, number: 2 }));
    const runs = await world.runs();
    expect(new Map(runs.map(({ provider, model }) => [provider, model]))).toEqual(
      new Map([
        ['claude', 'opus'],
        ['codex', undefined],
      ]),
    );
  });

  it.each([
    ['an unknown provider', 'maestro:mozart', {}, 'unknown-provider', /no agent called.*mozart/],
    ['two providers', 'maestro:codex', { labels: ['maestro:claude', 'maestro:codex'] }, 'conflicting-labels', /differ/],
    ['a closed issue', 'maestro', { state: 'closed' as const }, 'bad-command', /closed/],
    ['a pull request', 'maestro', { pullRequest: true }, 'bad-command', /pull request/],
    ['a checklist that is done', 'maestro', { body: '- [x] all' }, 'nothing-to-do', /no open task/],
    [
      'an unknown provider in front matter',
      'maestro',
      { body: '---\nprovider: mozart\n---\n- [ ] a' },
      /refused/,
      /mozart/,
    ],
    [
      'an issue naming a playbook that is not there',
      'maestro',
      { body: '.maestro/playbooks/x.md' },
      'not-found',
      /there are none/,
    ],
  ])('refuses %s once, saying why', async (_, label, issue, reason, said) => {
    const world = await createWorld();
    const payload = labelPayload('labeled', label, issue);
    const note = await world.deliver('issues', payload);
    await world.deliver('issues', payload);
    expect(note).toMatch(reason);
    expect(await world.runs()).toEqual([]);
    expect([...world.comments.values()]).toEqual([expect.stringMatching(said)]);
    expect(world.reactions).toContain('confused on issue 1');
  });

  it('refuses a pull request, of whose labels GitHub tells in another event', async () => {
    const world = await createWorld();
    const { issue, ...payload } = labelPayload('labeled', 'maestro', { number: 9 });
    expect(await world.deliver('pull_request', { ...payload, pull_request: issue })).toBe('refused: bad-command');
    expect(world.reactions).toEqual(['confused on issue 9']);
  });

  it('refuses a repository without a commit', async () => {
    const world = await createWorld();
    world.branches.clear();
    expect(await world.deliver('issues', labelPayload('labeled', 'maestro'))).toBe('refused: empty-repository');
    expect([...world.comments.values()].join()).toContain('no commit');
  });

  it('says where a checklist has to be mended', async () => {
    const world = await createWorld();
    const note = await world.deliver(
      'issues',
      labelPayload('labeled', 'maestro', { body: '- [ ] fine\n- [ ]\n- [] almost\n' }),
    );
    expect(note).toBe('refused: bad-playbook');
    expect([...world.comments.values()].join()).toMatch(/line \d+, column \d+/);
  });
});

describe('labels that start nothing', () => {
  it.each(['bug', 'maestro-running', 'maestro-queued', 'maestros', 'not maestro'])('%s', async (label) => {
    const world = await createWorld();
    expect(await world.deliver('issues', labelPayload('labeled', label))).toBe('ignored: not a label of ours');
    expect(world.reactions).toEqual([]);
  });

  it.each([
    ['ourselves', { id: 1000, login: 'maestro[bot]', type: 'Bot' }, 'own event'],
    ['ourselves whatever the type says', { id: 1000, login: 'maestro[bot]', type: 'User' }, 'own event'],
    ['a foreign bot', { id: 77, login: 'evil[bot]', type: 'Bot' }, 'not on the allow-list'],
    ['a bot with the name of a writer', { id: 78, login: 'wanda', type: 'Bot' }, 'not on the allow-list'],
    ['an organisation', { id: 79, login: 'wanda', type: 'Organization' }, 'not on the allow-list'],
  ])('put on by %s', async (_, sender, reason) => {
    const world = await createWorld();
    expect(await world.deliver('issues', labelPayload('labeled', 'maestro', { sender }))).toContain(reason);
    expect(await world.runs()).toEqual([]);
    expect(world.comments.size + world.reactions.length).toBe(0);
  });

  it('but a bot on the allow-list starts runs', async () => {
    const world = await createWorld({ allowedBots: [77] });
    const sender = { id: 77, login: 'renovate[bot]', type: 'Bot' };
    await world.deliver('issues', labelPayload('labeled', 'maestro', { sender }));
    expect(await world.runs()).toHaveLength(1);
  });

  it('put on by somebody without the role, told once however often they try', async () => {
    const world = await createWorld();
    for (const at of [NOON, NOON + 1000, NOON + 2000]) {
      await world.deliver('issues', labelPayload('labeled', 'maestro', { sender: READER, at }));
    }
    expect(await world.runs()).toEqual([]);
    expect([...world.comments.keys()]).toEqual(['1: refusal/not-permitted/12']);
  });
});

describe('the same request again', () => {
  it('gives one run, however often and under whatever delivery id it comes', async () => {
    const world = await createWorld();
    for (let copy = 0; copy < 5; copy += 1) await world.deliver('issues', labelPayload('labeled', 'maestro'));
    expect(await world.runs()).toHaveLength(1);
  });

  it('gives one run for an issue opened with two labels, without a complaint', async () => {
    const world = await createWorld();
    const labels = ['maestro', 'maestro:codex'];
    await world.deliver('issues', labelPayload('labeled', 'maestro', { labels }));
    await world.deliver('issues', labelPayload('labeled', 'maestro:codex', { labels }));
    expect(await world.runs()).toHaveLength(1);
    expect(world.comments.size).toBe(0);
  });

  it('is refused, naming the run, when asked for anew while that is going', async () => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    const [run] = await world.runs();
    const note = await world.deliver('issues', labelPayload('labeled', 'maestro', { at: NOON + 60_000 }));
    expect(note).toBe('refused: already-running');
    expect([...world.comments.values()].join()).toContain(run!.id);
  });

  it('starts anew when the run is over', async () => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    const [run] = await world.runs();
    world.store.change(run!.id, { state: 'failed' });
    await world.deliver('issues', labelPayload('labeled', 'maestro', { at: NOON + 60_000 }));
    expect(await world.runs()).toHaveLength(2);
  });

  it('makes up for what a crash after saving the run left undone', async () => {
    const world = await createWorld();
    world.failures.setStateLabel = [new Error('no label today')];
    world.queueFailures.push(new Error('the queue is down'));
    const payload = labelPayload('labeled', 'maestro');
    expect(await world.deliver('issues', payload, 'first')).toBe('the queue is down');
    world.clock.advance(3_000);
    world.inbox.wake();
    await world.inbox.idle();
    const [run, ...others] = await world.runs();
    expect(others).toEqual([]);
    expect(world.enqueued).toEqual([run!.id]);
    expect((await world.store.auditOf(run!.id)).map((entry) => entry.action)).toEqual(['run created']);
  });
});

describe('a role GitHub does not tell', () => {
  it.each(['gone', 'denied', 'unavailable', 'limited', 'invalid'] as const)(
    '(%s) starts nothing and is asked again',
    async (kind) => {
      const world = await createWorld();
      world.failures.role = [new ForgeError(kind, 'no answer')];
      expect(await world.deliver('issues', labelPayload('labeled', 'maestro'), 'one')).toBe('no answer');
      expect(await world.runs()).toEqual([]);
      expect(world.store.delivery('one')).toMatchObject({ settled: false, attempts: 1 });
      world.clock.advance(2_000);
      world.inbox.wake();
      await world.inbox.idle();
      expect(await world.runs()).toHaveLength(1);
    },
  );
});

describe('a label taken off', () => {
  it('by a writer stops the run', async () => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    world.hasIssue({ number: 1, labels: [] });
    await world.deliver('issues', labelPayload('unlabeled', 'maestro', { at: NOON + 1000 }));
    const [run] = await world.runs();
    expect(run?.stop).toMatchObject({ by: 'wanda', reason: 'label removed by @wanda' });
    expect((await world.store.auditOf(run!.id)).map((entry) => entry.action)).toEqual([
      'run created',
      'stop requested',
    ]);
    expect(world.enqueued).toHaveLength(2);
  });

  it.each([
    ['by somebody without the role', labelPayload('unlabeled', 'maestro', { at: NOON + 1000, sender: READER })],
    ['before the run was asked for', labelPayload('unlabeled', 'maestro', { at: NOON - 1000 })],
    ['that was not ours', labelPayload('unlabeled', 'bug', { at: NOON + 1000 })],
    [
      'while another of ours stays',
      labelPayload('unlabeled', 'maestro:codex', { at: NOON + 1000, labels: ['maestro'] }),
    ],
  ])('%s stops nothing', async (_, payload) => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    world.hasIssue({ number: 1, labels: [] });
    await world.deliver('issues', payload);
    expect((await world.runs())[0]?.stop).toBeUndefined();
  });
});
