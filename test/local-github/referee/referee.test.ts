import { describe, expect, it } from 'vitest';
import { createReferee } from '../../../local-github/referee/referee.ts';
import type { RestRequest } from '../../../local-github/referee/requests.ts';
import { restExample, webhookExample } from './examples.ts';

const referee = createReferee();

function aRequest(overrides: Partial<RestRequest> = {}): RestRequest {
  return {
    method: 'POST',
    path: '/repos/octo/app/issues',
    body: { title: 'Add a page' },
    actor: 'installation',
    ...overrides,
  };
}

function messages(violations: readonly { readonly message: string }[]): readonly string[] {
  return violations.map(({ message }) => message);
}

describe('requests', () => {
  it.each<[string, RestRequest]>([
    [
      'an issue with labels of both kinds',
      aRequest({ body: { title: 'x', labels: ['bug', { name: 'later' }], assignee: null } }),
    ],
    ['a path with the prefix of GitHub Enterprise', aRequest({ path: '/api/v3/repos/octo/app/issues' })],
    [
      'a file whose path holds slashes',
      aRequest({ method: 'GET', path: '/repos/o/r/contents/.maestro/playbooks/a.md', body: undefined }),
    ],
    [
      'a file whose path is escaped',
      aRequest({ method: 'GET', path: '/repos/o/r/contents/.github%2Fmaestro.yml', query: 'ref=abc', body: undefined }),
    ],
    [
      'the root of a repository',
      aRequest({ method: 'GET', path: '/repos/o/r/contents', query: 'ref=abc', body: undefined }),
    ],
    [
      'a ref that holds slashes',
      aRequest({ method: 'GET', path: '/repos/o/r/git/ref/heads/maestro/x-1', body: undefined }),
    ],
    [
      'numbers and booleans in a query',
      aRequest({ method: 'GET', path: '/repos/o/r/pulls', query: '?state=all&per_page=100&page=2', body: undefined }),
    ],
    [
      'an empty body where none is expected',
      aRequest({ method: 'PUT', path: '/app/installations/1/suspended', body: {}, actor: 'app' }),
    ],
    [
      'a narrowed token',
      aRequest({
        path: '/app/installations/1/access_tokens',
        actor: 'app',
        body: { repositories: ['app'], permissions: { contents: 'write' } },
      }),
    ],
    [
      'a check run with output',
      aRequest({
        path: '/repos/o/r/check-runs',
        body: {
          name: 'Maestro',
          head_sha: 'abc',
          status: 'completed',
          conclusion: 'success',
          output: { title: 't', summary: 's' },
        },
      }),
    ],
  ])('accepts %s', (_, request) => {
    expect(referee.checkRequest(request)).toEqual([]);
  });

  it.each<[string, RestRequest, string]>([
    ['an operation GitHub does not have', aRequest({ path: '/repos/o/r/isues' }), 'no such operation'],
    ['a missing body', aRequest({ body: undefined }), 'is missing'],
    ['an empty body', aRequest({ body: {} }), "required property 'title'"],
    ['an unknown property', aRequest({ body: { title: 'x', lables: [] } }), '"lables", which GitHub does not know'],
    [
      'an unknown property within',
      aRequest({
        path: '/repos/o/r/check-runs',
        body: { name: 'x', head_sha: 'a', output: { title: 't', summary: 's', txt: '' } },
      }),
      '"txt", which GitHub does not know',
    ],
    ['a wrong type', aRequest({ body: { title: 'x', body: 7 } }), 'must be string'],
    [
      'a value out of its list',
      aRequest({ method: 'PATCH', path: '/repos/o/r/issues/1', body: { state: 'shut' } }),
      'must be one of ["open","closed"]',
    ],
    ['null where it is not allowed', aRequest({ body: { title: 'x', labels: null } }), 'must be array'],
    [
      'an unknown query parameter',
      aRequest({ method: 'GET', path: '/repos/o/r/pulls', query: 'pr_page=100', body: undefined }),
      '"pr_page", which GitHub does not know',
    ],
    [
      'a query value of the wrong type',
      aRequest({ method: 'GET', path: '/repos/o/r/pulls', query: { per_page: 'all' }, body: undefined }),
      'must be integer',
    ],
    [
      'a body where none is expected',
      aRequest({ method: 'DELETE', path: '/repos/o/r/issues/1/labels/bug', body: { name: 'bug' } }),
      'GitHub expects none',
    ],
    [
      'a path parameter of the wrong type',
      aRequest({ method: 'GET', path: '/repos/o/r/issues/first', body: undefined }),
      'must be integer',
    ],
  ])('refuses %s', (_, request, expected) => {
    expect(messages(referee.checkRequest(request)).join('; ')).toContain(expected);
  });

  it('says which operation and where in the body', () => {
    const [violation] = referee.checkRequest(aRequest({ body: { title: 'x', assignees: [1] } }));

    expect(violation?.where).toBe('request POST /repos/octo/app/issues (issues/create), body /assignees/0');
  });

  it('knows who may call what', () => {
    const user = { method: 'GET', path: '/user' };
    const app = { method: 'GET', path: '/app' };
    const lookup = { method: 'GET', path: '/repos/o/r/installation' };
    const repository = { method: 'GET', path: '/repos/o/r' };

    expect(referee.checkRequest({ ...user, actor: 'user' })).toEqual([]);
    expect(messages(referee.checkRequest({ ...user, actor: 'installation' }))).toEqual(['is not open to GitHub Apps']);
    expect(referee.checkRequest({ ...app, actor: 'app' })).toEqual([]);
    expect(messages(referee.checkRequest({ ...app, actor: 'installation' })).join()).toContain("takes the App's JWT");
    expect(referee.checkRequest({ ...lookup, actor: 'app' })).toEqual([]);
    expect(referee.checkRequest({ ...repository, actor: 'installation' })).toEqual([]);
    expect(messages(referee.checkRequest({ ...repository, actor: 'app' })).join()).toContain(
      'takes an installation token',
    );
  });
});

describe('responses', () => {
  const issues = { method: 'POST', path: '/repos/octo/app/issues' };

  it("accepts GitHub's own examples", () => {
    const issue = restExample('issue');

    expect(referee.checkResponse({ ...issues, status: 201, body: issue })).toEqual([]);
    expect(referee.checkResponse({ ...issues, status: 422, body: { message: 'x', documentation_url: 'y' } })).toEqual(
      [],
    );
    expect(
      referee.checkResponse({
        method: 'GET',
        path: '/repos/o/r/git/ref/heads/a/b',
        status: 200,
        body: restExample('git-ref'),
      }),
    ).toEqual([]);
  });

  it('refuses what lacks a field or has one of the wrong type', () => {
    const { node_id: _, ...issue } = restExample('issue');

    const lacking = referee.checkResponse({ ...issues, status: 201, body: issue });
    const wrong = referee.checkResponse({ ...issues, status: 201, body: { ...restExample('issue'), number: '1' } });

    expect(messages(lacking)).toEqual(["must have required property 'node_id'"]);
    expect(messages(wrong)).toEqual(['must be integer']);
  });

  it('allows null in nullable fields only', () => {
    const issue = restExample('issue');

    expect(
      referee.checkResponse({ ...issues, status: 201, body: { ...issue, milestone: null, closed_at: null } }),
    ).toEqual([]);
    expect(messages(referee.checkResponse({ ...issues, status: 201, body: { ...issue, title: null } }))).toEqual([
      'must be string',
    ]);
  });

  it('refuses a status GitHub does not answer, but takes any error in the usual words', () => {
    expect(messages(referee.checkResponse({ ...issues, status: 200, body: restExample('issue') })).join()).toContain(
      'GitHub answers 201',
    );
    expect(referee.checkResponse({ ...issues, status: 429, body: { message: 'slow down' } })).toEqual([]);
    expect(messages(referee.checkResponse({ ...issues, status: 429, body: { message: 7 } }))).toEqual([
      'must be string',
    ]);
    expect(referee.checkResponse({ ...issues, path: '/repos/o/r/nonsense', status: 404, body: {} })).toEqual([]);
  });

  it('refuses a body with 204, and none with 200', () => {
    const label = { method: 'DELETE', path: '/repos/o/r/labels/bug' };

    expect(referee.checkResponse({ ...label, status: 204 })).toEqual([]);
    expect(messages(referee.checkResponse({ ...label, status: 204, body: {} })).join()).toContain('must not');
    expect(messages(referee.checkResponse({ method: 'GET', path: '/repos/o/r', status: 200 })).join()).toContain(
      'has no body',
    );
  });

  it('does not judge what is not JSON', () => {
    const raw = { method: 'GET', path: '/repos/o/r/contents/a.md', status: 200, body: '# A' };

    expect(referee.checkResponse({ ...raw, contentType: 'application/vnd.github.raw' })).toEqual([]);
    expect(referee.checkResponse({ ...raw, contentType: 'application/json' })).not.toEqual([]);
  });

  it("forgives what is the document's own mistake, and nothing beside it", () => {
    const list = { method: 'GET', path: '/app/installations', status: 200 };
    const [installation] = restExample('base-installation-items') as unknown as [Record<string, unknown>];

    expect(referee.checkResponse({ ...list, body: [installation] })).toEqual([]);
    expect(referee.checkResponse({ ...list, body: [{ ...installation, id: 'one' }] })).toHaveLength(1);
  });
});

describe('webhooks', () => {
  it("accepts GitHub's own example and refuses it with a field changed", () => {
    const payload = webhookExample('check-run-completed');

    expect(referee.checkWebhook({ event: 'check_run', payload })).toEqual([]);
    expect(messages(referee.checkWebhook({ event: 'check_run', payload: { ...payload, sender: 'me' } }))).toEqual([
      'must be object',
    ]);
    expect(
      messages(referee.checkWebhook({ event: 'check_run', payload: { ...payload, repository: undefined } })),
    ).not.toEqual([]);
  });

  it('refuses events and actions GitHub does not send', () => {
    expect(messages(referee.checkWebhook({ event: 'issue', payload: {} }))).toEqual(['GitHub sends no such event']);
    expect(messages(referee.checkWebhook({ event: 'issues', payload: { action: 'labelled' } }))).toEqual([
      'GitHub sends no such event',
    ]);
    expect(
      messages(referee.checkWebhook({ event: 'pull_request', payload: { action: 'ready_for_review' } }))[0],
    ).toContain('required property');
  });
});

it('is ready within 1.5 s and answers within milliseconds once it knows an operation', () => {
  const start = performance.now();
  const fresh = createReferee();
  fresh.checkRequest(aRequest());
  const ready = performance.now() - start;

  const again = performance.now();
  for (let i = 0; i < 100; i += 1) fresh.checkRequest(aRequest());
  const each = (performance.now() - again) / 100;

  expect(ready).toBeLessThan(1500);
  expect(each).toBeLessThan(5);
});
