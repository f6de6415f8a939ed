import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, openProduct, type Product, type Remote, type RemotePull } from './product.ts';

const THREE =
  '- [ ] One `scripted: write 1.txt 1`\n- [ ] Two `scripted: write 2.txt 2`\n- [ ] Three `scripted: sleep 4s` `scripted: write 3.txt 3`\n';

describe('with database, queue, mirrors and lanes gone', () => {
  let product: Product;
  beforeAll(async () => {
    product = await openProduct();
  });
  afterAll(async () => {
    await product[Symbol.asyncDispose]();
  });

  /** Waits until so many tasks are committed, then kills everything and loses all that was remembered. */
  async function loseEverythingAfter(place: Remote, commits: number): Promise<RemotePull> {
    const pull = await eventually(
      `${commits} commits`,
      async () => {
        const [first] = await place.pulls();
        return first !== undefined && (await place.subjects(first.head.ref)).length > commits ? first : undefined;
      },
      product.log,
    );
    await product.kill();
    await product.wipe();
    return pull;
  }

  async function finished(place: Remote): Promise<RemotePull> {
    return await eventually(
      'the pull request to be ready',
      async () => (await place.pulls()).find(({ draft, body }) => !draft && !body.includes('still working')),
      product.log,
    );
  }

  const messages = (text: string): number => product.log().filter(({ msg }) => msg === text).length;

  it('a run of an issue goes on where it was: one branch, one pull request, one comment, no task twice', async () => {
    const place = await product.repository();
    await product.start();
    const issue = await place.issue('Three things', THREE);
    await place.label(issue);
    const before = await loseEverythingAfter(place, 2);
    await product.start();
    const after = await finished(place);

    expect(await place.pulls()).toHaveLength(1);
    expect(after.number).toBe(before.number);
    const subjects = await place.subjects(after.head.ref);
    expect(subjects.map((subject) => subject.split(' ', 1)[0])).toEqual(['Three', 'Two', 'One', 'Initial']);
    expect(await place.answers(issue)).toHaveLength(1);
    expect((await place.as<{ readonly body: string }>('ada', `GET /issues/${issue}`)).body).toBe(
      THREE.replaceAll('[ ]', '[x]'),
    );
    expect(messages('run rebuilt from its pull request')).toBe(1);
  }, 240_000);

  it('a run that was over is only recorded, and nothing of it is begun again', async () => {
    await product.kill();
    await product.wipe();
    await product.start({ MAESTRO_SCAN_SECONDS: '2' });
    await eventually('the record', () => messages('run rebuilt from its pull request') === 1, product.log);
    const scans = (): number =>
      product.github.control.requests().filter(({ operation }) => operation === 'apps/list-installations').length;
    const now = scans();
    await eventually('more scans', () => scans() >= now + 3, product.log);

    expect(product.log().filter(({ note }) => String(note).includes('created'))).toEqual([]);
    expect(messages('delivery given up')).toBe(0);
  }, 240_000);

  it('a run whose branch was pushed and whose pull request was not opened yet takes the branch over: no commit twice', async () => {
    await product.kill();
    await product.wipe();
    const place = await product.repository();
    await product.start({ MAESTRO_FAILPOINTS: 'pull-request.before-intent=kill' });
    const issue = await place.issue('Three things', THREE);
    await place.as('will', `POST /issues/${issue}/comments`, { body: '/maestro run' });
    await eventually('the end between push and pull request', () => product.isDown(), product.log);
    expect(await place.pulls()).toEqual([]);
    const [branch = ''] = await place.branches();
    const [before] = await place.as<readonly { readonly sha: string }[]>('ada', `GET /commits?sha=${branch}`);
    await product.wipe();
    // What is younger than half of this is left to its webhook.
    await product.start({ MAESTRO_SCAN_SECONDS: '2' });
    const after = await finished(place);

    expect(await place.branches()).toEqual([branch]);
    expect(after.head.ref).toBe(branch);
    const commits = await place.as<readonly { readonly sha: string }[]>('ada', `GET /commits?sha=${branch}`);
    expect(commits).toHaveLength(4);
    expect(commits[2]?.sha).toBe(before?.sha);
    const subjects = await place.subjects(branch);
    expect(subjects.map((subject) => subject.split(' ', 1)[0])).toEqual(['Three', 'Two', 'One', 'Initial']);
    expect(await place.pulls()).toHaveLength(1);
  }, 240_000);

  it('a run of a playbook goes on, and its push, found again, starts nothing', async () => {
    await product.kill();
    await product.wipe();
    const place = await product.repository();
    await product.start();
    const content = Buffer.from(THREE).toString('base64');
    await place.as('will', 'PUT /contents/.maestro/playbooks/three.md', { message: 'Add', content });
    const before = await loseEverythingAfter(place, 3);
    await product.start({ MAESTRO_SCAN_SECONDS: '2' });
    const after = await finished(place);

    expect(await place.pulls()).toHaveLength(1);
    expect(after.number).toBe(before.number);
    expect((await place.subjects(after.head.ref)).slice(0, 3).map((subject) => subject.split(' ', 1)[0])).toEqual([
      'Three',
      'Two',
      'One',
    ]);
    // The run's only comment comes with its end, after the description that says so.
    await eventually(
      'the last word',
      async () => (await place.labels(after.number)).includes('maestro-done'),
      product.log,
    );
    expect(await place.answers(after.number)).toHaveLength(1);
  }, 240_000);

  it('a run whose issue says something else now is stopped, and says why', async () => {
    await product.kill();
    await product.wipe();
    const place = await product.repository();
    await product.start();
    const issue = await place.issue('Three things', THREE);
    await place.label(issue);
    const before = await loseEverythingAfter(place, 2);
    await place.as('rory', `PATCH /issues/${issue}`, { body: THREE.replace('write 3.txt', 'write evil.txt') });
    await product.start();
    await eventually(
      'the word that it was stopped',
      async () => (await place.labels(issue)).includes('maestro-stopped'),
      product.log,
    );

    expect((await place.answers(issue)).join('\n')).toContain('lost its record');
    const subjects = await place.subjects(before.head.ref);
    expect(subjects).toHaveLength(3);
    expect(await place.answers(issue)).toHaveLength(1);
  }, 240_000);
});
