import { describe, expect, it } from 'vitest';
import { ForgeError } from '../../src/forge/forge.ts';
import { closedPayload, commentPayload, editedPayload, labelPayload, NOON, READER, WRITER } from './payloads.ts';
import { createWorld } from './world.ts';

const PLAYBOOK = { '.maestro/playbooks/a.md': '# Alpha\n\n- [ ] one\n' };

describe('/maestro run', () => {
  it('works on the issue, with the lines below as instructions', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run provider=codex model=o5\nMind the *strings*.\n'));
    const [run] = await world.runs();
    expect(run).toMatchObject({
      trigger: { kind: 'command', issue: 1, commentId: 501 },
      provider: 'codex',
      model: 'o5',
      instructions: 'Mind the *strings*.',
      playbook: { kind: 'issue', issue: 1 },
    });
    expect(world.reactions).toEqual(['eyes on comment 501']);
  });

  it.each(['.maestro/playbooks/a.md', 'a.md'])('runs the playbook named as %s', async (path) => {
    const world = await createWorld();
    world.commits.set('aa'.repeat(20), PLAYBOOK);
    await world.deliver('issue_comment', commentPayload(`/maestro run playbook=${path}`));
    expect((await world.runs())[0]).toMatchObject({
      title: 'Alpha',
      playbook: { kind: 'file', path: '.maestro/playbooks/a.md', text: PLAYBOOK['.maestro/playbooks/a.md'] },
    });
  });

  it.each([
    ['an unknown provider', 'provider=mozart', 'unknown-provider'],
    ['a playbook that is not there', 'playbook=x.md', 'not-found'],
    ['a file that is no playbook', 'playbook=src/main.ts', 'bad-command'],
    ['a path out of the directory', 'playbook=../../x.md', 'bad-command'],
    ['an option nobody knows', 'speed=presto', 'bad-command'],
  ])('refuses %s', async (_, options, reason) => {
    const world = await createWorld();
    world.commits.set('aa'.repeat(20), PLAYBOOK);
    expect(await world.deliver('issue_comment', commentPayload(`/maestro run ${options}`))).toBe(`refused: ${reason}`);
    expect(world.comments.size).toBe(1);
    expect(world.reactions).toContain('confused on comment 501');
    expect(await world.runs()).toEqual([]);
  });

  it('answers each of two commands at once: one run, one refusal naming it', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run', { commentId: 1 }));
    const note = await world.deliver('issue_comment', commentPayload('/maestro run', { commentId: 2 }));
    expect(note).toBe('refused: already-running');
    const [run, ...others] = await world.runs();
    expect(others).toEqual([]);
    expect([...world.comments.values()].join()).toContain(run!.id);
  });

  it('does not run on a pull request that is not ours', async () => {
    const world = await createWorld();
    const note = await world.deliver('issue_comment', commentPayload('/maestro run', { number: 9, pullRequest: true }));
    expect(note).toBe('refused: fork');
    expect(await world.runs()).toEqual([]);
  });

  it('does not run on a closed issue', async () => {
    const world = await createWorld();
    expect(await world.deliver('issue_comment', commentPayload('/maestro run', { state: 'closed' }))).toBe(
      'refused: bad-command',
    );
  });
});

describe('/maestro stop, status and help', () => {
  it('stop ends the run of the issue, with the words of who asked', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run'));
    await world.deliver('issue_comment', commentPayload('/maestro stop too loud', { commentId: 502 }));
    expect((await world.runs())[0]?.stop).toMatchObject({ by: 'wanda', reason: 'stopped by @wanda: too loud' });
    expect(world.reactions).toContain('+1 on comment 502');
  });

  it('stop and status on our pull request act on its run; run is refused there', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run'));
    const [run] = await world.runs();
    world.store.change(run!.id, { state: 'running', pullRequest: { number: 9, url: 'https://x/9', draft: true } });
    const here = { number: 9, pullRequest: true };
    const status = await world.deliver('issue_comment', commentPayload('/maestro status', { ...here, commentId: 2 }));
    expect(status).toBe(`status of ${run!.id}`);
    const again = await world.deliver('issue_comment', commentPayload('/maestro run', { ...here, commentId: 3 }));
    expect(again).toBe('refused: bad-command');
    expect([...world.comments.values()].at(-1)).toContain('ask for a new run in #1.');
    await world.deliver('issue_comment', commentPayload('/maestro stop', { ...here, commentId: 4 }));
    expect((await world.runs())[0]?.stop?.reason).toBe('stopped by @wanda');
  });

  it('status writes the one status comment of the run as it is now', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run'));
    const [run] = await world.runs();
    await world.deliver('issue_comment', commentPayload('/maestro status', { commentId: 2 }));
    expect([...world.comments.keys()]).toEqual([`1: run/${run!.id}`]);
    expect([...world.comments.values()][0]).toContain('will start soon');
    expect(world.reactions).toContain('+1 on comment 2');
    const pullRequest = { number: 9, url: 'https://x/9', draft: true };
    world.store.change(run!.id, { state: 'failed', tip: 'bb'.repeat(20), pullRequest });
    const here = { number: 9, pullRequest: true, commentId: 3 };
    await world.deliver('issue_comment', commentPayload('/maestro status', here));
    expect([...world.comments.keys()]).toEqual([`1: run/${run!.id}`]);
    expect([...world.comments.values()][0]).toContain('could not finish');
    expect([...world.comments.values()][0]).toContain(`https://forge.test/`);
    expect(world.enqueued).toEqual([run!.id]);
  });

  it('status is not the last word on a run that a worker ends meanwhile', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run'));
    const [run] = await world.runs();
    world.store.change(run!.id, { state: 'running' });
    const ensureComment = world.forge.ensureComment.bind(undefined);
    let said = 0;
    world.forge.ensureComment = async (...comment) => {
      if (said++ === 0) world.store.change(run!.id, { state: 'failed' });
      return await ensureComment(...comment);
    };
    await world.deliver('issue_comment', commentPayload('/maestro status', { commentId: 2 }));
    expect(said).toBe(2);
    expect([...world.comments.values()][0]).toContain('could not finish');
  });

  it.each(['stop', 'status'])('%s without a run gets one line', async (verb) => {
    const world = await createWorld();
    const payload = commentPayload(`/maestro ${verb}`);
    expect(await world.deliver('issue_comment', payload)).toBe('refused: no-run');
    await world.deliver('issue_comment', payload);
    expect(world.comments.size).toBe(1);
  });

  it('explain says once what holds the run here, or that there is none', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro explain', { commentId: 1 }));
    expect(world.comments.get('1: explain/1')).toContain('There has been no run here yet.');
    await world.deliver('issue_comment', commentPayload('/maestro run', { commentId: 2 }));
    const payload = commentPayload('/maestro explain', { commentId: 3 });
    await world.deliver('issue_comment', payload);
    await world.deliver('issue_comment', payload);
    const [run] = await world.runs();
    const text = world.comments.get('1: explain/3');
    expect(text).toContain(`Run \`${run!.id}\` is not being worked on. No worker has it`);
    expect(text).toContain('- ✅ permission: @&#8203;wanda');
    expect(world.comments.size).toBe(2);
    expect(world.reactions).toContain('+1 on comment 3');
    world.failures.issue = [new ForgeError('unavailable', '502')];
    expect(await world.deliver('issue_comment', commentPayload('/maestro explain', { commentId: 4 }))).toBe(
      `explained ${run!.id}`,
    );
  });

  it('help lists the commands', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro help'));
    expect([...world.comments.values()].join()).toContain('/maestro run');
  });

  it('an unknown command gets one line', async () => {
    const world = await createWorld();
    expect(await world.deliver('issue_comment', commentPayload('/maestro dance'))).toBe('refused: bad-command');
    expect([...world.comments.values()].join()).toMatch(/dance[\s\S]*\/maestro help/);
  });
});

describe('/maestro exec', () => {
  it('becomes an order of the run that goes on here, to be answered where it was given, by who may write', async () => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run'));
    const [run] = await world.runs();
    world.store.change(run!.id, { state: 'running', pullRequest: { number: 9, url: 'https://x/9', draft: true } });
    const here = { number: 9, pullRequest: true };
    const script = '/maestro exec\n```sh\ncd web\nnpm test\n```';
    const note = await world.deliver('issue_comment', commentPayload(script, { ...here, commentId: 2 }));
    expect(note).toBe(`exec asked of ${run!.id}`);
    await world.deliver('issue_comment', commentPayload(script, { ...here, commentId: 2 }));
    const denied = commentPayload('/maestro exec id', { ...here, commentId: 3, sender: READER });
    expect(await world.deliver('issue_comment', denied)).toBe('refused: not-permitted');
    const order = { kind: 'exec', command: 'cd web\nnpm test', thread: 9 };
    expect(await world.store.ordersOf(run!.id, 0)).toMatchObject([{ by: 'wanda', order }]);
    expect(world.reactions).toContain('+1 on comment 2');
  });

  it.each(['succeeded', 'failed', 'stopped'] as const)('is refused for a run that is over: %s', async (state) => {
    const world = await createWorld();
    await world.deliver('issue_comment', commentPayload('/maestro run'));
    const [run] = await world.runs();
    world.store.change(run!.id, { state });
    expect(await world.deliver('issue_comment', commentPayload('/maestro exec id', { commentId: 2 }))).toBe(
      'refused: bad-command',
    );
    expect(await world.store.ordersOf(run!.id, 0)).toEqual([]);
  });
});

describe('comments that are no commands', () => {
  it.each([
    ['text before it', 'please /maestro run'],
    ['a quote', '> /maestro run'],
    ['a code block', '```\n/maestro run\n```'],
    ['another word', '/maestros run'],
  ])('%s', async (_, body) => {
    const world = await createWorld();
    expect(await world.deliver('issue_comment', commentPayload(body))).toBe('ignored: not a command');
  });

  it('an edit does not run again', async () => {
    const world = await createWorld();
    const edited = editedPayload('Shall we?', '/maestro run', { author: WRITER });
    expect(await world.deliver('issue_comment', edited)).toBe('ignored: not a comment of ours');
    expect(await world.runs()).toEqual([]);
  });

  it('our own, and those of foreign bots (threats S07, S08)', async () => {
    const world = await createWorld();
    for (const sender of [
      { id: 1000, login: 'maestro[bot]', type: 'Bot' },
      { id: 5, login: 'Copilot', type: 'Bot' },
    ]) {
      await world.deliver('issue_comment', commentPayload('/maestro run', { sender }));
    }
    const impostor = { id: 6, login: 'dependabot', type: 'User' };
    await world.deliver('issue_comment', commentPayload('/maestro run', { sender: impostor }));
    expect(await world.runs()).toEqual([]);
    expect([...world.comments.keys()]).toEqual(['1: refusal/not-permitted/6']);
  });

  it('of somebody without the role: told once, whatever the command', async () => {
    const world = await createWorld();
    for (const [index, verb] of ['run', 'stop', 'status', 'help', 'dance'].entries()) {
      const payload = commentPayload(`/maestro ${verb}`, { sender: READER, commentId: index });
      expect(await world.deliver('issue_comment', payload)).toBe('refused: not-permitted');
    }
    expect([...world.comments.keys()]).toEqual(['1: refusal/not-permitted/12']);
  });
});

describe('an issue closed', () => {
  it('by a writer stops its run', async () => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    world.hasIssue({ number: 1, open: false });
    await world.deliver('issues', closedPayload({ at: NOON + 1000 }));
    expect((await world.runs())[0]?.stop?.reason).toBe('issue closed by @wanda');
  });

  it.each([
    ['by somebody without the role', closedPayload({ at: NOON + 1000, sender: READER }), false],
    ['and opened again meanwhile', closedPayload({ at: NOON + 1000 }), true],
    ['before the run was asked for', closedPayload({ at: NOON - 1000 }), false],
  ])('%s stops nothing', async (_, payload, open) => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    world.hasIssue({ number: 1, open });
    await world.deliver('issues', payload);
    expect((await world.runs())[0]?.stop).toBeUndefined();
  });
});

describe('access to a repository that ended', () => {
  const sender = { id: 3, login: 'olga', type: 'User' };
  it.each([
    ['installation', { action: 'deleted', installation: { id: 5 }, sender }, 'the App was uninstalled by @olga'],
    ['installation', { action: 'suspend', installation: { id: 5 }, sender }, 'the App was suspended by @olga'],
    [
      'installation_repositories',
      { action: 'removed', installation: { id: 5 }, repositories_removed: [{ id: 42 }], sender },
      'the repository was taken from the App by @olga',
    ],
    [
      'repository',
      { action: 'deleted', repository: { id: 42 }, installation: { id: 5 }, sender },
      'the repository was deleted by @olga',
    ],
  ])('(%s %#) stops its runs', async (event, payload, reason) => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    await world.deliver(event, payload);
    expect((await world.runs())[0]?.stop).toMatchObject({ by: 'olga', reason });
  });

  it('leaves the runs of others alone', async () => {
    const world = await createWorld();
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    await world.deliver('installation', { action: 'deleted', installation: { id: 6 }, sender });
    expect((await world.runs())[0]?.stop).toBeUndefined();
  });
});
