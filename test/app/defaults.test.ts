import { describe, expect, it } from 'vitest';
import { ForgeError } from '../../src/forge/forge.ts';
import { blobOf } from './memory-forge.ts';
import { labelPayload, pushPayload, sha } from './payloads.ts';
import { createWorld, type World } from './world.ts';

const FILE = '.github/maestro.yml';
const GOOD = 'verify: npm test\ntimeout: 20m\n';
const BROKEN = 'verfiy: npm run all\n';
const MAIN = 'aa'.repeat(20);

/** A world whose default branch holds a file of defaults; without one when it is undefined. */
async function withFile(text: string | undefined): Promise<World> {
  const world = await createWorld();
  change(world, text);
  return world;
}

function change(world: World, text: string | undefined): void {
  world.commits.set(MAIN, text === undefined ? {} : { [FILE]: text });
}

function push(from: string, to: string): Record<string, unknown> {
  return pushPayload({ before: sha(from), after: sha(to) });
}

async function pushed(world: World, from: string, to: string, files: Readonly<Record<string, string>>): Promise<void> {
  world.commits.set(sha(from), world.commits.get(sha(from)) ?? {});
  world.commits.set(sha(to), files);
  world.branches.set('main', sha(to));
  await world.deliver('push', push(from, to));
}

let moment = Date.parse('2026-03-01T12:00:00Z');

/** Has an issue labelled and gives the run that came of it. */
async function run(world: World, number: number) {
  moment += 60_000;
  world.hasIssue({ number });
  const note = await world.deliver('issues', labelPayload('labeled', 'maestro', { number, at: moment }));
  const found = (await world.runs()).find(({ trigger }) => trigger.kind === 'label' && trigger.issue === number);
  if (found === undefined) throw new Error(note);
  return found;
}

describe('defaults of a repository', () => {
  it('count for a run, and the run says where they came from', async () => {
    expect(await run(await withFile(GOOD), 1)).toMatchObject({
      settings: { verify: ['npm test'], timeout: 1_200_000 },
      defaults: [
        { level: 'repository', repository: 'acme/orchestra', blob: blobOf(GOOD), settings: ['verify', 'timeout'] },
      ],
    });
    const plain = await run(await withFile(undefined), 1);
    expect([plain.settings, plain.defaults]).toEqual([{}, undefined]);
  });

  it('name the provider of a run for which nobody else names one', async () => {
    const world = await withFile('provider: [codex, scripted]\n');
    expect(await run(world, 1)).toMatchObject({ provider: 'codex', fallbacks: ['scripted'] });
    const refused = await withFile('provider: nobody\n');
    await refused.deliver('issues', labelPayload('labeled', 'maestro'));
    expect(await refused.runs()).toEqual([]);
    expect([...refused.comments.values()].join()).toContain('nobody');
  });

  it('go on as they last were while the newest version is broken, and the run remembers why', async () => {
    const world = await withFile(GOOD);
    await run(world, 1);
    change(world, BROKEN);
    expect(await run(world, 2)).toMatchObject({
      settings: { verify: ['npm test'] },
      defaults: [{ blob: blobOf(GOOD), broken: { count: 1, first: { line: 1, column: 1 } } }],
    });
    change(world, `${GOOD}effort: low\n`);
    const mended = await run(world, 3);
    expect(mended.settings).toMatchObject({ effort: 'low' });
    expect(mended.defaults?.[0]?.broken).toBeUndefined();
    change(world, undefined);
    expect((await run(world, 4)).settings).toEqual({});
    change(world, BROKEN);
    const without = await run(world, 5);
    expect([without.settings, without.defaults?.[0]?.blob]).toEqual([{}, undefined]);
  });

  it('are not guessed while GitHub gives no answer', async () => {
    const world = await withFile(GOOD);
    world.failures.readFile = [new ForgeError('unavailable', 'down')];
    await world.deliver('issues', labelPayload('labeled', 'maestro'));
    expect(await world.runs()).toEqual([]);
    world.clock.advance(3_600_000);
    world.inbox.wake();
    await world.inbox.idle();
    expect((await world.runs()).map(({ settings }) => settings.verify)).toEqual([['npm test']]);
  });

  it('that are no text at all are a problem like others', async () => {
    const world = await withFile('caf\uFFFD: 1\n');
    expect((await run(world, 1)).defaults).toMatchObject([{ settings: [], broken: { count: 1 } }]);
  });
});

describe('defaults of an organisation', () => {
  const DOT_GITHUB = { id: 77, owner: 'acme', name: '.github', installationId: 5, defaultBranch: 'trunk' };

  /** A world whose owner has defaults as well. */
  async function withBoth(own: string | undefined, shared: string): Promise<World> {
    const world = await withFile(own);
    world.dotGithub.push(DOT_GITHUB);
    world.commits.set('trunk', { [FILE]: shared });
    return world;
  }

  it('count where neither playbook nor repository says anything', async () => {
    const world = await withBoth('timeout: 5m\n', 'timeout: 1h\neffort: high\nverify: make check\n');
    world.hasIssue({ number: 1, body: '---\nverify: []\n---\n- [ ] one\n' });
    const body = '---\nverify: []\n---\n- [ ] one\n';
    await world.deliver('issues', labelPayload('labeled', 'maestro', { body }));
    const [found] = await world.runs();
    expect(found?.settings).toEqual({ verify: [], timeout: 300_000, effort: 'high' });
    expect(found?.defaults?.map(({ repository, settings }) => [repository, settings])).toEqual([
      ['acme/orchestra', ['timeout']],
      ['acme/.github', ['effort']],
    ]);
  });

  it('go on as they last were when broken, whatever becomes of the repository’s own', async () => {
    const world = await withBoth('timeout: 5m\n', 'effort: high\n');
    await run(world, 1);
    world.commits.set('trunk', { [FILE]: 'efort: low\n' });
    const found = await run(world, 2);
    expect(found.settings).toEqual({ timeout: 300_000, effort: 'high' });
    expect(found.defaults).toMatchObject([{ level: 'repository' }, { level: 'organisation', broken: { count: 1 } }]);
  });
});

describe('a push to the default branch that breaks the defaults', () => {
  it('gets a check that names line, column and what to write, once for each broken version', async () => {
    const world = await createWorld();
    await pushed(world, 'one', 'two', { [FILE]: BROKEN });
    expect(world.checks).toMatchObject([
      {
        name: `Maestro: ${FILE}`,
        headSha: sha('two'),
        conclusion: 'action_required',
        annotations: [{ path: FILE, line: 1, column: 1 }],
      },
    ]);
    expect(world.checks[0]?.summary).toContain('Did you mean `verify`?');
    await pushed(world, 'two', 'three', { [FILE]: BROKEN, 'a.txt': 'a' });
    expect(world.checks).toHaveLength(1);
    await pushed(world, 'three', 'four', { [FILE]: `${BROKEN}colour: red\n` });
    expect(world.checks).toHaveLength(2);
    await pushed(world, 'four', 'five', { [FILE]: GOOD });
    expect(world.checks).toHaveLength(2);
  });

  it('leaves what counted before, though no run had seen that yet', async () => {
    const world = await createWorld();
    await pushed(world, 'one', 'two', { [FILE]: GOOD });
    await pushed(world, 'two', 'three', { [FILE]: BROKEN });
    expect((await run(world, 1)).settings).toMatchObject({ verify: ['npm test'] });
  });

  it('does not go back to a version older than the last good one, in whatever order the events come', async () => {
    const world = await createWorld();
    world.commits.set(sha('one'), {});
    await pushed(world, 'two', 'three', { [FILE]: GOOD });
    world.commits.set(sha('two'), { [FILE]: 'verify: old\n' });
    await world.deliver('push', push('one', 'two'));
    await pushed(world, 'three', 'four', { [FILE]: BROKEN });
    expect((await run(world, 1)).settings).toMatchObject({ verify: ['npm test'] });
  });

  it('on another branch is nobody’s business', async () => {
    const world = await createWorld();
    world.commits.set(sha('two'), { [FILE]: BROKEN });
    await world.deliver('push', pushPayload({ before: sha('one'), after: sha('two'), ref: 'refs/heads/feature' }));
    expect(world.checks).toEqual([]);
    world.commits.set(sha('three'), { [FILE]: 'verify: theirs\n' });
    await world.deliver('push', pushPayload({ before: sha('two'), after: sha('three'), ref: 'refs/heads/feature' }));
    expect((await run(world, 1)).settings).toEqual({});
  });
});
