import { expect, it } from 'vitest';
import { refused } from '../support.ts';
import { unique } from './target.ts';
import type { Target } from './target.ts';

function names(reply: { readonly data: readonly { readonly name: string }[] }): string[] {
  return reply.data.map((label) => label.name);
}

/** Issues, labels, comments, reactions. */
export function issuesContract(target: () => Target): void {
  function at() {
    return { owner: target().owner, repo: target().repo };
  }

  it('makes an issue by the bot, numbered, with labels made by using them', async () => {
    const label = unique('fresh');
    const { status, data } = await target().installation.rest.issues.create({ ...at(), title: 'One', labels: [label] });
    expect(status).toBe(201);
    expect(data).toMatchObject({ title: 'One', state: 'open', user: { login: target().botLogin, type: 'Bot' } });
    expect(data.number).not.toBe(data.id);
    expect(data.labels).toMatchObject([{ name: label, color: 'ededed' }]);
    expect((await target().installation.rest.issues.getLabel({ ...at(), name: label })).data.name).toBe(label);
  });

  it('closes and reopens, and lists by state and label', async () => {
    const label = unique('group');
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x', labels: [label] });
    const here = { ...at(), issue_number: issue.number };
    const closed = await target().installation.rest.issues.update({ ...here, state: 'closed' });
    expect(closed.data).toMatchObject({
      state: 'closed',
      state_reason: 'completed',
      closed_by: { login: target().botLogin },
    });
    const list = async (state: 'open' | 'closed' | 'all') =>
      (await target().installation.rest.issues.listForRepo({ ...at(), state, labels: label })).data.length;
    expect([await list('open'), await list('closed'), await list('all')]).toEqual([0, 1, 1]);
    const reopened = await target().installation.rest.issues.update({ ...here, state: 'open' });
    expect(reopened.data).toMatchObject({ state: 'open', closed_at: null });
  });

  it('refuses an issue without a title, by name', async () => {
    const call = target().installation.request('POST /repos/{owner}/{repo}/issues', at() as never);
    const refusal = await refused(call);
    expect(refusal.status).toBe(422);
    expect(refusal.message).toContain('"title" wasn\'t supplied');
  });

  it('refuses a label that is there, with the reason as a list', async () => {
    const name = unique('label');
    const made = await target().installation.rest.issues.createLabel({ ...at(), name, color: 'ff0000' });
    expect(made.status).toBe(201);
    const refusal = await refused(target().installation.rest.issues.createLabel({ ...at(), name: name.toUpperCase() }));
    expect(refusal).toMatchObject({
      status: 422,
      message: expect.stringContaining('Validation Failed'),
      errors: [{ resource: 'Label', code: 'already_exists', field: 'name' }],
    });
  });

  it('renames and deletes labels everywhere', async () => {
    const [name, renamed] = [unique('old'), unique('new')];
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x', labels: [name] });
    await target().installation.rest.issues.updateLabel({ ...at(), name, new_name: renamed });
    const here = { ...at(), issue_number: issue.number };
    expect((await target().installation.rest.issues.listLabelsOnIssue(here)).data.map((one) => one.name)).toEqual([
      renamed,
    ]);
    await target().installation.rest.issues.deleteLabel({ ...at(), name: renamed });
    expect((await target().installation.rest.issues.listLabelsOnIssue(here)).data).toEqual([]);
    expect((await refused(target().installation.rest.issues.getLabel({ ...at(), name: renamed }))).status).toBe(404);
  });

  it('adds, sets and removes labels of an issue; 404 for one it has not', async () => {
    const [one, two] = [unique('one'), unique('two')];
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const here = { ...at(), issue_number: issue.number };
    expect(names(await target().installation.rest.issues.addLabels({ ...here, labels: [one] }))).toEqual([one]);
    expect(names(await target().installation.rest.issues.addLabels({ ...here, labels: [two] }))).toEqual([one, two]);
    expect(names(await target().installation.rest.issues.removeLabel({ ...here, name: one }))).toEqual([two]);
    const missing = await refused(target().installation.rest.issues.removeLabel({ ...here, name: one }));
    expect(missing).toMatchObject({ status: 404, message: expect.stringContaining('Label does not exist') });
    expect(names(await target().installation.rest.issues.setLabels({ ...here, labels: [one] }))).toEqual([one]);
  });

  it('makes, edits, lists and deletes comments', async () => {
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const { status, data } = await target().installation.rest.issues.createComment({
      ...at(),
      issue_number: issue.number,
      body: 'a',
    });
    expect(status).toBe(201);
    expect(data.user?.login).toBe(target().botLogin);
    const here = { ...at(), comment_id: data.id };
    expect((await target().installation.rest.issues.updateComment({ ...here, body: 'b' })).data.body).toBe('b');
    const list = await target().reader.rest.issues.listComments({ ...at(), issue_number: issue.number });
    expect(list.data.map((comment) => comment.body)).toEqual(['b']);
    expect((await target().installation.rest.issues.deleteComment(here)).status).toBe(204);
    expect((await refused(target().installation.rest.issues.getComment(here))).status).toBe(404);
  });

  it('lets a reader comment and edit their own words, not those of others', async () => {
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const thread = { ...at(), issue_number: issue.number };
    const { data: bots } = await target().installation.rest.issues.createComment({ ...thread, body: 'bot' });
    const { data: own } = await target().reader.rest.issues.createComment({ ...thread, body: 'own' });
    expect(
      (await target().reader.rest.issues.updateComment({ ...at(), comment_id: own.id, body: 'mine' })).status,
    ).toBe(200);
    const refusal = await refused(
      target().reader.rest.issues.updateComment({ ...at(), comment_id: bots.id, body: 'x' }),
    );
    expect(refusal.status).toBe(403);
  });

  it('reacts once: 201, then 200 with the same reaction', async () => {
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const here = { ...at(), issue_number: issue.number, content: 'rocket' } as const;
    const first = await target().installation.rest.reactions.createForIssue(here);
    const again = await target().installation.rest.reactions.createForIssue(here);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.data.id).toBe(first.data.id);
    const thread = { ...at(), issue_number: issue.number };
    expect((await target().installation.rest.issues.get(thread)).data.reactions?.rocket).toBe(1);
    expect((await target().installation.rest.reactions.listForIssue(here)).data).toHaveLength(1);
  });

  it('reacts to comments', async () => {
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const { data: comment } = await target().writer.rest.issues.createComment({
      ...at(),
      issue_number: issue.number,
      body: 'a',
    });
    const reaction = await target().installation.rest.reactions.createForIssueComment({
      ...at(),
      comment_id: comment.id,
      content: 'eyes',
    });
    expect(reaction).toMatchObject({ status: 201, data: { content: 'eyes', user: { login: target().botLogin } } });
  });

  it('answers 201 to adding assignees', async () => {
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const { data: writer } = await target().writer.rest.users.getAuthenticated();
    const reply = await target().installation.rest.issues.addAssignees({
      ...at(),
      issue_number: issue.number,
      assignees: [writer.login],
    });
    expect(reply.status).toBe(201);
    expect(reply.data.assignees?.map((one) => one.login)).toEqual([writer.login]);
  });

  it('pages with Link headers that lead to the next', async () => {
    const label = unique('paged');
    for (const title of ['a', 'b', 'c'])
      await target().installation.rest.issues.create({ ...at(), title, labels: [label] });
    const first = await target().installation.rest.issues.listForRepo({ ...at(), labels: label, per_page: 2 });
    expect(first.data).toHaveLength(2);
    expect(first.headers.link).toMatch(/rel="next".*rel="last"/);
    const all = await target().installation.paginate(target().installation.rest.issues.listForRepo, {
      ...at(),
      labels: label,
      per_page: 2,
    });
    expect(all.map((issue) => issue.title)).toEqual(['c', 'b', 'a']);
  });

  it('answers 304 to who has it already, and anew once it changed', async () => {
    const { data: issue } = await target().installation.rest.issues.create({ ...at(), title: 'x' });
    const here = { ...at(), issue_number: issue.number };
    const { headers } = await target().installation.rest.issues.get(here);
    expect(headers.etag).toMatch(/^W\/"/);
    const conditional = { ...here, headers: { 'if-none-match': headers.etag ?? '' } };
    await expect(target().installation.rest.issues.get(conditional)).rejects.toMatchObject({ status: 304 });
    await target().installation.rest.issues.update({ ...here, title: 'y' });
    expect((await target().installation.rest.issues.get(conditional)).data.title).toBe('y');
  });
}
