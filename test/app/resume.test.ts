import { describe, expect, it } from 'vitest';
import type { KeptSession } from '../../src/sessions/shelf.ts';
import { commentPayload, NOON, READER, REPOSITORY } from './payloads.ts';
import { createWorld, type World } from './world.ts';

const KEPT: KeptSession = {
  id: 'raaaaaaaaaaaaaaa-1-1',
  repository: { id: REPOSITORY.id, name: 'acme/orchestra' },
  provider: 'codex',
  conversation: '01a205fa-c85e-7182-8c0c-35dca2fd06e8',
  cwd: '/lane/repo',
  title: 'Tune the violins',
  startedAt: NOON - 2_000,
  endedAt: NOON - 1_000,
  imported: false,
  bytes: 10,
};

async function worldWith(...kept: readonly Partial<KeptSession>[]): Promise<World> {
  const world = await createWorld();
  world.kept.push(...kept.map((one) => ({ ...KEPT, ...one })));
  return world;
}

async function ask(world: World, options: string): Promise<string> {
  await world.deliver('issue_comment', commentPayload(`/maestro run ${options}`));
  return [...world.comments.values()].join();
}

describe('/maestro run resume=', () => {
  it.each([KEPT.conversation, KEPT.id])('goes on with the conversation %s, by its provider', async (id) => {
    const world = await worldWith({ id: 'rolder-1-1' }, {});
    world.kept.reverse();
    expect(await ask(world, `resume=${id}`)).toBe('');
    expect((await world.runs())[0]).toMatchObject({
      provider: 'codex',
      resume: { session: KEPT.id, conversation: KEPT.conversation },
    });
  });

  it('takes one that was imported, and the playbook that is named', async () => {
    const world = await worldWith({ id: 'import-x', imported: true });
    world.commits.set('aa'.repeat(20), { '.maestro/playbooks/a.md': '---\nprovider: claude\n---\n- [ ] one\n' });
    await ask(world, `playbook=a.md resume=${KEPT.conversation}`);
    expect((await world.runs())[0]).toMatchObject({ provider: 'codex', resume: { session: 'import-x' } });
  });

  it('is for writers', async () => {
    const world = await worldWith({});
    const asked = commentPayload(`/maestro run resume=${KEPT.id}`, { sender: READER });
    expect(await world.deliver('issue_comment', asked)).toBe('refused: not-permitted');
    expect(await world.runs()).toEqual([]);
  });

  it.each<[string, readonly Partial<KeptSession>[], string, string]>([
    [
      'one of another repository',
      [{ repository: { id: 999, name: 'acme/secret' } }],
      '',
      'is about another repository',
    ],
    ['what nobody knows', [], '', 'is kept for this repository. None is.'],
    [
      'what is not written out, naming it',
      [{}],
      ' cut',
      `There is \`${KEPT.conversation}\` (codex, 2026-03-01 11:59 UTC).`,
    ],
    ['another provider', [{}], ' provider=claude', "`claude` can't go on with it"],
  ])('refuses %s', async (_, kept, options, message) => {
    const world = await worldWith(...kept);
    const id = options === ' cut' ? KEPT.conversation.slice(0, 12) : KEPT.conversation;
    const said = await ask(world, `resume=${id}${options === ' cut' ? '' : options}`);
    expect(said).toContain(message);
    expect(said).not.toContain('acme/secret');
    expect(await world.runs()).toEqual([]);
    // The same request, where it may be made, is carried out.
    const allowed = await worldWith({});
    await ask(allowed, `resume=${KEPT.conversation}`);
    expect(await allowed.runs()).toHaveLength(1);
  });

  it('names the conversations most like what was written, each once', async () => {
    const world = await worldWith(
      ...['aaaa', 'bbbb', 'cccc', 'dddd', 'dddd'].map((conversation, at) => ({ id: `r${at}`, conversation })),
    );
    const said = await ask(world, 'resume=ccxx');
    expect(said).toMatch(/`cccc` \(codex,.*`aaaa` .*`bbbb` /);
    expect(said).not.toContain('dddd');
  });

  it('asks for one playbook where an issue names several', async () => {
    const world = await worldWith({});
    const body = 'Run .maestro/playbooks/a.md and .maestro/playbooks/b.md';
    await world.deliver('issue_comment', commentPayload(`/maestro run resume=${KEPT.id}`, { body }));
    expect([...world.comments.values()].join()).toContain('names several playbooks');
    expect(await world.runs()).toEqual([]);
  });
});
