import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startLocalGithub, type LocalGithub } from '../../local-github/server.ts';
import { systemClock } from '../../src/domain/clock.ts';
import { watchFailpoints } from '../../src/telemetry/failpoint.ts';
import type { Repository } from '../../src/domain/repository.ts';
import { ForgeError, type CheckRequest } from '../../src/forge/forge.ts';
import { createGithubForge, type GithubForge } from '../../src/forge/github/github.ts';

/** The forge against a GitHub: what it makes is there once, whatever happens to the replies. */

const run = promisify(execFile);
const FILES = {
  'README.md': '# Demo\n',
  '.maestro/playbooks/one.md': '- [ ] do it\n',
  '.maestro/playbooks/deep/two.md': '- [ ] do that\n',
};

let github: LocalGithub;
let forge: GithubForge;
let repository: Repository;
let issue: number;
let counter = 0;

beforeAll(async () => {
  github = await startLocalGithub();
});

afterAll(async () => {
  await github.close();
});

/** Each test gets a repository, an issue and a forge of its own. */
beforeEach(async () => {
  counter += 1;
  github.control.clearFaults();
  const name = `demo-${counter}`;
  const users = { mira: 'maintain', will: 'write', tess: 'triage', rory: 'read', ada: 'admin' } as const;
  const { id } = await github.control.createRepository({ name, files: FILES, roles: users });
  repository = { id, owner: 'acme', name, installationId: github.installationId, defaultBranch: 'main' };
  issue = await openIssue('Please do it', '- [ ] one\n- [ ] two\n');
  forge = aForge();
});

function aForge(): GithubForge {
  return createGithubForge({
    app: { appId: github.app.id, privateKey: github.app.privateKey },
    baseUrl: github.apiUrl,
    markerSecret: 'a marker secret',
    log: pino({ level: 'silent' }),
    clock: systemClock,
    backoffMs: 5,
    writesPerMinute: 10_000,
    writesPerHour: 100_000,
    fetch: (input, init) => {
      const host = new URL(input instanceof Request ? input.url : input).hostname;
      if (host !== '127.0.0.1') throw new Error(`the forge asked ${host}`);
      return fetch(input, init);
    },
  });
}

function path(rest: string): string {
  return `/repos/acme/${repository.name}${rest}`;
}

async function openIssue(title: string, body: string): Promise<number> {
  const { number } = await github.as('will').call<{ number: number }>(`POST ${path('/issues')}`, { title, body });
  return number;
}

interface Comment {
  readonly id: number;
  readonly body: string;
  readonly user: { readonly login: string };
}

function comments(): Promise<Comment[]> {
  return github.as('will').call<Comment[]>(`GET ${path(`/issues/${issue}/comments?per_page=100`)}`);
}

async function labels(): Promise<string[]> {
  const found = await github.as('will').call<{ name: string }[]>(`GET ${path(`/issues/${issue}/labels`)}`);
  return found.map(({ name }) => name).sort();
}

function pulls(): Promise<{ number: number; draft: boolean; title: string; body: string }[]> {
  return github.as('will').call(`GET ${path('/pulls?state=all')}`);
}

/** Commits a file on a new branch, with the forge's own access, and gives the commit. */
async function push(branch: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'forge-contract-'));
  const { url, authorization } = await forge.gitAccess(repository);
  const git = async (...args: string[]): Promise<string> => {
    const identity = ['-c', 'user.name=Test', '-c', 'user.email=test@example.com'];
    const access = ['-c', `http.extraHeader=authorization: ${authorization}`];
    return (await run('git', [...identity, ...access, ...args], { cwd: directory })).stdout.trim();
  };
  try {
    await git('clone', '--quiet', url, '.');
    await git('checkout', '--quiet', '-b', branch);
    await writeFile(join(directory, 'work.txt'), branch);
    await git('add', '.');
    await git('commit', '--quiet', '-m', 'Work');
    await git('push', '--quiet', 'origin', branch);
    return await git('rev-parse', 'HEAD');
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function rejection(promise: Promise<unknown>): Promise<ForgeError> {
  const error: unknown = await promise.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (!(error instanceof ForgeError)) throw new Error(`expected a ForgeError, got ${String(error)}`);
  return error;
}

function writes(pattern: RegExp): number {
  return github.control
    .requests()
    .filter(
      ({ method, path }) => method !== 'GET' && path.includes(repository.name) && pattern.test(`${method} ${path}`),
    ).length;
}

describe('reading', () => {
  it('knows its own bot, also before it knows any repository', async () => {
    expect(await forge.self()).toEqual({ id: github.app.botUserId, login: 'maestro[bot]' });
  });

  it.each([
    ['ada', 'admin'],
    ['mira', 'maintain'],
    ['will', 'write'],
    ['tess', 'triage'],
    ['rory', 'read'],
    ['nell', /^(?:none|read)$/u],
  ])('knows the role of %s', async (login, role) => {
    expect(await forge.role(repository, login)).toMatch(role);
  });

  it('rejects for an account nobody knows, so that whoever asks refuses', async () => {
    expect((await rejection(forge.role(repository, 'nobody-of-that-name'))).kind).toBe('gone');
  });

  it('reads branches, files and directories at a commit', async () => {
    const sha = await forge.branchHead(repository, 'main');
    const later = await push('maestro/other');

    expect(sha).toMatch(/^[0-9a-f]{40}$/u);
    expect(await forge.branchHead(repository, 'maestro/other')).toBe(later);
    expect(await forge.branchHead(repository, 'maestro/none')).toBeUndefined();
    const file = await forge.readFile(repository, '.maestro/playbooks/one.md', sha ?? '');
    expect(file?.text).toBe('- [ ] do it\n');
    expect(await forge.readFile(repository, 'none.md', sha ?? '')).toBeUndefined();
    expect(await forge.readFile(repository, '.maestro', sha ?? '')).toBeUndefined();
    expect(await forge.listFiles(repository, '.maestro/playbooks', sha ?? '')).toEqual([
      expect.objectContaining({ path: '.maestro/playbooks/deep/two.md', size: 14 }),
      { path: '.maestro/playbooks/one.md', blob: file?.blob, size: 12 },
    ]);
    expect(await forge.listFiles(repository, '.none', sha ?? '')).toEqual([]);
  });

  it('finds no branch in a repository without commits', async () => {
    const { id, fullName } = await github.control.createRepository({ name: `empty-${counter}` });

    const empty = { ...repository, id, name: fullName.split('/')[1] ?? '' };

    expect(await forge.branchHead(empty, 'main')).toBeUndefined();
  });

  it('reads issues', async () => {
    expect(await forge.issue(repository, issue)).toMatchObject({
      number: issue,
      title: 'Please do it',
      body: '- [ ] one\n- [ ] two\n',
      open: true,
      author: { login: 'will' },
      isPullRequest: false,
    });
    expect(await forge.issue(repository, 999)).toBeUndefined();
  });
});

describe('the comment of a key', () => {
  it('is found by its id whatever somebody made of its text', async () => {
    const id = await forge.ensureComment(repository, issue, 'status', 'first');
    await github.as('ada').call(`PATCH ${path(`/issues/comments/${id}`)}`, { body: 'mine now' });
    const fresh = aForge();

    expect(await fresh.ensureComment(repository, issue, 'status', 'second', id)).toBe(id);
    expect((await comments()).map(({ body }) => body.split('\n')[0])).toEqual(['second']);
    await github.as('ada').request(`DELETE ${path(`/issues/comments/${id}`)}`);
    expect(await fresh.ensureComment(repository, issue, 'status', 'third', id)).not.toBe(id);
  });

  it('is made, edited when it differs, and left alone when it does not', async () => {
    const id = await forge.ensureComment(repository, issue, 'status', 'first');
    await forge.ensureComment(repository, issue, 'status', 'second');
    await forge.ensureComment(repository, issue, 'status', 'second');

    const [comment, ...others] = await comments();
    expect(others).toEqual([]);
    expect(comment?.id).toBe(id);
    expect(comment?.body).toMatch(/^second\n\n<!-- maestro:status [0-9a-f]{32} -->$/u);
    expect(writes(/PATCH .*comments/u)).toBe(1);
  });

  it('is found again by another process, behind hundreds of others', async () => {
    const id = await forge.ensureComment(repository, issue, 'status', 'first');
    for (let number = 0; number < 205; number++) {
      await github.as('will').call(`POST ${path(`/issues/${issue}/comments`)}`, { body: `comment ${number}` });
    }

    expect(await aForge().ensureComment(repository, issue, 'status', 'second')).toBe(id);
    const late = await aForge().ensureComment(repository, issue, 'late', 'hello');
    expect(await aForge().ensureComment(repository, issue, 'late', 'hello')).toBe(late);
  });

  it('is not what somebody else copied it to, nor what quotes it', async () => {
    const id = await forge.ensureComment(repository, issue, 'status', 'first');
    const marker = (await comments())[0]?.body.split('\n').at(-1) ?? '';
    await github.as('will').call(`POST ${path(`/issues/${issue}/comments`)}`, { body: `forged\n\n${marker}` });
    await forge.ensureComment(repository, issue, 'other', `the agent said: ${marker}`);

    expect(await aForge().ensureComment(repository, issue, 'status', 'second')).toBe(id);
    expect((await comments()).map(({ body }) => body.split('\n')[0])).toEqual([
      'second',
      'forged',
      `the agent said: ${marker}`,
    ]);
  });

  it('is made again when somebody deleted it', async () => {
    const id = await forge.ensureComment(repository, issue, 'status', 'first');
    await github.as('ada').request(`DELETE ${path(`/issues/comments/${id}`)}`);

    expect(await forge.ensureComment(repository, issue, 'status', 'first')).not.toBe(id);
    expect(await comments()).toHaveLength(1);
  });

  it('can not be in a thread that is gone', async () => {
    expect((await rejection(forge.ensureComment(repository, 999, 'status', 'first'))).kind).toBe('gone');
  });
});

describe('the pull request of a branch', () => {
  const request = { base: 'main', title: 'Do it', body: 'Some words', draft: true };

  it('is opened once, described, and taken out of draft', async () => {
    const headSha = await push('maestro/do-it-1');
    const opened = await forge.ensurePullRequest(repository, { ...request, head: 'maestro/do-it-1' });
    const again = await aForge().ensurePullRequest(repository, { ...request, head: 'maestro/do-it-1', title: 'Other' });
    await forge.describePullRequest(repository, opened.number, { title: 'Done', body: 'Other words' });
    await forge.describePullRequest(repository, opened.number, { title: 'Done', body: 'Other words' });
    await forge.markReady(repository, opened.number);
    await forge.markReady(repository, opened.number);

    expect(opened).toMatchObject({ draft: true, open: true, merged: false, headSha, body: 'Some words' });
    expect(again.number).toBe(opened.number);
    expect(await pulls()).toMatchObject([{ number: opened.number, draft: false, title: 'Done', body: 'Other words' }]);
    expect(writes(/PATCH .*pulls/u)).toBe(1);
    expect((await forge.issue(repository, opened.number))?.isPullRequest).toBe(true);
  });

  it('is made a draft again', async () => {
    await push('maestro/do-it-again');
    const opened = await forge.ensurePullRequest(repository, { ...request, head: 'maestro/do-it-again', draft: false });
    await forge.markDraft(repository, opened.number);
    await forge.markDraft(repository, opened.number);
    expect(await forge.findPullRequest(repository, 'maestro/do-it-again')).toMatchObject({ draft: true, open: true });
    await forge.markReady(repository, opened.number);
    expect(await forge.findPullRequest(repository, 'maestro/do-it-again')).toMatchObject({ draft: false });
    await github.as('will').call(`PATCH ${path(`/pulls/${opened.number}`)}`, { state: 'closed' });
    await forge.markDraft(repository, opened.number);
    expect(await forge.findPullRequest(repository, 'maestro/do-it-again')).toMatchObject({ draft: false, open: false });
  });

  it('is found when it is closed, and never opened a second time', async () => {
    await push('maestro/do-it-2');
    const opened = await forge.ensurePullRequest(repository, { ...request, head: 'maestro/do-it-2' });
    await github.as('will').call(`PATCH ${path(`/pulls/${opened.number}`)}`, { state: 'closed' });

    expect(await forge.findPullRequest(repository, 'maestro/do-it-2')).toMatchObject({
      number: opened.number,
      open: false,
    });
    expect((await forge.ensurePullRequest(repository, { ...request, head: 'maestro/do-it-2' })).open).toBe(false);
    expect(await pulls()).toHaveLength(1);
  });

  it('is not the one that somebody else opened from it, whose words stay theirs', async () => {
    const head = 'maestro/theirs-1';
    await push(head);
    await github.as('will').call(`POST ${path('/pulls')}`, { head, base: 'main', title: 'Mine', body: 'My words' });
    expect(await forge.findPullRequest(repository, head)).toBeUndefined();
    const error = await rejection(
      forge.ensurePullRequest(repository, { head, base: 'main', title: 'T', body: 'B', draft: true }),
    );
    expect(error.kind).toBe('invalid');
    expect(error.message).toContain('A pull request already exists');
    expect(await pulls()).toMatchObject([{ title: 'Mine', body: 'My words' }]);
  });

  it('can not be opened without a commit, and says so', async () => {
    const error = await rejection(forge.ensurePullRequest(repository, { ...request, head: 'maestro/none' }));

    expect(error.kind).toBe('invalid');
    expect(error.message).toContain('open a pull request from maestro/none to main');
    expect(await forge.findPullRequest(repository, 'maestro/none')).toBeUndefined();
  });
});

async function checks(sha: string) {
  const reply = await github.as('will').call<{
    check_runs: {
      id: number;
      status: string;
      conclusion: string | null;
      output: { annotations_count: number; text: string | null };
    }[];
  }>(`GET ${path(`/commits/${sha}/check-runs?filter=all`)}`);
  return reply.check_runs;
}

async function aCheck(change: Partial<CheckRequest> = {}): Promise<CheckRequest> {
  const headSha = (await forge.branchHead(repository, 'main')) ?? '';
  return {
    key: 'run-1',
    name: 'Maestro',
    headSha,
    status: 'in_progress',
    title: 'Working',
    summary: 'words',
    ...change,
  };
}

describe('the check of a key on a commit', () => {
  it('is made, updated, completed, and left alone when nothing changed', async () => {
    const check = await aCheck();
    const done = { ...check, status: 'completed', conclusion: 'success', title: 'Done' } as const;
    await forge.ensureCheck(repository, check);
    await aForge().ensureCheck(repository, check);
    await forge.ensureCheck(repository, done);
    await aForge().ensureCheck(repository, done);
    await forge.ensureCheck(repository, { ...check, key: 'run-2' });

    expect((await checks(check.headSha)).map(({ status, conclusion }) => [status, conclusion])).toEqual([
      ['in_progress', null],
      ['completed', 'success'],
    ]);
    expect(writes(/check-runs/u)).toBe(3);
  });

  it('keeps the text below its summary, and brings it up to date', async () => {
    const check = await aCheck({ text: 'first' });
    await forge.ensureCheck(repository, check);
    await aForge().ensureCheck(repository, check);
    expect(writes(/check-runs/u)).toBe(1);
    await forge.ensureCheck(repository, { ...check, text: 'second' });
    expect((await checks(check.headSha)).map(({ output }) => output.text)).toEqual(['second']);
  });

  it('carries any number of annotations, each once', async () => {
    const annotations = Array.from({ length: 120 }, (_, index) => ({
      path: 'README.md',
      line: index + 1,
      column: 1,
      message: `problem ${index}`,
    }));
    const check = await aCheck({ status: 'completed', conclusion: 'action_required', annotations });
    github.control.addFault({ kind: 'cut-after', method: 'PATCH', path: 'check-runs' });
    await forge.ensureCheck(repository, check);
    await aForge().ensureCheck(repository, check);

    expect((await checks(check.headSha)).map(({ output }) => output.annotations_count)).toEqual([120]);
  });
});

describe('the state label', () => {
  it('is one at a time, made with colour and description, beside the labels of people', async () => {
    await github.as('will').call(`POST ${path(`/issues/${issue}/labels`)}`, { labels: ['bug'] });
    await forge.setStateLabel(repository, issue, 'maestro-queued');
    await forge.setStateLabel(repository, issue, 'maestro-running');
    await forge.setStateLabel(repository, issue, 'maestro-running');

    expect(await labels()).toEqual(['bug', 'maestro-running']);
    expect(await github.as('will').call(`GET ${path('/labels/maestro-running')}`)).toMatchObject({
      color: '1d76db',
      description: 'Maestro is working on this',
    });

    await forge.setStateLabel(repository, issue, undefined);

    expect(await labels()).toEqual(['bug']);
  });
});

it('reacts once to an issue and to a comment', async () => {
  const id = await forge.ensureComment(repository, issue, 'status', 'first');
  for (let time = 0; time < 2; time++) {
    await forge.react(repository, { kind: 'issue', number: issue }, 'eyes');
    await forge.react(repository, { kind: 'comment', id }, 'rocket');
  }

  expect(await github.as('will').call(`GET ${path(`/issues/${issue}/reactions`)}`)).toHaveLength(1);
  expect(await github.as('will').call(`GET ${path(`/issues/comments/${id}/reactions`)}`)).toHaveLength(1);
});

describe("an issue's body", () => {
  it('is replaced while it is what was expected, and only then', async () => {
    const [before, after] = ['- [ ] one\n- [ ] two\n', '- [x] one\n- [ ] two\n'];

    expect(await forge.replaceIssueBody(repository, issue, before, after)).toBe(true);
    expect(await forge.replaceIssueBody(repository, issue, before, after)).toBe(true);
    expect(await forge.replaceIssueBody(repository, issue, before, 'other')).toBe(false);
    expect((await forge.issue(repository, issue))?.body).toBe(after);
    expect(writes(/PATCH .*issues/u)).toBe(1);
  });

  it('is not replaced over what somebody wrote while that waited for its turn', async () => {
    const before = '- [ ] one\n- [ ] two\n';
    using _ = watchFailpoints(async (point) => {
      if (point === 'tick.after-intent')
        await github.as('will').call(`PATCH ${path(`/issues/${issue}`)}`, { body: 'theirs' });
    });

    expect(await forge.replaceIssueBody(repository, issue, before, '- [x] one\n- [ ] two\n')).toBe(false);
    expect((await forge.issue(repository, issue))?.body).toBe('theirs');
  });
});

describe('a reply that is lost after the effect', () => {
  interface Case {
    readonly name: string;
    readonly method: string;
    readonly path: string;
    readonly act: () => Promise<unknown>;
    readonly count: () => Promise<number>;
  }
  const branch = 'maestro/lost-1';
  const aPull = () =>
    forge.ensurePullRequest(repository, { head: branch, base: 'main', title: 'T', body: 'B', draft: true });

  const cases: readonly Case[] = [
    {
      name: 'making a comment',
      method: 'POST',
      path: 'comments$',
      act: () => forge.ensureComment(repository, issue, 'status', 'first'),
      count: async () => (await comments()).length,
    },
    {
      name: 'editing a comment',
      method: 'PATCH',
      path: 'comments',
      act: async () => {
        await forge.ensureComment(repository, issue, 'status', 'first');
        await forge.ensureComment(repository, issue, 'status', 'second');
      },
      count: async () => (await comments()).filter(({ body }) => body.startsWith('second')).length,
    },
    {
      name: 'opening a pull request',
      method: 'POST',
      path: 'pulls$',
      act: aPull,
      count: async () => (await pulls()).length,
    },
    {
      name: 'describing a pull request',
      method: 'PATCH',
      path: 'pulls',
      act: async () => forge.describePullRequest(repository, (await aPull()).number, { title: 'New', body: 'New' }),
      count: async () => (await pulls()).filter(({ title }) => title === 'New').length,
    },
    {
      name: 'marking a pull request ready',
      method: 'POST',
      path: 'graphql',
      act: async () => forge.markReady(repository, (await aPull()).number),
      count: async () => (await pulls()).filter(({ draft }) => !draft).length,
    },
    {
      name: 'making a pull request a draft again',
      method: 'POST',
      path: 'graphql',
      act: async () => {
        await push('maestro/a-draft-again');
        const words = { base: 'main', title: 'Do it', body: 'Some words' };
        const ready = { ...words, head: 'maestro/a-draft-again', draft: false };
        const { number } = await forge.ensurePullRequest(repository, ready);
        await forge.markDraft(repository, number);
      },
      count: async () => (await pulls()).filter(({ draft }) => draft).length,
    },
    {
      name: 'making a check',
      method: 'POST',
      path: 'check-runs',
      act: async () => {
        const headSha = (await forge.branchHead(repository, branch)) ?? '';
        const check = { key: 'k', name: 'n', headSha, status: 'queued', title: 't', summary: 's' } as const;
        await forge.ensureCheck(repository, check);
      },
      count: async () => {
        const reply = await github
          .as('will')
          .call<{ total_count: number }>(`GET ${path(`/commits/${encodeURIComponent(branch)}/check-runs?filter=all`)}`);
        return reply.total_count;
      },
    },
    {
      name: 'adding a label to the repository',
      method: 'POST',
      path: 'labels$',
      act: () => forge.setStateLabel(repository, issue, 'maestro-done'),
      count: async () => (await labels()).length,
    },
    {
      name: 'taking a label off',
      method: 'DELETE',
      path: 'labels',
      act: async () => {
        await forge.setStateLabel(repository, issue, 'maestro-queued');
        await forge.setStateLabel(repository, issue, 'maestro-done');
      },
      count: async () => (await labels()).length,
    },
    {
      name: 'reacting',
      method: 'POST',
      path: 'reactions',
      act: () => forge.react(repository, { kind: 'issue', number: issue }, 'eyes'),
      count: async () => (await github.as('will').call<unknown[]>(`GET ${path(`/issues/${issue}/reactions`)}`)).length,
    },
    {
      name: 'editing an issue',
      method: 'PATCH',
      path: 'issues',
      act: async () => {
        expect(await forge.replaceIssueBody(repository, issue, '- [ ] one\n- [ ] two\n', 'new')).toBe(true);
      },
      count: async () => ((await forge.issue(repository, issue))?.body === 'new' ? 1 : 0),
    },
    {
      name: 'minting a token',
      method: 'POST',
      path: 'access_tokens',
      act: () => forge.react(repository, { kind: 'issue', number: issue }, 'eyes'),
      count: async () => (await github.as('will').call<unknown[]>(`GET ${path(`/issues/${issue}/reactions`)}`)).length,
    },
  ];

  beforeEach(async () => {
    await push(branch);
    forge = aForge();
  });

  it.each(cases)('when $name leaves exactly one thing', async ({ method, path, act, count }) => {
    github.control.addFault({ kind: 'cut-after', method, path });
    await act();

    expect(github.control.faults()).toEqual([]);
    expect(await count()).toBe(1);
  });

  it.each(cases)('and one lost before it, when $name, do too', async ({ method, path, act, count }) => {
    github.control.addFault({ kind: 'cut-before', method, path });
    github.control.addFault({ kind: 'cut-after', method, path });
    await act();

    expect(await count()).toBe(1);
  });

  it.each(cases)('and a 502 when $name is got over', async ({ method, path, act, count }) => {
    github.control.addFault({ kind: 'status', status: 502, method, path });
    await act();

    expect(github.control.faults()).toEqual([]);
    expect(await count()).toBe(1);
  });
});

it('gets over a few failures when reading, and reports more than that as unavailable', async () => {
  github.control.addFault({ kind: 'status', status: 503, method: 'GET', path: '/issues/', times: 2 });
  expect((await forge.issue(repository, issue))?.number).toBe(issue);

  github.control.addFault({ kind: 'status', status: 503, method: 'GET', path: '/issues/', times: 3 });
  expect((await rejection(forge.issue(repository, issue))).kind).toBe('unavailable');
});

describe('a limit', () => {
  it.each(['secondary-limit', 'primary-limit'] as const)(
    'of kind %s says until when, and nothing more is sent',
    async (kind) => {
      await forge.issue(repository, issue);
      github.control.addFault({ kind, path: '/issues/', retryAfter: 40, times: 10 });
      const error = await rejection(forge.ensureComment(repository, issue, 'status', 'first'));
      const sent = github.control.counts().requests;
      await rejection(forge.issue(repository, issue));

      expect(error.kind).toBe('limited');
      expect((error.retryAt ?? 0) - Date.now()).toBeGreaterThan(35_000);
      expect((error.retryAt ?? 0) - Date.now()).toBeLessThan(45_000);
      expect(github.control.counts().requests).toBe(sent);
    },
  );
});

describe('access', () => {
  it('is minted anew when the token expired', async () => {
    await forge.issue(repository, issue);
    github.control.expireTokens();

    expect((await forge.issue(repository, issue))?.number).toBe(issue);
    await forge.ensureComment(repository, issue, 'status', 'first');
    expect(await comments()).toHaveLength(1);
  });

  it('follows a rename by id, for requests and for git', async () => {
    await forge.ensureComment(repository, issue, 'status', 'first');
    const before = repository;
    github.control.renameRepository({ repository: `acme/${repository.name}`, name: `renamed-${counter}` });
    repository = { ...repository, name: `renamed-${counter}` };

    await forge.ensureComment(before, issue, 'status', 'second');

    expect((await comments()).map(({ body }) => body.split('\n')[0])).toEqual(['second']);
    expect(await forge.repository(before)).toEqual(repository);
    expect((await forge.gitAccess(before)).url).toBe(github.gitUrl('acme', `renamed-${counter}`));
  });

  it('to git is for one repository, and for contents only', async () => {
    const { authorization } = await forge.gitAccess(repository);
    const other = await github.control.createRepository({ name: `other-${counter}`, files: FILES, private: true });
    const ask = async (url: string): Promise<number> => (await fetch(url, { headers: { authorization } })).status;
    const token = Buffer.from(authorization.replace('basic ', ''), 'base64').toString('utf8').split(':')[1] ?? '';

    expect(await ask(`${github.url}/acme/${repository.name}.git/info/refs?service=git-receive-pack`)).toBe(200);
    expect(await ask(`${github.url}/${other.fullName}.git/info/refs?service=git-upload-pack`)).toBe(404);
    const reply = await fetch(`${github.apiUrl}${path(`/issues/${issue}/comments`)}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ body: 'x' }),
    });
    expect(reply.status).toBe(403);
  });

  it('finds the owner’s repository .github, as far as the App may read it', async () => {
    expect(await forge.dotGithub(repository)).toBeUndefined();
    const files = { 'a.txt': 'a\n' };
    const { id } = await github.control.createRepository({ name: '.github', files });
    try {
      const found = await aForge().dotGithub(repository);
      expect(found).toMatchObject({ id, owner: 'acme', name: '.github', defaultBranch: 'main' });
      expect(found && (await aForge().readFile(found, 'a.txt', found.defaultBranch))?.text).toBe('a\n');
      // Public, so that it is seen; what an installation does not cover is not read all the same.
      github.control.selectRepositories([`acme/${repository.name}`]);
      expect(await aForge().dotGithub(repository)).toBeUndefined();
    } finally {
      github.control.selectRepositories('all');
      await github.control.deleteRepository('acme/.github');
    }
  });

  it('ends when the repository leaves the installation', async () => {
    await forge.issue(repository, issue);
    await github.control.deleteRepository(`acme/${repository.name}`);

    expect((await rejection(forge.issue(repository, issue))).kind).toBe('gone');
    expect((await rejection(aForge().issue(repository, issue))).kind).toBe('gone');
  });

  it('is denied with the reason when a permission is missing', async () => {
    github.control.setPermissions({ metadata: 'read', contents: 'write', pull_requests: 'write', issues: 'write' });
    try {
      const error = await rejection(forge.issue(repository, issue));

      expect(error.kind).toBe('denied');
      expect(error.message).toContain("accept the App's new permissions");
    } finally {
      github.control.setPermissions({
        metadata: 'read',
        contents: 'write',
        pull_requests: 'write',
        issues: 'write',
        checks: 'write',
      });
    }
  });

  it('is denied while the installation is suspended', async () => {
    github.control.suspendInstallation();
    try {
      expect((await rejection(forge.issue(repository, issue))).kind).toBe('denied');
    } finally {
      github.control.unsuspendInstallation();
    }
    expect((await forge.issue(repository, issue))?.number).toBe(issue);
  });

  it('is given back when the forge closes', async () => {
    const { authorization, url } = await forge.gitAccess(repository);
    const ask = async (): Promise<number> =>
      (await fetch(`${url}/info/refs?service=git-receive-pack`, { headers: { authorization } })).status;

    expect(await ask()).toBe(200);

    await forge.close();

    expect(await ask()).toBe(401);
  });
});
