import { describe, expect, it } from 'vitest';
import { useHarness } from './suite.ts';

describe('only people who may write to a repository', () => {
  const suite = useHarness({ runner: 'local' });

  it.each(['tess', 'rory'])('start runs: %s is refused once, in one sentence', async (login) => {
    const place = await suite.place();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    // Readers can't label; where they can (an issue form does it for them), it is not a permission.
    await place.label(issue, 'maestro', 'tess');
    if (login === 'rory') await place.comment(issue, '/maestro run', 'rory');
    await place.comment(issue, '/maestro run', login);
    await suite.harness().quiet();

    expect(await place.runs()).toEqual([]);
    const answers = await place.answers(issue);
    expect(answers).toHaveLength(login === 'tess' ? 1 : 2);
    for (const answer of answers) {
      expect(answer).toContain('Starting and steering runs needs the role `write` or more in this repository');
      expect(answer.split('\n\n')[0]).toMatch(/^\*\*Maestro\*\* did not start anything\. /);
    }
    expect([...(await place.branches()).keys()]).toEqual(['main']);
  });

  it('stop runs', async () => {
    const place = await suite.place();
    const issue = await place.issue('One thing', '`scripted: say now` `scripted: sleep 3s` `scripted: write a.txt a`');
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    await place.comment(issue, '/maestro stop', 'rory');
    await place.unlabel(issue, 'maestro', 'tess');
    expect(await place.settledRun()).toMatchObject({ state: 'succeeded', stop: undefined });
  });

  it('have anything pushed for them: who loses the permission half way has nothing more done', async () => {
    const place = await suite.place();
    const { github } = suite.harness();
    const issue = await place.issue(
      'Two things',
      '- [ ] First `scripted: write 1.txt 1`\n- [ ] Second `scripted: write 2.txt 2` `scripted: say now` `scripted: sleep 4s`\n',
    );
    await place.label(issue, 'maestro', 'will');
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    github.control.setRole({ repository: place.fullName, login: 'will', role: 'read' });

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'failed' });
    expect(run.reason).toContain('may no longer write to this repository');
    expect([...(await place.branches()).keys()].toSorted()).toEqual([run.branch, 'main'].toSorted());
    expect(await place.git('rev-list', '--count', `${run.base.sha}..${run.branch}`)).toBe('1\n');
    const [status] = await place.answers(issue);
    expect(status).toContain('may no longer write to this repository');
  });
});

describe('a bot', () => {
  const suite = useHarness({ runner: 'local' });

  it('starts nothing, ourselves least of all', async () => {
    const place = await suite.place();
    const { github, store } = suite.harness();
    const issue = await place.issue('One thing', '`scripted: write a.txt a`');
    await place.label(issue);
    await place.settledRun();
    // All our own writes came back as events; a comment and a label of ours, made with our own token, are the boldest of them.
    const token = github.control
      .requests()
      .filter(({ path }) => path.endsWith('/access_tokens'))
      .map(({ responseBody }) => responseBody as IssuedToken)
      .findLast(({ permissions }) => permissions['issues'] === 'write')?.token;
    const asBot = async (path: string, body: unknown): Promise<number> =>
      (
        await fetch(`${github.apiUrl}/repos/${place.fullName}${path}`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token ?? ''}` },
          body: JSON.stringify(body),
        })
      ).status;
    const other = await place.issue('Another thing', '`scripted: write b.txt b`');
    expect(await asBot(`/issues/${other}/comments`, { body: '/maestro run' })).toBe(201);
    expect(await asBot(`/issues/${other}/labels`, { labels: ['maestro'] })).toBe(200);
    await suite.harness().quiet();

    expect(await place.runs()).toHaveLength(1);
    expect(await store.listRuns({ repositoryId: place.id, issue: other })).toEqual([]);
    expect(await place.answers(other)).toEqual(['/maestro run']);
  });
});

interface IssuedToken {
  readonly token: string;
  readonly permissions: Readonly<Record<string, string>>;
}
