import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { FaultRule, RequestFault } from '../../local-github/faults.ts';
import { createGate } from './gate.ts';
import type { Place } from './place.ts';
import { useHarness } from './suite.ts';

const TWO = '- [ ] First `scripted: write 1.txt 1`\n- [ ] Second `scripted: write 2.txt 2`\n';

/** Requests of Maestro, as against those of people in the tests. */
const OURS = '^(?!node).*(maestro|octokit|git/)';

/** Everything Maestro writes on GitHub in the course of a run that was asked for in a comment. */
const WRITES: Readonly<Record<string, readonly [method: string, path: string]>> = {
  'mint a token': ['POST', '/access_tokens$'],
  'react to a comment': ['POST', '/issues/comments/\\d+/reactions$'],
  'make a label': ['POST', '/repos/[^/]+/[^/]+/labels$'],
  'add a label': ['POST', '/issues/\\d+/labels$'],
  'take a label off': ['DELETE', '/issues/\\d+/labels/'],
  comment: ['POST', '/issues/\\d+/comments$'],
  'edit a comment': ['PATCH', '/issues/comments/\\d+$'],
  push: ['POST', 'git-receive-pack$'],
  'open a pull request': ['POST', '/pulls$'],
  'describe a pull request': ['PATCH', '/pulls/\\d+$'],
  'mark a pull request ready': ['POST', 'graphql$'],
  'make a check': ['POST', '/check-runs$'],
  'update a check': ['PATCH', '/check-runs/\\d+$'],
  'tick the issue': ['PATCH', '/issues/\\d+$'],
};

/** Everything it reads. */
const READS: Readonly<Record<string, readonly [method: string, path: string]>> = {
  'the role': ['GET', '/collaborators/'],
  'the branch': ['GET', '/git/ref/'],
  'the issue': ['GET', '/issues/\\d+$'],
  'the repository': ['GET', '/repositories/\\d+$'],
  'the App': ['GET', '/app$'],
  'the comments': ['GET', '/issues/\\d+/comments$'],
  'the pull requests': ['GET', '/pulls$'],
  'the pull request': ['GET', '/pulls/\\d+$'],
  'the checks': ['GET', '/check-runs$'],
  'the labels': ['GET', '/issues/\\d+/labels$'],
  'a label': ['GET', '/labels/[^/]+$'],
  'what git offers': ['GET', '/info/refs$'],
  'what git fetches': ['POST', 'git-upload-pack$'],
};

describe('each call that a run makes on GitHub', () => {
  const suite = useHarness({ runner: 'local', timeoutMs: 3_000 });

  it.each<[string, typeof WRITES, Pick<RequestFault, 'kind' | 'status' | 'ms'>]>([
    ['write: done, and the answer lost', WRITES, { kind: 'cut-after' }],
    ['write: not done, and no answer', WRITES, { kind: 'cut-before' }],
    ['write: answered 500', WRITES, { kind: 'status', status: 500 }],
    ['write: answered 503', WRITES, { kind: 'status', status: 503 }],
    ['write: done after we gave up waiting', WRITES, { kind: 'delay', ms: 4_000 }],
    ['read: no answer', READS, { kind: 'cut-after' }],
    ['read: answered 502', READS, { kind: 'status', status: 502 }],
    ['read: answered 504', READS, { kind: 'status', status: 504 }],
  ])('%s: nothing is made twice, and nothing is missing', async (_, calls, fault) => {
    const place = await suite.place();
    const { control } = suite.harness().github;
    const issue = await place.issue('Two things', TWO);
    // A repository's first token is minted anew for it; the App is asked who it is once in the life of a process.
    const asked = control.requests(0).some(({ path }) => path === '/app');
    for (const [what, [method, path]] of Object.entries(calls)) {
      if (what !== 'the App' || !asked) control.addFault({ ...fault, method, path, agent: OURS });
    }
    await place.comment(issue, '/maestro run');
    const run = await place.settledRun();

    expect(control.faults()).toEqual([]);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed']);
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 1]);
    const pulls = await place.pulls();
    expect(pulls).toMatchObject([{ draft: false, state: 'open' }]);
    const answers = await place.answers(issue);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toContain('**Maestro** is done');
    expect((await place.getIssue(issue)).body).toBe(TWO.replaceAll('[ ]', '[x]'));
    expect(await place.checks(pulls[0]?.head.sha ?? '')).toMatchObject([{ conclusion: 'success' }]);
  });
});

describe('when GitHub', () => {
  const suite = useHarness({ runner: 'local' });

  /** A run whose second task is at work and has been let go; the first is committed. */
  async function halfway(): Promise<{ place: Place; issue: number; goOn: () => Promise<void> }> {
    const place = await suite.place();
    const gate = createGate();
    const issue = await place.issue(
      'Two things',
      `- [ ] First \`scripted: write 1.txt 1\`\n- [ ] Second \`scripted: write 2.txt 2\` ${gate.directives}\n`,
    );
    await place.label(issue);
    await place.until('the second task', async () => await place.agentSaid('"now"'));
    return { place, issue, goOn: gate.open };
  }

  /** What was done before the fault is not done again, and all is said that has to be. */
  async function wentOn(place: Place, issue: number): Promise<void> {
    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ attempts }) => attempts)).toEqual([1, 1]);
    expect(await suite.harness().store.sessionsOf(run.id)).toHaveLength(2);
    expect(await place.pulls()).toMatchObject([{ draft: false, state: 'open' }]);
    const answers = await place.answers(issue);
    expect(answers).toHaveLength(1);
    expect(answers[0]).toContain('**Maestro** is done');
    expect(await place.reactions(`issues/${issue}`)).toContain('hooray');
  }

  it.each<[string, FaultRule]>([
    ['does not answer', { kind: 'cut-before', agent: OURS, times: 100_000 }],
    ['answers 502', { kind: 'status', status: 502, agent: OURS, times: 100_000 }],
  ])('%s for hours, the run waits, and goes on with what it has', async (_, fault) => {
    const { place, issue, goOn } = await halfway();
    const { control } = suite.harness().github;
    control.addFault(fault);
    await goOn();
    const waiting = await place.until('the run waits', async () => {
      const [run] = await place.runs();
      return run?.state === 'parked' ? run : undefined;
    });
    expect(waiting.reason).toBe('GitHub does not answer; trying again.');
    // In this harness a wait is one second: several go by.
    await pause(4_000);
    expect((await place.runs())[0]?.state).not.toBe('failed');
    control.clearFaults();
    await wentOn(place, issue);
  });

  it.each(['primary-limit', 'secondary-limit'] as const)(
    'tells us to wait (%s), nothing is asked of it until then, and the record says until when',
    async (kind) => {
      const { place, issue, goOn } = await halfway();
      const { control } = suite.harness().github;
      control.addFault({ kind, agent: OURS, path: `/repos/${place.fullName}/`, retryAfter: 6 });
      const before = Date.now();
      await goOn();
      await place.until('the limit', async () => control.faults().length === 0);
      // Requests that were on their way when the limit came.
      await pause(300);
      const since = control.counts().requests;
      const waiting = await place.until('the run waits', async () => {
        const [run] = await place.runs();
        return run?.state === 'parked' ? run : undefined;
      });
      expect(waiting.reason).toBe('GitHub asked us to wait.');
      expect((waiting.parkedUntil ?? 0) - before).toBeGreaterThan(5_000);
      await pause(Math.max(0, (waiting.parkedUntil ?? 0) - Date.now() - 500));
      expect(control.requests(since).filter(({ actorKind }) => actorKind === 'installation')).toEqual([]);
      await wentOn(place, issue);
    },
  );

  it('does not take our tokens any more, each is minted anew once', async () => {
    const { place, issue, goOn } = await halfway();
    const { control } = suite.harness().github;
    // Of this repository: the App looks at others, and at the installation, in its own time.
    const mints = (): number =>
      control
        .requests()
        .filter(({ path, status }) => path.endsWith('/access_tokens') && status === 201)
        .filter(({ body }) => JSON.stringify(body).includes(`"repository_ids":[${place.id}]`)).length;
    const before = mints();
    control.expireTokens();
    await goOn();
    await wentOn(place, issue);
    // One for requests and one for git.
    expect(mints() - before).toBe(2);
  });
});
