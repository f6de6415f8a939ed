import { expect, it } from 'vitest';
import { refused } from '../support.ts';
import { branchWithCommit, unique } from './target.ts';
import type { Target } from './target.ts';

/** Files, refs, trees, commits, comparisons. */
export function contentsContract(target: () => Target): void {
  function at() {
    return { owner: target().owner, repo: target().repo };
  }

  async function written(path: string, text: string, branch = 'main') {
    const content = Buffer.from(text).toString('base64');
    return await target().installation.rest.repos.createOrUpdateFileContents({
      ...at(),
      path,
      message: path,
      content,
      branch,
    });
  }

  it('writes a file, reads it as object, as raw text and in its directory', async () => {
    const directory = unique('dir');
    const path = `${directory}/ä b.txt`;
    const made = await written(path, 'grüße\n');
    expect(made.status).toBe(201);
    const { data } = await target().installation.rest.repos.getContent({ ...at(), path });
    expect(data).toMatchObject({ type: 'file', encoding: 'base64', path, sha: made.data.content?.sha });
    expect(Buffer.from((data as { content: string }).content, 'base64').toString('utf8')).toBe('grüße\n');
    const raw = await target().installation.rest.repos.getContent({ ...at(), path, mediaType: { format: 'raw' } });
    expect(raw.data).toBe('grüße\n');
    const listing = await target().installation.rest.repos.getContent({ ...at(), path: directory });
    expect(listing.data).toMatchObject([{ type: 'file', path, name: 'ä b.txt' }]);
  });

  it('decodes %2F inside the path', async () => {
    const directory = unique('.hidden');
    await written(`${directory}/maestro.yml`, 'a: 1\n');
    const reply = await target().installation.request(
      `GET /repos/${target().owner}/${target().repo}/contents/${directory}%2Fmaestro.yml`,
    );
    expect(reply.status).toBe(200);
  });

  it('refuses to overwrite without or with a stale sha, and takes the right one', async () => {
    const path = unique('file');
    const { data } = await written(path, 'one');
    expect((await refused(written(path, 'two'))).status).toBe(422);
    const change = { ...at(), path, message: 'm', content: Buffer.from('two').toString('base64') };
    const stale = await refused(
      target().installation.rest.repos.createOrUpdateFileContents({ ...change, sha: 'b'.repeat(40) }),
    );
    expect(stale).toMatchObject({ status: 409, message: expect.stringContaining(`${path} does not match`) });
    const right = await target().installation.rest.repos.createOrUpdateFileContents({
      ...change,
      sha: data.content?.sha ?? '',
    });
    expect(right.status).toBe(200);
    const removed = await target().installation.rest.repos.deleteFile({
      ...at(),
      path,
      message: 'gone',
      sha: right.data.content?.sha ?? '',
    });
    expect(removed.status).toBe(200);
    expect((await refused(target().installation.rest.repos.getContent({ ...at(), path }))).status).toBe(404);
  });

  it('reads a file as it was at a commit', async () => {
    const path = unique('history');
    const first = await written(path, 'one');
    const change = {
      ...at(),
      path,
      message: 'm',
      content: Buffer.from('two').toString('base64'),
      sha: first.data.content?.sha ?? '',
    };
    await target().installation.rest.repos.createOrUpdateFileContents(change);
    const old = await target().installation.rest.repos.getContent({
      ...at(),
      path,
      ref: first.data.commit.sha ?? '',
      mediaType: { format: 'raw' },
    });
    expect(old.data).toBe('one');
    expect(
      (await refused(target().installation.rest.repos.getContent({ ...at(), path, ref: 'no-such-ref' }))).status,
    ).toBe(404);
  });

  it('makes, moves and deletes refs, each refusal in its own words', async () => {
    const { sha } = await branchWithCommit(target());
    const main = (await target().installation.rest.git.getRef({ ...at(), ref: 'heads/main' })).data.object.sha;
    const name = unique('ref');
    const ref = `heads/${name}`;
    expect((await target().installation.rest.git.createRef({ ...at(), ref: `refs/${ref}`, sha })).status).toBe(201);
    const again = await refused(target().installation.rest.git.createRef({ ...at(), ref: `refs/${ref}`, sha }));
    expect(again).toMatchObject({ status: 422, message: expect.stringContaining('Reference already exists') });
    const nowhere = await refused(
      target().installation.rest.git.createRef({ ...at(), ref: `refs/heads/${unique('x')}`, sha: 'c'.repeat(40) }),
    );
    expect(nowhere).toMatchObject({ status: 422, message: expect.stringContaining('Object does not exist') });
    const backwards = await refused(target().installation.rest.git.updateRef({ ...at(), ref, sha: main }));
    expect(backwards).toMatchObject({ status: 422, message: expect.stringContaining('Update is not a fast forward') });
    expect(
      (await target().installation.rest.git.updateRef({ ...at(), ref, sha: main, force: true })).data.object.sha,
    ).toBe(main);
    expect((await target().installation.rest.git.listMatchingRefs({ ...at(), ref })).data).toHaveLength(1);
    expect((await target().installation.rest.git.deleteRef({ ...at(), ref })).status).toBe(204);
    const gone = await refused(target().installation.rest.git.deleteRef({ ...at(), ref }));
    expect(gone).toMatchObject({ status: 422, message: expect.stringContaining('Reference does not exist') });
    expect((await refused(target().installation.rest.git.getRef({ ...at(), ref }))).status).toBe(404);
  });

  it('refuses a ref by a person who may only read', async () => {
    const { sha } = await branchWithCommit(target());
    const call = target().reader.rest.git.createRef({ ...at(), ref: `refs/heads/${unique('x')}`, sha });
    expect((await refused(call)).status).toBe(403);
  });

  it('shows trees level by level or whole, and their blobs', async () => {
    const directory = unique('tree');
    const { data } = await written(`${directory}/deep/file.txt`, 'text');
    const commit = data.commit.sha ?? '';
    const flat = await target().installation.rest.git.getTree({ ...at(), tree_sha: commit });
    expect(flat.data.tree.find((entry) => entry.path === directory)).toMatchObject({ type: 'tree', mode: '040000' });
    const whole = await target().installation.rest.git.getTree({ ...at(), tree_sha: commit, recursive: 'true' });
    const entry = whole.data.tree.find((one) => one.path === `${directory}/deep/file.txt`);
    expect(entry).toMatchObject({ type: 'blob', size: 4 });
    const blob = await target().installation.rest.git.getBlob({ ...at(), file_sha: entry?.sha ?? '' });
    expect(Buffer.from(blob.data.content, 'base64').toString()).toBe('text');
  });

  it('compares two refs', async () => {
    const { branch, sha } = await branchWithCommit(target());
    await written(unique('apart'), 'x');
    const { data } = await target().installation.rest.repos.compareCommitsWithBasehead({
      ...at(),
      basehead: `main...${branch}`,
    });
    expect(data).toMatchObject({ status: 'diverged', ahead_by: 1, behind_by: 1, total_commits: 1 });
    expect(data.commits.map((commit) => commit.sha)).toEqual([sha]);
    expect(data.files?.map((file) => file.filename)).toEqual([`${branch}.txt`]);
    const same = await target().installation.rest.repos.compareCommitsWithBasehead({
      ...at(),
      basehead: `${sha}...${branch}`,
    });
    expect(same.data).toMatchObject({ status: 'identical', ahead_by: 0, files: [] });
  });

  it('shows branches and commits, with the bot as author of what it committed', async () => {
    const { branch, sha } = await branchWithCommit(target());
    const one = await target().installation.rest.repos.getBranch({ ...at(), branch });
    expect(one.data.commit.sha).toBe(sha);
    expect(one.data.commit.author?.login).toBe(target().botLogin);
    const all = await target().installation.paginate(target().installation.rest.repos.listBranches, {
      ...at(),
      per_page: 100,
    });
    expect(all.map((each) => each.name)).toContain(branch);
    const commit = await target().installation.rest.repos.getCommit({ ...at(), ref: sha });
    expect(commit.data.files).toMatchObject([{ filename: `${branch}.txt`, status: 'added' }]);
    const list = await target().installation.rest.repos.listCommits({ ...at(), sha: branch, per_page: 1 });
    expect(list.data.map((each) => each.sha)).toEqual([sha]);
    expect((await target().installation.rest.git.getCommit({ ...at(), commit_sha: sha })).data.message).toBe(
      `Add ${branch}.txt`,
    );
    expect((await refused(target().installation.rest.repos.getBranch({ ...at(), branch: 'no-such' }))).status).toBe(
      404,
    );
  });
}
