import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, openProduct, type Product } from './product.ts';

describe('the product, down while things happen', () => {
  let product: Product;
  beforeAll(async () => {
    product = await openProduct();
  });
  afterAll(async () => {
    await product[Symbol.asyncDispose]();
  });

  it('asks for the 300 deliveries it missed when it is back, deals with each once, and asks no more', async () => {
    const { github } = product;
    const place = await product.repository();
    await github.control.hooksQuiet();
    const before = github.control.deliveries().length;
    const issues = await Promise.all(
      [1, 2, 3].map((n) => place.issue(`Thing ${n}`, `\`scripted: write ${n}.txt ${n}\``)),
    );
    for (let n = 0; n < 297; n += 1)
      await place.as('rory', `POST /issues/${issues[n % 3]}/comments`, { body: `Talk ${n}` });
    for (const issue of issues) await place.label(issue);
    await github.control.hooksQuiet();
    const failed = github.control
      .deliveries()
      .slice(before)
      .filter((one) => one.event === 'issue_comment' || one.action === 'labeled');
    expect(failed).toHaveLength(300);
    expect(failed.every((one) => one.statusCode === 502)).toBe(true);

    await product.start({ MAESTRO_SWEEP_SECONDS: '1', PRODUCT_WORKER: 'off' });
    const handled = (): readonly unknown[] =>
      product
        .log()
        .filter(({ msg }) => msg === 'delivery handled')
        .map(({ guid }) => guid);
    const guids = new Set<unknown>(failed.map(({ guid }) => guid));
    await eventually(
      'all of them handled',
      () => handled().filter((guid) => guids.has(guid)).length >= 300,
      product.log,
    );

    // A few more rounds, in which nothing is left to be asked for.
    const rounds = (): number =>
      github.control.requests().filter(({ operation }) => operation === 'apps/list-webhook-deliveries').length;
    const now = rounds();
    await eventually('more rounds', () => rounds() >= now + 2, product.log);
    expect(handled().filter((guid) => guids.has(guid))).toHaveLength(300);
    const asked = github.control.requests().filter(({ operation }) => operation === 'apps/redeliver-webhook-delivery');
    expect(asked).toHaveLength(300);
    const notes = product.log().map(({ note }) => String(note));
    expect(notes.filter((note) => /^run \w+ created$/.test(note))).toHaveLength(3);
    for (const issue of issues) expect(await place.labels(issue)).toContain('maestro-queued');
  }, 120_000);

  it('asks again for what failed again only after a pause', async () => {
    await product.kill();
    const { github } = product;
    const place = await product.repository();
    const issue = await place.issue('One', '`scripted: write a.txt a`');
    await place.label(issue);
    await github.control.hooksQuiet();
    const asks = (): number =>
      github.control.requests().filter(({ operation }) => operation === 'apps/redeliver-webhook-delivery').length;
    const before = asks();
    // GitHub can't reach us, though we reach it.
    github.control.setWebhookUrl('http://127.0.0.1:9/');
    await product.start({ MAESTRO_SWEEP_SECONDS: '1', PRODUCT_WORKER: 'off' });
    await eventually('a first round', () => asks() > before, product.log);
    const rounds = (): number =>
      github.control.requests().filter(({ operation }) => operation === 'apps/list-webhook-deliveries').length;
    const now = rounds();
    await eventually('more rounds', () => rounds() >= now + 3, product.log);

    expect(asks() - before).toBe(1);
  }, 60_000);
});
