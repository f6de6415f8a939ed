import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createGate } from './gate.ts';
import type { Place } from './place.ts';
import { eventually, openProduct, type Logged, type Product, type Remote } from './product.ts';
import { useHarness } from './suite.ts';

const PLAYBOOK = '.maestro/playbooks';

async function write(place: Remote, path: string, text: string, login = 'will'): Promise<void> {
  const content = Buffer.from(text).toString('base64');
  await place.as(login, `PUT /contents/${path}`, { message: `Write ${path}`, content });
}

describe('work whose webhook never came', () => {
  let product: Product;
  beforeAll(async () => {
    product = await openProduct();
    await product.start({ MAESTRO_SCAN_SECONDS: '2', PRODUCT_WORKER: 'off' });
  });
  afterAll(async () => {
    await product[Symbol.asyncDispose]();
  });

  /** What the product noted of the runs it made since it was started: no worker is there to go on with them. */
  const made = (): readonly Logged[] =>
    product.log().filter(({ msg, note }) => msg === 'delivery handled' && /\brun \w+ created/.test(String(note)));

  /** Waits for scans that began after now. */
  const scans = async (count: number): Promise<void> => {
    const listed = (): number =>
      product.github.control.requests().filter(({ operation }) => operation === 'apps/list-installations').length;
    const before = listed();
    await eventually('more scans', () => listed() >= before + count, product.log);
  };

  it('is found in a scan: labels, playbooks and commands, each of which is one run', async () => {
    const { control } = product.github;
    const place = await product.repository();
    control.addFault({ kind: 'drop-hook', event: 'issues.labeled', every: 2, times: 2 });
    control.addFault({ kind: 'drop-hook', event: 'issue_comment.created', every: 2, times: 1 });
    const issues: number[] = [];
    for (let n = 0; n < 4; n += 1) issues.push(await place.issue(`Label ${n}`, `\`scripted: write l${n}.txt x\``));
    for (const issue of issues) await place.label(issue);
    const asked = [
      await place.issue('Command 1', '`scripted: write c1.txt x`'),
      await place.issue('Command 2', '`scripted: write c2.txt x`'),
    ];
    for (const issue of asked) await place.as('will', `POST /issues/${issue}/comments`, { body: '/maestro run' });
    await write(place, `${PLAYBOOK}/heard.md`, '- [ ] Write `scripted: write heard.txt x`\n');
    control.addFault({ kind: 'drop-hook', event: 'push', times: 1 });
    await write(place, `${PLAYBOOK}/unheard.md`, '- [ ] Write `scripted: write unheard.txt x`\n');

    await eventually('eight runs', () => made().length >= 8, product.log);
    await scans(2);
    expect(made()).toHaveLength(8);
    // Two labels, a command and a playbook.
    expect(made().filter(({ guid }) => String(guid).startsWith('found:'))).toHaveLength(4);
    for (const issue of issues) expect(await place.labels(issue)).toContain('maestro-queued');
    for (const issue of [...issues, ...asked]) expect(await place.answers(issue)).toEqual([]);
  }, 120_000);

  it('is not done again when its webhook comes after all', async () => {
    const { control } = product.github;
    const place = await product.repository();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await control.hooksQuiet();
    const before = made().length;
    // Held back until GitHub's queue is asked to be quiet.
    control.addFault({ kind: 'reorder-hooks', event: 'issues.labeled', times: 100 });
    control.addFault({ kind: 'reorder-hooks', event: 'push', times: 100 });
    await place.label(issue);
    await write(place, `${PLAYBOOK}/late.md`, '- [ ] Write `scripted: write late.txt x`\n');
    await eventually('both runs', () => made().length >= before + 2, product.log);
    const late = control.deliveries().filter(({ action }) => action === 'labeled').length;
    control.clearFaults();
    await control.hooksQuiet();
    expect(control.deliveries().filter(({ action }) => action === 'labeled').length).toBeGreaterThan(late);
    await scans(2);

    expect(made()).toHaveLength(before + 2);
    const notes = product.log().map(({ note }) => note);
    expect(notes.filter((note) => note === 'ignored: found and dealt with before').length).toBeGreaterThanOrEqual(2);
  }, 120_000);

  it('is not started for somebody who may not, nor on a text that changed since', async () => {
    const { control } = product.github;
    const place = await product.repository();
    await control.hooksQuiet();
    control.addFault({ kind: 'drop-hook', event: 'issues.labeled', times: 1 });
    control.addFault({ kind: 'drop-hook', event: 'issue_comment.created', times: 1 });
    await product.stop();
    const byReader = await place.issue('By a reader', '`scripted: write a.txt a`');
    await place.as('rory', `POST /issues/${byReader}/comments`, { body: '/maestro run' });
    const changed = await place.issue('Changed', '`scripted: write b.txt b`');
    await place.label(changed);
    // Longer than times of one moment may differ.
    await pause(3_100);
    await place.as('rory', `PATCH /issues/${changed}`, { body: '`scripted: write evil.txt b`' });
    await product.start({ MAESTRO_SCAN_SECONDS: '2', PRODUCT_WORKER: 'off' });

    const told = async (issue: number): Promise<string> => (await place.answers(issue)).join('\n');
    await eventually(
      'an answer to the reader',
      async () => (await told(byReader)).includes('needs the role'),
      product.log,
    );
    await eventually(
      'an answer to the writer',
      async () => (await told(changed)).includes('has changed since'),
      product.log,
    );
    await scans(2);
    expect(made()).toEqual([]);
    expect(await place.answers(changed)).toHaveLength(1);
    expect(await place.answers(byReader)).toHaveLength(1);
  }, 120_000);

  it('is left alone when it is older than the App there', async () => {
    const { control } = product.github;
    const place = await product.repository();
    control.uninstall();
    const issue = await place.issue('Old', '`scripted: write a.txt a`');
    await place.label(issue);
    await write(place, `${PLAYBOOK}/old.md`, '- [ ] Write `scripted: write old.txt x`\n');
    await pause(1_100);
    control.install('acme');
    await scans(2);

    expect(made()).toEqual([]);
  }, 120_000);
});

describe('the end of a run whose webhook never came', () => {
  const suite = useHarness({ runner: 'local', env: { MAESTRO_SCAN_SECONDS: '2' } });

  it.each<[string, string, (place: Place, issue: number) => Promise<void>, string]>([
    [
      'its label taken off',
      'issues.unlabeled',
      async (place, issue) => place.unlabel(issue),
      'Label removed by @will.',
    ],
    [
      'its issue closed',
      'issues.closed',
      async (place, issue) => void (await place.as('will', `PATCH /issues/${issue}`, { state: 'closed' })),
      'Issue closed by @will.',
    ],
    [
      'its pull request closed',
      'pull_request.closed',
      async (place) => void (await place.as('will', 'PATCH /pulls/2', { state: 'closed' })),
      'Pull request #2 closed by @will.',
    ],
  ])('%s is found in a scan, and the run is stopped as the webhook would have it', async (_, event, act, words) => {
    const place = await suite.place();
    const { control } = suite.harness().github;
    const gate = createGate();
    const issue = await place.issue(
      'Two things',
      `- [ ] First \`scripted: write 1.txt 1\`\n- [ ] Second \`scripted: write 2.txt 2\` ${gate.directives}\n`,
    );
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    await place.until('the pull request', async () => (await place.pulls())[0]);
    await control.hooksQuiet();
    control.addFault({ kind: 'drop-hook', event, times: 1 });
    await act(place, issue);

    const run = await place.settledRun();
    expect(control.faults()).toEqual([]);
    expect(run).toMatchObject({ state: 'stopped', stop: { by: 'will' } });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'cancelled']);
    const [status = ''] = await place.answers(issue);
    expect(status.replaceAll('&#8203;', '')).toContain(words);
  });
});
