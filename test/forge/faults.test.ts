import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { ForgeError } from '../../src/forge/forge.ts';
import { BOT, createTestClock, DEMO, HANG, reply, startScriptedGithub } from './scripted-github.ts';

async function rejection(promise: Promise<unknown>): Promise<ForgeError> {
  const error = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ForgeError)) throw new Error(`expected a ForgeError, got ${inspect(error)}`);
  return error;
}

describe('a write without a usable reply', () => {
  it('is looked for before it is made again: half a reply to a comment', async () => {
    const comments: unknown[] = [];
    await using github = await startScriptedGithub(({ method, path, body }, response) => {
      if (method === 'GET' && path.includes('/comments?')) return comments;
      if (method !== 'POST' || !path.endsWith('/comments')) return undefined;
      comments.push({ id: 50, user: BOT, body: (JSON.parse(body) as { body: string }).body });
      response.writeHead(201, { 'content-type': 'application/json' });
      response.end('{"id": 50, "bo');
      return true;
    });

    const id = await github.forge().ensureComment(DEMO, 3, 'status', 'hello');

    expect(id).toBe(50);
    expect(github.matching(/^POST .*comments/u)).toHaveLength(1);
  });

  it('is made again when it did not happen, a bounded number of times', async () => {
    await using github = await startScriptedGithub(({ method, path }, response) =>
      method === 'POST' && path.endsWith('/comments') ? reply(response, 502, { message: 'Bad Gateway' }) : undefined,
    );

    const error = await rejection(github.forge().ensureComment(DEMO, 3, 'status', 'hello'));

    expect(error.kind).toBe('unavailable');
    expect(error.message).toBe('could not comment on #3 in octo/demo: GitHub answered 502');
    expect(github.matching(/^POST .*comments/u)).toHaveLength(3);
    expect(github.matching(/^GET .*comments/u)).toHaveLength(4);
  });
});

it('gives up on a request that gets no answer in time', async () => {
  await using github = await startScriptedGithub(({ path }) => (path.endsWith('/issues/3') ? HANG : undefined));

  const error = await rejection(github.forge({ timeoutMs: 50 }).issue(DEMO, 3));

  expect(error.kind).toBe('unavailable');
  expect(github.matching(/issues\/3/u)).toHaveLength(3);
});

describe('a limit', () => {
  it('stops all requests of the installation until it ends', async () => {
    const clock = createTestClock();
    let limited = true;
    await using github = await startScriptedGithub(({ path }, response) => {
      if (!path.endsWith('/issues/3')) return undefined;
      if (!limited) return { number: 3, title: 't', body: null, state: 'open', user: BOT, labels: [] };
      return reply(response, 403, { message: 'You have exceeded a secondary rate limit' }, { 'retry-after': '30' });
    });
    const forge = github.forge({ clock });

    const first = await rejection(forge.issue(DEMO, 3));
    const before = github.requests.length;
    const second = await rejection(forge.issue(DEMO, 3));

    expect(first.kind).toBe('limited');
    expect(first.retryAt).toBeGreaterThan(clock.now() + 25_000);
    expect(second.retryAt).toBe(first.retryAt);
    expect(github.requests).toHaveLength(before);

    limited = false;
    clock.advance(31_000);

    expect((await forge.issue(DEMO, 3))?.title).toBe('t');
  });

  it.each([
    [429, {}, 60_000],
    [403, { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': String(Math.floor(Date.now() / 1000) + 600) }, 600_000],
  ])('of status %i is understood', async (status, headers, wait) => {
    const clock = createTestClock();
    await using github = await startScriptedGithub(({ path }, response) =>
      path.endsWith('/issues/3') ? reply(response, status, { message: 'limit' }, headers) : undefined,
    );

    const { kind, retryAt = 0 } = await rejection(github.forge({ clock }).issue(DEMO, 3));

    expect(kind).toBe('limited');
    expect(Math.abs(retryAt - clock.now() - wait)).toBeLessThan(10_000);
  });
});

describe('a token', () => {
  it('is for one repository and what it needs only, and serves many requests', async () => {
    await using github = await startScriptedGithub(() => undefined);
    const forge = github.forge();

    await Promise.all([forge.issue(DEMO, 3), forge.issue(DEMO, 4), forge.branchHead(DEMO, 'main')]);
    await forge.gitAccess(DEMO);

    const bodies = github.matching(/access_tokens/u).map(({ body }) => JSON.parse(body) as unknown);
    expect(bodies).toEqual([
      {
        permissions: { metadata: 'read', contents: 'read', issues: 'write', pull_requests: 'write', checks: 'write' },
        repository_ids: [1],
      },
      { permissions: { metadata: 'read', contents: 'write' }, repository_ids: [1] },
    ]);
  });

  it('is minted anew five minutes before it ends', async () => {
    const clock = createTestClock();
    await using github = await startScriptedGithub(() => undefined);
    const forge = github.forge({ clock });

    await forge.gitAccess(DEMO);
    clock.advance(54 * 60_000);
    const early = await forge.gitAccess(DEMO);
    clock.advance(2 * 60_000);
    const late = await forge.gitAccess(DEMO);

    expect(early.authorization).not.toBe(late.authorization);
    expect(github.matching(/access_tokens/u)).toHaveLength(2);
  });

  it('that GitHub has withdrawn is not given to git', async () => {
    let withdrawn = '';
    await using github = await startScriptedGithub(({ authorization }, response) =>
      authorization !== undefined && authorization === withdrawn
        ? reply(response, 401, { message: 'Bad credentials' })
        : undefined,
    );
    const forge = github.forge();
    const early = await forge.gitAccess(DEMO);
    withdrawn = `token ${Buffer.from(early.authorization.slice('basic '.length), 'base64').toString().split(':')[1] ?? ''}`;

    const late = await forge.gitAccess(DEMO);

    expect(late.authorization).not.toBe(early.authorization);
  });

  it('that GitHub refuses is replaced once', async () => {
    await using github = await startScriptedGithub(({ path }, response) =>
      path.endsWith('/issues/3') ? reply(response, 401, { message: 'Bad credentials' }) : undefined,
    );

    const error = await rejection(github.forge().issue(DEMO, 3));

    expect(error.kind).toBe('denied');
    expect(github.matching(/issues\/3/u)).toHaveLength(2);
    expect(github.matching(/access_tokens/u)).toHaveLength(2);
  });

  it('that GitHub refuses to requests under way together is replaced once for all of them', async () => {
    const late = Promise.withResolvers<undefined>();
    await using github = await startScriptedGithub(async ({ path, authorization }, response) => {
      if (!path.includes('/issues/')) return undefined;
      const isOld = authorization.includes('token-1-of');
      // The second hears of it when the first goes by the new token already.
      if (isOld && path.endsWith('/issues/4')) await late.promise;
      if (!isOld && path.endsWith('/issues/3')) late.resolve(undefined);
      return isOld
        ? reply(response, 401, { message: 'Bad credentials' })
        : reply(response, 422, { message: 'Validation Failed' });
    });
    const forge = github.forge();

    await Promise.all([rejection(forge.issue(DEMO, 3)), rejection(forge.issue(DEMO, 4))]);

    expect(github.matching(/issues\/4/u)).toHaveLength(2);
    expect(github.matching(/access_tokens/u)).toHaveLength(2);
  });

  it('is in no error, however it is printed', async () => {
    await using github = await startScriptedGithub(({ path }, response) =>
      path.endsWith('/issues/3') ? reply(response, 422, { message: 'Validation Failed' }) : undefined,
    );

    const error = await rejection(github.forge().issue(DEMO, 3));

    expect(github.matching(/issues\/3/u)[0]?.authorization).toContain('token-1-of');
    expect(inspect(error, { depth: 20, showHidden: true })).not.toContain('token-1-of');
  });

  it('is taken out of what is published', async () => {
    await using github = await startScriptedGithub(({ method, path }) =>
      method === 'POST' && path.endsWith('/comments') ? { id: 50 } : undefined,
    );
    const forge = github.forge({ secrets: () => ['a model key'] });

    await forge.gitAccess(DEMO);
    await forge.ensureComment(DEMO, 3, 'status', 'see token-1-of-the-installation and a model key');

    expect(github.matching(/^POST .*comments/u)[0]?.body).toContain('see [redacted] and [redacted]');
  });

  it('is revoked when the forge closes', async () => {
    await using github = await startScriptedGithub(({ path }, response) => {
      if (path !== '/installation/token') return undefined;
      response.writeHead(204).end();
      return true;
    });
    const forge = github.forge();

    await forge.repository(DEMO);
    await forge.gitAccess(DEMO);
    await forge.close();

    expect(github.matching(/^DELETE \/installation\/token/u)).toHaveLength(2);
  });

  it.each([
    [401, 'A JSON web token could not be decoded', 'denied', "does not accept the App's id and private key"],
    [404, 'Not Found', 'gone', 'the App is not installed there any more'],
    [403, 'This installation has been suspended', 'denied', 'has been suspended'],
    [
      422,
      'The permissions requested are not granted to this installation.',
      'denied',
      "accept the App's new permissions",
    ],
    [422, 'There is at least one repository that does not exist', 'gone', 'not part of the installation any more'],
  ] as const)('that is refused with %i %s is reported as %s', async (status, message, kind, words) => {
    await using github = await startScriptedGithub(({ path }, response) =>
      path.endsWith('/access_tokens') ? reply(response, status, { message }) : undefined,
    );

    const error = await rejection(github.forge().issue(DEMO, 3));

    expect(error.kind).toBe(kind);
    expect(error.message).toContain(words);
  });
});

describe('a repository that was renamed', () => {
  it.each([301, 404])('is found again by its id after a %i', async (status) => {
    let name = 'demo';
    await using github = await startScriptedGithub(({ path }, response) => {
      if (path === '/repositories/1') return { id: 1, name, owner: { login: 'octo' }, default_branch: 'main' };
      if (path.startsWith('/repos/octo/demo/') && name !== 'demo') {
        return reply(response, status, { message: 'Moved' }, status === 301 ? { location: 'http://127.0.0.1:9/' } : {});
      }
      return path.endsWith('/issues/3')
        ? { number: 3, title: name, body: '', state: 'open', user: BOT, labels: [] }
        : undefined;
    });
    const forge = github.forge();

    await forge.issue(DEMO, 3);
    name = 'renamed';

    expect((await forge.issue(DEMO, 3))?.title).toBe('renamed');
    expect((await forge.gitAccess(DEMO)).url).toBe(`${new URL(github.baseUrl).origin}/octo/renamed.git`);
  });

  it('is gone when its id is not known any more, which is not the same as a missing issue', async () => {
    let gone = false;
    await using github = await startScriptedGithub(({ path }, response) =>
      gone && path === '/repositories/1' ? reply(response, 404, { message: 'Not Found' }) : undefined,
    );
    const forge = github.forge();

    expect(await forge.issue(DEMO, 3)).toBeUndefined();

    gone = true;
    expect((await rejection(forge.issue(DEMO, 3))).kind).toBe('gone');
  });
});

it('makes one comment of many that are asked for at once under one key', async () => {
  const comments: { id: number; user: unknown; body: string }[] = [];
  await using github = await startScriptedGithub(({ method, path, body }) => {
    if (method === 'GET' && path.includes('/comments?')) return comments;
    if (method === 'GET' && path.endsWith('/comments/50')) return comments[0];
    if (method === 'PATCH') return comments[0];
    if (method !== 'POST' || !path.endsWith('/comments')) return undefined;
    comments.push({ id: 50, user: BOT, body: (JSON.parse(body) as { body: string }).body });
    return comments[0];
  });
  const forge = github.forge();

  await Promise.all([1, 2, 3, 4].map(() => forge.ensureComment(DEMO, 3, 'status', 'hello')));

  expect(github.matching(/^POST .*comments/u)).toHaveLength(1);
  expect(github.matching(/^PATCH/u)).toHaveLength(0);
});

it('sends no more writes in a minute than it may', async () => {
  await using github = await startScriptedGithub(({ path }) => (path.includes('/reactions') ? { id: 1 } : undefined));
  const clock = createTestClock();
  const forge = github.forge({ writesPerMinute: 2, clock });

  expect(forge.writeRoom()).toBe(1);
  await forge.react(DEMO, { kind: 'issue', number: 1 }, 'eyes');
  expect(forge.writeRoom()).toBe(0.5);
  await forge.react(DEMO, { kind: 'issue', number: 2 }, 'eyes');
  expect(forge.writeRoom()).toBe(0);
  const third = forge.react(DEMO, { kind: 'issue', number: 3 }, 'eyes');
  await new Promise((resolve) => setTimeout(resolve, 200));

  expect(github.matching(/reactions/u)).toHaveLength(2);

  clock.advance(60_000);
  await third;

  expect(github.matching(/reactions/u)).toHaveLength(3);
  expect(forge.writeRoom()).toBe(0.5);
});
