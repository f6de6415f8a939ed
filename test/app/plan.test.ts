import { describe, expect, it } from 'vitest';
import { commentPayload, NOON, READER } from './payloads.ts';
import { createWorld, type World } from './world.ts';

const LIST = '- [ ] one\n- [ ] two\n';
const PATH = '.maestro/playbooks/a.md';
const HEAD = 'aa'.repeat(20);

let comment = 1000;
/** Comments in issue 1, which says `body` at that moment. */
async function say(world: World, text: string, options: Parameters<typeof commentPayload>[1] = {}): Promise<string> {
  return await world.deliver('issue_comment', commentPayload(text, { commentId: comment++, body: LIST, ...options }));
}

/** Shows the plan and gives its hash. */
async function shown(world: World, text = '/maestro plan', options: Parameters<typeof commentPayload>[1] = {}) {
  const note = await say(world, text, options);
  expect(note).toMatch(/^plan [a-z2-7]{10} shown$/);
  return note.split(' ')[1] ?? '';
}

describe('/maestro plan', () => {
  it('shows what a run would come to, and starts nothing', async () => {
    const world = await createWorld();
    const hash = await shown(world, '/maestro plan provider=codex\nBe quick.');
    const [[key, text] = []] = [...world.comments];
    expect(key).toMatch(new RegExp(`^1: plan/\\d+/${hash}$`));
    expect(text).toContain('would work on #1: 2 tasks, by `codex`. Nothing has been started.');
    expect(text).toContain('1. one\n2. two');
    expect(text).toContain('no task of this repository has been done yet');
    expect(text).toContain(`\`/maestro approve ${hash}\``);
    expect(await world.runs()).toEqual([]);
    expect(world.enqueued).toEqual([]);
  });

  it('says what has to be mended instead, or that there is nothing to do', async () => {
    const world = await createWorld();
    expect(await say(world, '/maestro plan', { body: '- [x] done\n' })).toBe('refused: nothing-to-do');
    expect(await say(world, '/maestro plan playbook=x.md')).toBe('refused: not-found');
    expect(await say(world, '/maestro plan provider=mozart')).toBe('refused: unknown-provider');
    world.commits.set(HEAD, { [PATH]: '---\nspeed: presto\n---\n- [ ] one\n' });
    expect(await say(world, '/maestro plan playbook=a.md')).toBe('refused: bad-playbook');
  });

  it('has a playbook written where an issue holds no checklist', async () => {
    const world = await createWorld();
    await say(world, '/maestro plan provider=codex\nBe quick.', { body: 'They are low.', title: 'Tune the violins!' });
    const [run, ...others] = await world.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      title: 'Plan: Tune the violins!',
      plan: { path: '.maestro/playbooks/tune-the-violins.md' },
      playbook: { kind: 'issue', issue: 1 },
      provider: 'codex',
      instructions: 'Be quick.',
    });
    const [task, ...more] = await world.store.tasksOf(run!.id);
    expect(more).toEqual([]);
    expect(task?.text).toContain('They are low.');
    expect(task?.text).toContain('`.maestro/playbooks/tune-the-violins.md`');
  });

  it('has it written beside one of the same name', async () => {
    const world = await createWorld();
    world.commits.set(HEAD, { '.maestro/playbooks/tune.md': '- [ ] one\n' });
    await say(world, '/maestro plan', { body: 'They are low.', title: 'Tune' });
    expect((await world.runs())[0]?.plan?.path).toBe('.maestro/playbooks/tune-1.md');
  });
});

describe('/maestro approve', () => {
  it('starts exactly what was shown, once', async () => {
    const world = await createWorld();
    const hash = await shown(world, '/maestro plan provider=codex model=o5\nBe quick.');
    const payload = commentPayload(`/maestro approve ${hash}`, { commentId: 7, body: LIST });
    await world.deliver('issue_comment', payload);
    const [run] = await world.runs();
    expect(run).toMatchObject({
      trigger: { kind: 'command', commentId: 7 },
      provider: 'codex',
      model: 'o5',
      instructions: 'Be quick.',
      playbook: { kind: 'checklist', issue: 1, text: LIST },
    });
    // The same delivery again, after a tick changed the text.
    await world.deliver(
      'issue_comment',
      commentPayload(`/maestro approve ${hash}`, { commentId: 7, body: LIST.replace('[ ]', '[x]') }),
    );
    expect(await world.runs()).toHaveLength(1);
    expect(await say(world, `/maestro approve ${hash}`)).toBe('refused: already-running');
    expect(world.reactions).toContain('eyes on comment 7');
  });

  it('is refused once the text has changed', async () => {
    const world = await createWorld();
    const hash = await shown(world);
    expect(await say(world, `/maestro approve ${hash}`, { body: `${LIST}- [ ] three\n` })).toBe('refused: bad-command');
    expect([...world.comments.values()].at(-1)).toContain('has changed since');
    expect(await say(world, `/maestro approve ${hash}`, { body: `See ${PATH}` })).toBe('refused: bad-command');
    expect(await world.runs()).toEqual([]);
    await say(world, `/maestro approve ${hash}`);
    expect(await world.runs()).toHaveLength(1);
  });

  it('of a playbook is for the file as it was, on whatever commit', async () => {
    const world = await createWorld();
    world.commits.set(HEAD, { [PATH]: LIST });
    const hash = await shown(world, '/maestro plan playbook=a.md');
    world.branches.set('main', 'bb'.repeat(20));
    world.commits.set('bb'.repeat(20), { [PATH]: `${LIST}- [ ] three\n`, 'b.txt': '' });
    expect(await say(world, `/maestro approve ${hash}`)).toBe('refused: bad-command');
    world.commits.set('bb'.repeat(20), { [PATH]: LIST, 'b.txt': '' });
    await say(world, `/maestro approve ${hash}`);
    expect(await world.runs()).toMatchObject([
      { playbook: { kind: 'file', path: PATH }, base: { sha: 'bb'.repeat(20) } },
    ]);
  });

  it('counts in the thread where the plan was shown, for people who may start runs', async () => {
    const world = await createWorld();
    const hash = await shown(world);
    expect(await say(world, `/maestro approve ${hash}`, { sender: READER })).toBe('refused: not-permitted');
    expect(await say(world, `/maestro approve ${hash}`, { number: 2 })).toMatch(/^refused: /);
    expect(await say(world, '/maestro approve abcdefgh22')).toMatch(/^refused: /);
    expect(await say(world, `/maestro approve ${hash}`, { state: 'closed', at: NOON })).toBe('refused: bad-command');
    expect(await world.runs()).toEqual([]);
  });
});
