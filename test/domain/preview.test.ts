import { describe, expect, it } from 'vitest';
import { estimate, planHash } from '../../src/domain/preview.ts';
import { renderPreview } from '../../src/domain/report/preview.ts';
import { aDoneTask, aRun, aTask, MINUTE, sha, START } from './report/a-run.ts';

const done = (minutes: number, costUsd?: number) =>
  aDoneTask(
    1,
    { kind: 'committed', commit: sha('c') },
    { endedAt: START + minutes * MINUTE, usage: { inputTokens: 1, outputTokens: 1, cachedInputTokens: 0, costUsd } },
  );

describe('the hash of a plan', () => {
  it('is the same wherever the run would start from, and whoever asked', () => {
    const other = aRun({ base: { ref: 'main', sha: sha('e') }, branch: 'maestro/x', requester: { id: 1, login: 'x' } });
    expect(planHash(other)).toBe(planHash(aRun()));
    expect(planHash(aRun())).toMatch(/^[a-z2-7]{10}$/);
  });

  it.each([
    ['the text', { playbook: { kind: 'checklist', issue: 12, title: 'Tidy the API', text: '- [ ] two' } }],
    ['the title', { playbook: { kind: 'checklist', issue: 12, title: 'Tidy', text: '- [ ] one' } }],
    ['a setting', { settings: { verify: ['npm test'] } }],
    ['the provider', { provider: 'codex' }],
    ['who takes over', { fallbacks: ['codex'] }],
    ['the model', { model: 'opus' }],
    ['the words', { instructions: 'Hurry.' }],
  ] as const)('covers %s', (_, change) => {
    expect(planHash(aRun(change))).not.toBe(planHash(aRun()));
  });
});

describe('the estimate', () => {
  it('is the middle one of the tasks done so far, times how many there are', () => {
    const earlier = [done(2, 0.1), done(100, 9), done(4, 0.3), aTask(4), aDoneTask(5, { kind: 'no-change' })];
    expect(estimate(earlier, 3)).toEqual({ sample: 3, durationMs: 12 * MINUTE, costUsd: expect.closeTo(0.9) });
    expect(estimate([done(2), done(4)], 1)).toEqual({ sample: 2, durationMs: 3 * MINUTE, costUsd: undefined });
    expect(estimate([aTask(1)], 3)).toBeUndefined();
  });
});

describe('the preview', () => {
  it('shows tasks, agent, what would be run, what it takes, and how it is approved; and nothing in it acts', () => {
    const run = aRun({ settings: { verify: ['npm test'] }, model: 'opus', instructions: '@bob /approve' });
    const text = renderPreview({
      run,
      tasks: [aTask(1), aTask(2, { title: '<b> @bob #1' })],
      hash: 'abcde23456',
      estimate: { sample: 4, durationMs: 6 * MINUTE, costUsd: 0.25 },
      requester: 'mona',
    });
    expect(text).toContain('would work on #12: 2 tasks, by `claude-code` with `opus`. Nothing has been started.');
    expect(text).toContain('1. Task number 1\n2. ');
    expect(text).toContain('about 6 min and $0.25, going by the middle one of the last 4 tasks');
    expect(text).toContain('- checked by `npm test`');
    expect(text).toContain('`/maestro approve abcde23456`');
    expect(text).not.toMatch(/<b>|@bob|(?<!&)#1\b(?!2)/u);
  });
});
