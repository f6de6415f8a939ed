import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { signatureOf } from '../../app/signature-of.ts';
import { PLAYBOOKS, startApp, type App, type Place } from './app-on-local-github.ts';

/** Input nobody should send, and what its sender gets to see. Afterwards the app still does its work. */

let app: App;

beforeAll(async () => {
  app = await startApp();
});

afterAll(async () => {
  await app[Symbol.asyncDispose]();
});

afterEach(async () => {
  await app.assertSettled();
  const here = await app.newRepository();
  await here.label('will', await here.issue('Still there?'), 'maestro');
  if ((await here.runs()).length !== 1) throw new Error('the app has stopped working');
});

type Ask = (here: Place, number: number) => Promise<unknown>;

function say(body: string): Ask {
  return async (here, number) => await here.comment('will', number, body);
}

describe('posted to the front door', () => {
  const LABELED = '{"action":"labeled"}';

  it.each([
    ['without a signature that is one', LABELED, { signature: 'sha256=zz' }, 401, /malformed/],
    ['with a signature of another body', LABELED, { signature: signatureOf('{}', 'x') }, 401, /does not match/],
    ['with a SHA-1 signature', LABELED, { signature: `sha1=${'0'.repeat(40)}` }, 401, /malformed/],
    ['that is no JSON', '{"action":', {}, 400, /not JSON/],
    ['that is base64', Buffer.from(LABELED).toString('base64'), {}, 400, /not JSON/],
    ['that is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), {}, 400, /UTF-8/],
    ['in UTF-16', Buffer.from(LABELED, 'utf16le'), {}, 400, /NUL/],
    ['a million levels deep', '['.repeat(1_000_000), {}, 400, /deeper/],
    ['of 26 MB', Buffer.alloc(26 * 1024 * 1024, 0x20), {}, 413, /larger than/],
    ['with half of its fields', LABELED, {}, 202, /saved/],
    [
      'with fields of other kinds',
      '{"action":"labeled","issue":[],"repository":7,"installation":{"id":"x"}}',
      {},
      202,
      /saved/,
    ],
    ['with an action that is none', '{"action":{"a":1},"installation":{"id":1}}', {}, 202, /saved/],
    ['as an event nobody knows', '{}', { event: 'constructor' }, 202, /saved/],
  ])('a delivery %s', async (_, body, change, status, said) => {
    const before = (await app.store.listRuns()).length;
    const response = await app.post(body, change);
    expect(response.status).toBe(status);
    expect(await response.text()).toMatch(said);
    expect(await app.store.listRuns()).toHaveLength(before);
  });

  it('a delivery about a repository that is not there is kept and tried again, and starts nothing', async () => {
    const account = { id: 1, login: 'will', type: 'User' };
    const payload = {
      action: 'labeled',
      issue: { number: 1, title: 'a', body: '', state: 'open', labels: [], updated_at: '2026-03-01T12:00:00Z' },
      label: { name: 'maestro' },
      repository: { id: 999, name: 'gone', owner: { login: 'acme' }, default_branch: 'main' },
      installation: { id: app.github.installationId },
      sender: account,
    };
    expect((await app.post(JSON.stringify(payload))).status).toBe(202);
    const [delivery] = await app.store.pendingDeliveries(1e15, 10);
    expect(delivery).toMatchObject({ attempts: 1 });
    expect(await app.store.listRuns({ repositoryId: 999 })).toEqual([]);
    await app.store.settleDelivery(delivery!.guid, 'test is over');
  });
});

describe('pushed as a playbook', () => {
  it.each([
    ['front matter that is no YAML', '---\nprovider: [\n---\n- [ ] a\n', 'action_required'],
    ['front matter that never ends', '---\nprovider: codex\n- [ ] a\n', 'action_required'],
    ['a setting nobody knows', '---\nspeed: presto\n---\n- [ ] a\n', 'action_required'],
    ['a setting of another kind', '---\nparallel: many\n---\n- [ ] a\n', 'action_required'],
    ['a bomb of YAML aliases', '---\na: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n---\n- [ ] a\n', 'action_required'],
    ['a box without a text', '- [ ] a\n- [ ]\n', 'action_required'],
    ['brackets without a space', '- [ ] a\n- [] b\n', 'action_required'],
    ['a NUL', '- [ ] a\0b\n', 'action_required'],
    ['more than a thousand tasks', '- [ ] a\n'.repeat(1_001), 'action_required'],
    ['a provider nobody has', '---\nprovider: mozart\n---\n- [ ] a\n', 'neutral'],
    ['bytes that are no UTF-8', Buffer.from([0x2d, 0x20, 0xff, 0xfe]), 'neutral'],
    ['UTF-16', Buffer.from('\u{feff}- [ ] a\n', 'utf16le'), 'neutral'],
    ['two megabytes', `- [ ] a\n${'x'.repeat(2_000_000)}`, 'neutral'],
  ])('a text with %s is answered by a check on its commit', async (_, text, conclusion) => {
    const here = await app.newRepository();
    const sha = await here.write(`${PLAYBOOKS}/bad.md`, text);
    expect(await here.runs()).toEqual([]);
    const [check, ...others] = await here.checks(sha);
    expect(others).toEqual([]);
    expect(check?.conclusion).toBe(conclusion);
    const isPositioned = conclusion === 'action_required';
    expect((check?.output.annotations_count ?? 0) > 0).toBe(isPositioned);
    expect(/line \d+, column \d+/.test(check?.output.summary ?? '')).toBe(isPositioned);
  });

  it.each([
    '--upload-pack=touch x',
    '$(touch x); `touch y` | z',
    '../../../../etc/passwd',
    'a..b.lock@{1}~^:?*[\\',
    '-',
    'Ünïcödé 🎻 \u{202e}reversed',
  ])('a title like %j makes a plain branch name all the same', async (title) => {
    const here = await app.newRepository();
    const number = await here.issue(title);
    await here.label('will', number, 'maestro');
    const [run] = await here.runs();
    expect(run?.branch).toMatch(/^maestro\/[a-z0-9]+(?:-[a-z0-9]+)*$/);
  });
});

describe('asked for in an issue', () => {
  it.each<readonly [string, Ask, RegExp]>([
    ['a command nobody knows', say('/maestro dance'), /no command .*dance/],
    ['an option nobody knows', say('/maestro run speed=presto'), /speed/],
    ['an option without a value', say('/maestro run provider='), /provider/],
    ['an agent nobody has', say('/maestro run provider=mozart'), /no agent called/],
    [
      'a playbook outside of the repository',
      say('/maestro run playbook=../../etc/passwd'),
      /path inside the repository/,
    ],
    ['a file that is no playbook', say('/maestro run playbook=README.md/../x'), /path inside the repository/],
    ['a playbook that is not there', say('/maestro run playbook=x.md'), /There is no .*x\.md.* there are none/s],
    ['a command of sixty thousand characters', say(`/maestro run ${'x'.repeat(60_000)}`), /too long/],
    ['a stop where nothing goes', say('/maestro stop'), /No run is going/],
    [
      'a label for an agent nobody has',
      async (here, n) => await here.label('will', n, 'maestro:mozart'),
      /no agent called/,
    ],
    [
      'labels that contradict each other',
      async (here, n) => {
        await here.as('ada', `POST /issues/${n}/labels`, { labels: ['maestro:codex', 'maestro:mozart'] });
      },
      /different agents/,
    ],
  ])('%s is answered in one comment', async (_, ask, said) => {
    const here = await app.newRepository();
    const number = await here.issue('Tune the violins');
    await ask(here, number);
    const answers = await here.answers(number);
    expect(answers.length).toBeGreaterThan(0);
    expect(answers.every((answer) => said.test(answer.replaceAll(/&#\d+;/g, ' ')))).toBe(true);
    expect(await here.runs()).toEqual([]);
  });

  it('a checklist to mend is answered with lines and columns', async () => {
    const here = await app.newRepository();
    const number = await here.issue('Tune', '- [ ] a\n- [ ]\n');
    await here.label('will', number, 'maestro');
    expect(await here.answers(number)).toEqual([expect.stringMatching(/line 2, column \d+/)]);
  });

  it('anything in a repository without a commit is refused', async () => {
    const here = await app.newRepository({ empty: true });
    const number = await here.issue('Tune');
    await here.label('will', number, 'maestro');
    expect(await here.answers(number)).toEqual([expect.stringContaining('no commit on')]);
    expect(await here.runs()).toEqual([]);
  });
});
