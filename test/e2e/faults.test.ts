import { describe, expect, it } from 'vitest';
import type { FaultRule } from '../../local-github/faults.ts';
import { useHarness } from './suite.ts';

const TWO = '- [ ] First `scripted: write 1.txt 1`\n- [ ] Second `scripted: write 2.txt 2`\n';

describe('when GitHub', () => {
  const suite = useHarness({ runner: 'local' });

  it.each<[string, FaultRule]>([
    ['opens the pull request', { kind: 'cut-after', method: 'POST', path: '/pulls$' }],
    ['makes the comment', { kind: 'cut-after', method: 'POST', path: '/issues/\\d+/comments$' }],
    ['takes the push', { kind: 'cut-after', method: 'POST', path: 'git-receive-pack$' }],
    ['makes the check', { kind: 'cut-after', method: 'POST', path: '/check-runs$' }],
    ['marks the pull request ready', { kind: 'cut-after', method: 'POST', path: 'graphql$' }],
    ['ticks the issue', { kind: 'cut-after', method: 'PATCH', path: '/issues/\\d+$' }],
  ])('%s and its answer is lost, nothing is made twice', async (_, fault) => {
    const place = await suite.place();
    const { control } = suite.harness().github;
    const issue = await place.issue('Two things', TWO);
    control.addFault(fault);
    await place.label(issue);
    const run = await place.settledRun();

    expect(control.faults()).toEqual([]);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed', 'committed']);
    expect(await place.pulls()).toMatchObject([{ draft: false, state: 'open' }]);
    expect(await place.answers(issue)).toHaveLength(1);
    expect((await place.getIssue(issue)).body).toBe(TWO.replaceAll('[ ]', '[x]'));
  });

  it.each<[string, FaultRule]>([
    ['answers 502 ten times over', { kind: 'status', status: 502, times: 10 }],
    ['hangs up on git five times over', { kind: 'cut-before', path: '\\.git/', times: 5 }],
    ['does not let us write for a moment', { kind: 'secondary-limit', method: 'POST', retryAfter: 2, times: 2 }],
  ])('%s in the middle of a run, the run waits and goes on', async (_, fault) => {
    const place = await suite.place();
    const { control } = suite.harness().github;
    const issue = await place.issue('Two things', `- [ ] Now \`scripted: say now\` \`scripted: sleep 2s\`\n${TWO}`);
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    control.addFault(fault);
    const run = await place.settledRun();

    expect(control.faults()).toEqual([]);
    expect(run).toMatchObject({ state: 'succeeded' });
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['no-change', 'committed', 'committed']);
    expect(await place.pulls()).toMatchObject([{ draft: false, state: 'open' }]);
    expect(await place.answers(issue)).toHaveLength(1);
  });
});
