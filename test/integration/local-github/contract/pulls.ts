import { expect, it } from 'vitest';
import { refused } from '../support.ts';
import { branchWithCommit, unique } from './target.ts';
import type { Target } from './target.ts';

/** Pull requests, merging, checks. */
export function pullsContract(target: () => Target): void {
  function at() {
    return { owner: target().owner, repo: target().repo };
  }

  async function opened(draft = false) {
    const { branch, sha } = await branchWithCommit(target());
    const { data } = await target().installation.rest.pulls.create({
      ...at(),
      head: branch,
      base: 'main',
      title: branch,
      draft,
    });
    return { branch, sha, pull: data, here: { ...at(), pull_number: data.number } };
  }

  it('opens a pull request with what git knows of it', async () => {
    const { pull, sha } = await opened(true);
    expect(pull).toMatchObject({
      draft: true,
      state: 'open',
      merged: false,
      commits: 1,
      additions: 1,
      deletions: 0,
      changed_files: 1,
      user: { login: target().botLogin },
      head: { sha },
      base: { ref: 'main' },
    });
  });

  it('refuses a second pull request for a head', async () => {
    const { branch } = await opened();
    const refusal = await refused(
      target().installation.rest.pulls.create({ ...at(), head: branch, base: 'main', title: 'again' }),
    );
    expect(refusal.status).toBe(422);
    expect(refusal.errors).toMatchObject([
      {
        resource: 'PullRequest',
        code: 'custom',
        message: `A pull request already exists for ${target().owner}:${branch}.`,
      },
    ]);
  });

  it('refuses a pull request without commits, and one of a branch that is not there', async () => {
    const branch = unique('empty');
    const base = await target().installation.rest.git.getRef({ ...at(), ref: 'heads/main' });
    await target().installation.rest.git.createRef({ ...at(), ref: `refs/heads/${branch}`, sha: base.data.object.sha });
    const empty = await refused(
      target().installation.rest.pulls.create({ ...at(), head: branch, base: 'main', title: 'x' }),
    );
    expect(empty).toMatchObject({ status: 422, errors: [{ message: `No commits between main and ${branch}` }] });
    const missing = await refused(
      target().installation.rest.pulls.create({ ...at(), head: unique('no'), base: 'main', title: 'x' }),
    );
    expect(missing).toMatchObject({ status: 422, errors: [{ field: 'head', code: 'invalid' }] });
  });

  it('finds by head, base and state', async () => {
    const { branch, pull, here } = await opened();
    const head = `${target().owner}:${branch}`;
    const found = await target().installation.rest.pulls.list({ ...at(), head, base: 'main' });
    expect(found.data.map((one) => one.number)).toEqual([pull.number]);
    await target().installation.rest.pulls.update({ ...here, state: 'closed' });
    expect((await target().installation.rest.pulls.list({ ...at(), head })).data).toEqual([]);
    expect((await target().installation.rest.pulls.list({ ...at(), head, state: 'all' })).data).toHaveLength(1);
  });

  it('is an issue too, with labels and comments of its own', async () => {
    const { pull } = await opened();
    const here = { ...at(), issue_number: pull.number };
    expect((await target().installation.rest.issues.get(here)).data.pull_request?.url).toContain(
      `/pulls/${pull.number}`,
    );
    await target().installation.rest.issues.addLabels({ ...here, labels: ['ready'] });
    await target().installation.rest.issues.createComment({ ...here, body: 'hello' });
    const { data } = await target().installation.rest.pulls.get({ ...at(), pull_number: pull.number });
    expect(data).toMatchObject({ comments: 1, labels: [{ name: 'ready' }] });
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'no pull request' });
    expect((await refused(target().installation.rest.pulls.get({ ...at(), pull_number: issue.number }))).status).toBe(
      404,
    );
  });

  it('leaves draft and goes back by GraphQL', async () => {
    const { pull, here } = await opened(true);
    const mutate = async (name: string): Promise<unknown> =>
      await target().installation.graphql(
        `mutation($id: ID!) { ${name}(input: { pullRequestId: $id }) { pullRequest { isDraft } } }`,
        {
          id: pull.node_id,
        },
      );
    expect(await mutate('markPullRequestReadyForReview')).toEqual({
      markPullRequestReadyForReview: { pullRequest: { isDraft: false } },
    });
    expect((await target().installation.rest.pulls.get(here)).data.draft).toBe(false);
    await mutate('convertPullRequestToDraft');
    expect((await target().installation.rest.pulls.get(here)).data.draft).toBe(true);
    const query =
      'query($owner: String!, $name: String!, $n: Int!) { repository(owner: $owner, name: $name) { pullRequest(number: $n) { id isDraft } } }';
    expect(
      await target().installation.graphql(query, { owner: target().owner, name: target().repo, n: pull.number }),
    ).toEqual({
      repository: { pullRequest: { id: pull.node_id, isDraft: true } },
    });
  });

  it('moves its head with every change of the branch', async () => {
    const { branch, here, sha } = await opened();
    const { data } = await target().installation.rest.repos.createOrUpdateFileContents({
      ...at(),
      path: `${branch}-more.txt`,
      message: 'More',
      content: Buffer.from('more').toString('base64'),
      branch,
    });
    const moved = (await target().installation.rest.pulls.get(here)).data;
    expect(moved.head.sha).toBe(data.commit.sha);
    expect(moved.commits).toBe(2);
    await target().installation.rest.git.updateRef({ ...at(), ref: `heads/${branch}`, sha, force: true });
    expect((await target().installation.rest.pulls.get(here)).data.head.sha).toBe(sha);
    await target().installation.rest.git.deleteRef({ ...at(), ref: `heads/${branch}` });
    expect((await target().installation.rest.pulls.get(here)).data.state).toBe('closed');
  });

  it('lists files and commits', async () => {
    const { branch, here, sha } = await opened();
    const files = await target().installation.rest.pulls.listFiles(here);
    expect(files.data).toMatchObject([
      { filename: `${branch}.txt`, status: 'added', additions: 1, patch: '@@ -0,0 +1 @@\n+hello' },
    ]);
    const commits = await target().installation.rest.pulls.listCommits(here);
    expect(commits.data.map((commit) => commit.sha)).toEqual([sha]);
  });

  it('merges when asked, only at the expected head, not a draft', async () => {
    const draft = await opened(true);
    expect((await refused(target().writer.rest.pulls.merge(draft.here))).status).toBe(405);
    const { here, branch } = await opened();
    const wrong = await refused(target().writer.rest.pulls.merge({ ...here, sha: 'a'.repeat(40) }));
    expect(wrong.status).toBe(409);
    expect((await refused(target().reader.rest.pulls.merge(here))).status).toBe(403);
    const { data } = await target().writer.rest.pulls.merge(here);
    expect(data.merged).toBe(true);
    const base = await target().installation.rest.git.getRef({ ...at(), ref: 'heads/main' });
    expect(base.data.object.sha).toBe(data.sha);
    expect((await target().installation.rest.pulls.get(here)).data).toMatchObject({
      merged: true,
      state: 'closed',
      merge_commit_sha: data.sha,
    });
    await target().installation.rest.repos.getContent({ ...at(), path: `${branch}.txt` });
  });

  it('squashes into one commit with one parent', async () => {
    const { here } = await opened();
    const before = (await target().installation.rest.git.getRef({ ...at(), ref: 'heads/main' })).data.object.sha;
    const { data } = await target().writer.rest.pulls.merge({ ...here, merge_method: 'squash' });
    const commit = await target().installation.rest.git.getCommit({ ...at(), commit_sha: data.sha });
    expect(commit.data.parents.map((parent) => parent.sha)).toEqual([before]);
  });

  it('refuses to merge what conflicts', async () => {
    const { branch, here } = await opened();
    const path = `${branch}.txt`;
    const content = Buffer.from('other\n').toString('base64');
    await target().writer.rest.repos.createOrUpdateFileContents({ ...at(), path, message: 'Conflict', content });
    const { data } = await target().installation.rest.pulls.get(here);
    expect(data).toMatchObject({ mergeable: false, mergeable_state: 'dirty' });
    expect((await refused(target().writer.rest.pulls.merge(here))).status).toBe(405);
  });

  it("takes reviews with 200, but no approval of one's own", async () => {
    const { here } = await opened();
    const own = await refused(target().installation.rest.pulls.createReview({ ...here, event: 'APPROVE' }));
    expect(own.status).toBe(422);
    const review = await target().writer.rest.pulls.createReview({ ...here, event: 'APPROVE', body: 'fine' });
    expect(review).toMatchObject({ status: 200, data: { state: 'APPROVED' } });
  });

  it('asks collaborators for reviews, nobody else', async () => {
    const { here } = await opened();
    const { data: writer } = await target().writer.rest.users.getAuthenticated();
    const reply = await target().installation.rest.pulls.requestReviewers({ ...here, reviewers: [writer.login] });
    expect(reply).toMatchObject({ status: 201, data: { requested_reviewers: [{ login: writer.login }] } });
    expect(
      (await refused(target().installation.rest.pulls.requestReviewers({ ...here, reviewers: ['nobody-at-all'] })))
        .status,
    ).toBe(422);
  });

  it('makes check runs for Apps, and for nobody else', async () => {
    const { sha } = await opened();
    const check = { ...at(), name: unique('check'), head_sha: sha };
    const { status, data } = await target().installation.rest.checks.create({
      ...check,
      status: 'in_progress',
      external_id: 'key',
    });
    expect(status).toBe(201);
    expect(data).toMatchObject({ status: 'in_progress', conclusion: null, external_id: 'key', head_sha: sha });
    const refusal = await refused(target().writer.rest.checks.create(check));
    expect(refusal).toMatchObject({
      status: 403,
      message: expect.stringContaining('You must authenticate via a GitHub App.'),
    });
    const here = { ...at(), check_run_id: data.id };
    const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' } as const;
    const done = await target().installation.rest.checks.update({
      ...here,
      conclusion: 'failure',
      output: { title: 't', summary: 's', annotations: [annotation] },
    });
    expect(done.data).toMatchObject({ status: 'completed', conclusion: 'failure', output: { annotations_count: 1 } });
    const listed = await target().installation.rest.checks.listForRef({ ...at(), ref: sha, check_name: check.name });
    expect(listed.data.check_runs.map((one) => one.id)).toEqual([data.id]);
    expect((await target().installation.rest.checks.get(here)).data.completed_at).not.toBeNull();
    expect((await target().installation.rest.checks.listAnnotations(here)).data).toMatchObject([{ message: 'm' }]);
  });

  it('refuses a check run on a commit that is not there', async () => {
    const refusal = await refused(
      target().installation.rest.checks.create({ ...at(), name: 'x', head_sha: 'a'.repeat(40) }),
    );
    expect(refusal.status).toBe(422);
  });
}
