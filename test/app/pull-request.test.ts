import { expect, it } from 'vitest';
import type { PullRequestState } from '../../src/forge/forge.ts';
import { labelPayload, pullClosedPayload } from './payloads.ts';
import { createWorld, type World } from './world.ts';

const PULL: PullRequestState = {
  number: 2,
  url: 'https://forge.test/acme/orchestra/pull/2',
  draft: true,
  open: false,
  merged: false,
  headSha: 'aa'.repeat(20),
  body: '',
};

/** A run that goes on and has opened pull request 2, which by now is as given. */
async function going(pull: Partial<PullRequestState> = {}): Promise<World> {
  const world = await createWorld();
  await world.deliver('issues', labelPayload('labeled', 'maestro'));
  const [run] = await world.runs();
  if (run === undefined) throw new Error('there is no run');
  world.store.change(run.id, { pullRequest: { number: 2, url: PULL.url, draft: true } });
  world.pulls.set(run.branch, { ...PULL, ...pull });
  return world;
}

it.each([
  ['closed', false],
  ['merged', true],
])('a pull request that is %s stops its run, in the name of who did it', async (how, merged) => {
  const world = await going();
  const note = await world.deliver('pull_request', pullClosedPayload({ merged }));
  const [run] = await world.runs();
  expect(note).toBe(`stop requested: ${run?.id ?? ''}`);
  expect(run?.stop).toMatchObject({ by: 'wanda', reason: `pull request #2 ${how} by @wanda` });
});

it('a pull request that is closed in the moment it is opened stops its run, whose record does not name it yet', async () => {
  const world = await going();
  const [run] = await world.runs();
  if (run !== undefined) world.store.change(run.id, { pullRequest: undefined });
  await world.deliver('pull_request', pullClosedPayload());
  expect((await world.runs())[0]?.stop).toMatchObject({ reason: 'pull request #2 closed by @wanda' });
});

it.each<[string, Parameters<typeof going>[0], number, string]>([
  ['another pull request', {}, 3, 'no run works on this pull request'],
  ['one that was opened again before we heard', { open: true }, 2, 'the pull request was opened again meanwhile'],
])('the closing of %s stops nothing', async (_, pull, number, words) => {
  const world = await going(pull);
  expect(await world.deliver('pull_request', pullClosedPayload({ number }))).toBe(`ignored: ${words}`);
  expect((await world.runs())[0]?.stop).toBeUndefined();
});

it('a repository over the limit gets an answer and no run', async () => {
  const world = await createWorld({ repositoryBytes: -1 });
  expect(await world.deliver('issues', labelPayload('labeled', 'maestro'))).toBe('refused: too-large');
  expect(await world.runs()).toEqual([]);
  expect([...world.comments.values()].join()).toContain('MAESTRO_REPOSITORY_MB');
});
