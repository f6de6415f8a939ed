import { describe, expect, it } from 'vitest';
import { renderStatusComment } from '../../src/domain/report/status-comment.ts';
import type { Run } from '../../src/domain/run.ts';
import { commentPayload, editedPayload, NOON, READER, WRITER } from './payloads.ts';
import { createWorld, type World } from './world.ts';

const SELF = { id: 1000, login: 'maestro[bot]', type: 'Bot' };

/** A world with a run at work, and its status comment as GitHub shows it. */
async function working(state: Run['state'] = 'running'): Promise<{ world: World; run: Run; text: string }> {
  const world = await createWorld();
  await world.deliver('issue_comment', commentPayload('/maestro run', { body: '- [ ] one\n- [ ] two\n' }));
  const [queued] = await world.runs();
  world.store.change(queued!.id, { state, statusCommentId: 700 });
  const run = (await world.store.findRun(queued!.id))!;
  const tasks = await world.store.tasksOf(run.id);
  const said = renderStatusComment({ run, tasks, now: NOON });
  return { world, run, text: `${said}\n\n<!-- maestro:run/${run.id} 00ff -->` };
}

function tick(text: string, name: string): string {
  const ticked = text.replace(`- [ ] <!-- maestro:${name} -->`, `- [x] <!-- maestro:${name} -->`);
  expect(ticked).not.toBe(text);
  return ticked;
}

const edit = (before: string, after: string, options: Parameters<typeof editedPayload>[2] = {}) =>
  editedPayload(before, after, { commentId: 700, ...options });

describe('a box ticked in a status comment', () => {
  it('is the command of whoever ticked it, once for each edit, and is empty again', async () => {
    const { world, run, text } = await working();
    const payload = edit(text, tick(text, 'pause'));
    expect(await world.deliver('issue_comment', payload)).toBe(`pause asked of ${run.id}`);
    await world.deliver('issue_comment', payload);
    expect(await world.store.ordersOf(run.id, 0)).toMatchObject([{ by: 'wanda', order: { kind: 'pause' } }]);
    expect(world.comments.get(`1: run/${run.id}`)).toContain('- [ ] <!-- maestro:pause -->');
    expect(world.enqueued).toContain(run.id);
    expect((await world.store.auditOf(run.id)).map(({ action, actor }) => [action, actor])).toContainEqual([
      'pause asked for',
      'wanda',
    ]);
    await world.deliver('issue_comment', edit(text, tick(text, 'pause'), { at: NOON + 60_000 }));
    expect(await world.store.ordersOf(run.id, 0)).toHaveLength(2);
  });

  it('stops', async () => {
    const { world, run, text } = await working();
    await world.deliver('issue_comment', edit(text, tick(text, 'stop')));
    expect((await world.store.findRun(run.id))?.stop).toMatchObject({ by: 'wanda', reason: 'stopped by @wanda' });
    expect(world.comments.get(`1: run/${run.id}`)).not.toContain('- [ ]');
  });

  it('that is not valid any more is answered, not carried out', async () => {
    const { world, run, text } = await working();
    world.store.change(run.id, { state: 'succeeded' });
    expect(await world.deliver('issue_comment', edit(text, tick(text, 'pause')))).toBe('refused: bad-command');
    expect(await world.deliver('issue_comment', edit(text, tick(text, 'stop'), { at: NOON + 1 }))).toBe(
      'refused: no-run',
    );
    expect(await world.store.ordersOf(run.id, 0)).toEqual([]);
    expect([...world.comments.keys()].filter((key) => key.includes('refusal'))).toHaveLength(2);
    expect(world.reactions.filter((one) => one.startsWith('confused'))).toEqual([]);
  });

  it('by somebody without the role does nothing but tell them, and is empty again', async () => {
    const { world, run, text } = await working();
    const note = await world.deliver('issue_comment', edit(text, tick(text, 'stop'), { sender: READER }));
    expect(note).toBe('refused: not-permitted');
    expect((await world.store.findRun(run.id))?.stop).toBeUndefined();
    expect(world.comments.has(`1: run/${run.id}`)).toBe(true);
    expect(world.comments.has('1: refusal/not-permitted/12')).toBe(true);
  });

  it.each([
    ['ourselves', { sender: SELF }, 'ignored: own event'],
    ['a foreign bot', { sender: { id: 5, login: 'Copilot', type: 'Bot' } }, /^ignored: bot Copilot/],
    ['somebody in a comment of their own', { author: WRITER }, 'ignored: not a comment of ours'],
    ['somebody in a copy of the comment', { commentId: 701 }, /^ignored: not the status comment/],
    ['somebody in another thread', { number: 2 }, /^ignored: not the status comment/],
  ])('by %s does nothing, and nothing is written', async (_, options, note) => {
    const { world, run, text } = await working();
    const found = await world.deliver('issue_comment', edit(text, tick(text, 'stop'), options));
    expect(found).toMatch(note);
    expect((await world.store.findRun(run.id))?.stop).toBeUndefined();
    expect(world.comments.size).toBe(0);
  });

  it('leaves no other edit of the comment standing, the hidden line taken away included', async () => {
    const { world, run, text } = await working();
    expect(await world.deliver('issue_comment', edit(text, 'Nonsense.'))).toBe(
      'an edit of a status comment was undone',
    );
    expect(world.comments.get(`1: run/${run.id}`)).toContain('**Maestro** is working');
    expect(await world.store.ordersOf(run.id, 0)).toEqual([]);
  });
});
