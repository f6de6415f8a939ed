import { describe, expect, it } from 'vitest';
import { blobOf } from './memory-forge.ts';
import { NO_COMMIT, pushPayload, READER, sha } from './payloads.ts';
import { createWorld, type World } from './world.ts';

const PATH = '.maestro/playbooks/tune.md';
const OPEN = '# Tune\n\n- [ ] Strings\n- [ ] Brass\n';
const HALF = OPEN.replace('[ ]', '[x]');
const DONE = HALF.replace('[ ]', '[x]');
const OURS = 'Tune strings\n\nMaestro-Run: raaaaaaaaaaaaaaa\nMaestro-Task: 1/2\n';

/** A world whose default branch went from one set of files to another. */
async function pushed(
  before: Readonly<Record<string, string>> | undefined,
  after: Readonly<Record<string, string>>,
): Promise<World> {
  const world = await createWorld();
  if (before !== undefined) world.commits.set(sha('before'), before);
  world.commits.set(sha('after'), after);
  world.branches.set('main', sha('after'));
  return world;
}

const PUSH = { before: sha('before'), after: sha('after') };

describe('a push to the default branch', () => {
  it('runs the playbook it brought, though the payload lists no file (threat S14)', async () => {
    const world = await pushed({}, { [PATH]: OPEN, 'src/a.md': OPEN });
    await world.deliver('push', pushPayload(PUSH));
    const [run, ...others] = await world.runs();
    expect(others).toEqual([]);
    expect(run).toMatchObject({
      title: 'Tune',
      trigger: { kind: 'push', path: PATH, blob: blobOf(OPEN), after: sha('after') },
      playbook: { kind: 'file', path: PATH, text: OPEN },
      base: { ref: 'main', sha: sha('after') },
    });
    expect(world.enqueued).toEqual([run!.id]);
  });

  it('runs each playbook it changed, and those alone', async () => {
    const dir = '.maestro/playbooks';
    const world = await pushed(
      { [`${dir}/a.md`]: OPEN, [`${dir}/same.md`]: OPEN, [`${dir}/old.md`]: '- [ ] move me\n' },
      {
        [`${dir}/a.md`]: `${OPEN}- [ ] Wood\n`,
        [`${dir}/same.md`]: OPEN,
        [`${dir}/b/c.md`]: OPEN,
        [`${dir}/new.md`]: '- [ ] move me\n',
      },
    );
    await world.deliver('push', pushPayload(PUSH));
    const paths = (await world.runs()).map((run) => (run.playbook.kind === 'file' ? run.playbook.path : ''));
    expect(paths.toSorted()).toEqual([`${dir}/a.md`, `${dir}/b/c.md`]);
  });

  it('runs the playbooks of a branch that is new', async () => {
    const world = await pushed(undefined, { [PATH]: OPEN });
    await world.deliver('push', pushPayload({ ...PUSH, before: NO_COMMIT }));
    expect(await world.runs()).toHaveLength(1);
  });

  it('gives one run for any number of deliveries of it', async () => {
    const world = await pushed({}, { [PATH]: OPEN });
    for (let copy = 0; copy < 4; copy += 1) await world.deliver('push', pushPayload(PUSH));
    expect(await world.runs()).toHaveLength(1);
  });

  it('leaves a playbook to the push that changed it again, whichever event comes first (fault F06)', async () => {
    const first = pushPayload({ before: sha('before'), after: sha('middle') });
    const second = pushPayload({ before: sha('middle'), after: sha('after') });
    for (const order of [
      [first, second],
      [second, first],
    ]) {
      const world = await pushed({}, { [PATH]: `${OPEN}- [ ] Wood\n` });
      world.commits.set(sha('middle'), { [PATH]: OPEN });
      for (const payload of order) await world.deliver('push', payload);
      const runs = await world.runs();
      expect(runs.map((run) => run.trigger)).toEqual([expect.objectContaining({ after: sha('after') })]);
    }
  });
});

describe('a push that starts nothing', () => {
  it.each([
    ['to another branch', { ref: 'refs/heads/feature/x' }, 'not the default branch'],
    ['to a branch of ours', { ref: 'refs/heads/maestro/tune-abc' }, 'a branch of ours'],
    ['of a tag', { ref: 'refs/tags/main' }, 'not a branch'],
    ['that deletes the branch', { after: NO_COMMIT }, 'the branch was deleted'],
    ['of ours', { sender: { id: 1000, login: 'maestro[bot]', type: 'Bot' } }, 'own event'],
    ['of a foreign bot', { sender: { id: 1, login: 'x[bot]', type: 'Bot' } }, 'allow-list'],
  ])('%s', async (_, options, reason) => {
    const world = await pushed({}, { [PATH]: OPEN });
    expect(await world.deliver('push', pushPayload({ ...PUSH, ...options }))).toContain(reason);
    expect(await world.runs()).toEqual([]);
    expect(world.checks).toEqual([]);
  });

  it('by somebody without the role', async () => {
    const world = await pushed({}, { [PATH]: OPEN });
    expect(await world.deliver('push', pushPayload({ ...PUSH, sender: READER }))).toBe('refused: not-permitted (read)');
    expect(await world.runs()).toEqual([]);
  });

  it.each([
    ['a playbook that is done', DONE],
    ['a text without a task', '# About these playbooks\n'],
    ['an empty file', ''],
  ])('of %s', async (_, text) => {
    const world = await pushed({}, { [PATH]: text });
    expect(await world.deliver('push', pushPayload(PUSH))).toContain('nothing open');
    expect(world.checks).toEqual([]);
  });
});

describe('merging our own pull request', () => {
  it('of a finished run starts nothing', async () => {
    const world = await pushed({ [PATH]: OPEN }, { [PATH]: DONE });
    await world.deliver('push', pushPayload({ ...PUSH, messages: [OURS, 'Merge pull request #2'] }));
    expect(await world.runs()).toEqual([]);
  });

  it('of an unfinished run does not start its open tasks all over again', async () => {
    const world = await pushed({ [PATH]: OPEN }, { [PATH]: HALF });
    const note = await world.deliver('push', pushPayload({ ...PUSH, messages: [OURS, 'Merge pull request #2'] }));
    expect(note).toContain('only ticks of ours');
    expect(await world.runs()).toEqual([]);
  });

  it('starts what is open when a person changed the playbook too', async () => {
    const world = await pushed({ [PATH]: OPEN }, { [PATH]: `${HALF}- [ ] Wood\n` });
    await world.deliver('push', pushPayload({ ...PUSH, messages: [OURS] }));
    const [run] = await world.runs();
    expect((await world.store.tasksOf(run!.id)).map((task) => task.title)).toEqual(['Brass', 'Wood']);
  });

  it('but a person who ticks a box goes on with the rest', async () => {
    const world = await pushed({ [PATH]: OPEN }, { [PATH]: HALF });
    await world.deliver('push', pushPayload({ ...PUSH, messages: ['I did the strings'] }));
    expect(await world.runs()).toHaveLength(1);
  });
});

describe('a push is answered by a check run on its commit', () => {
  it('with an annotation for each problem of the playbook', async () => {
    const world = await pushed({}, { [PATH]: '- [ ] fine\n- [ ]\n' });
    expect(await world.deliver('push', pushPayload(PUSH))).toContain('refused: bad-playbook');
    expect(world.checks).toEqual([
      expect.objectContaining({
        headSha: sha('after'),
        conclusion: 'action_required',
        annotations: [expect.objectContaining({ path: PATH, line: 2 })],
      }),
    ]);
  });

  it.each([
    ['names a provider nobody has', '---\nprovider: mozart\n---\n- [ ] a\n', /mozart/],
    ['is not UTF-8', '- [ ] caf\u{fffd}\n', /UTF-8/],
  ])('when the playbook %s', async (_, text, said) => {
    const world = await pushed({}, { [PATH]: text });
    await world.deliver('push', pushPayload(PUSH));
    expect(world.checks).toEqual([
      expect.objectContaining({ conclusion: 'neutral', summary: expect.stringMatching(said) as unknown }),
    ]);
    expect(await world.runs()).toEqual([]);
  });

  it('when a run of the playbook is going', async () => {
    const world = await pushed({}, { [PATH]: OPEN });
    await world.deliver('push', pushPayload(PUSH));
    const [run] = await world.runs();
    world.commits.set(sha('later'), { [PATH]: `${OPEN}- [ ] Wood\n` });
    world.branches.set('main', sha('later'));
    await world.deliver('push', pushPayload({ before: sha('after'), after: sha('later') }));
    expect(world.checks).toEqual([
      expect.objectContaining({ headSha: sha('later'), summary: expect.stringContaining(run!.id) as unknown }),
    ]);
  });

  it('for the playbooks beyond the most that one push starts', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 25 }, (_, index) => [`.maestro/playbooks/${index}.md`, OPEN + index]),
    );
    const world = await pushed({}, files);
    await world.deliver('push', pushPayload(PUSH));
    expect(await world.runs()).toHaveLength(20);
    expect(world.checks).toHaveLength(5);
  });
});
