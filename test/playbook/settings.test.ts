import { describe, expect, it } from 'vitest';
import { parsePlaybook } from '../../src/playbook/parse.ts';

function withFront(yaml: string, end = '\n'): ReturnType<typeof parsePlaybook> {
  return parsePlaybook(`---\n${yaml}\n---\n\n- [ ] a\n`.replaceAll('\n', end));
}

describe('settings', () => {
  it.each(['\n', '\r\n', '\r'])('are read with line ends %j', (end) => {
    const { settings, problems } = withFront(
      [
        'provider: claude',
        'model: opus-4.1 # newest',
        'effort: high',
        'context: handoff',
        'setup: npm ci',
        'verify:',
        '  - npm test',
        '  - |',
        '    npm run lint',
        '    npm run build',
        'parallel: 2',
        'after: [.maestro/playbooks/first.md]',
        'loop: true',
        'max-loops: 3',
        'reset: false',
        'budget: $5',
        'timeout: 1h30m',
        'on-failure: ask',
        'reviewers: ["@octocat", org/team]',
        'schedule: "0 6 * * 1"',
      ].join('\n'),
      end,
    );

    expect(problems).toEqual([]);
    expect(settings).toEqual({
      provider: 'claude',
      model: 'opus-4.1',
      effort: 'high',
      context: 'handoff',
      setup: ['npm ci'],
      verify: ['npm test', 'npm run lint\nnpm run build'],
      parallel: 2,
      after: ['.maestro/playbooks/first.md'],
      loop: true,
      maxLoops: 3,
      reset: false,
      budget: { run: { usd: 5 } },
      timeout: 5_400_000,
      onFailure: 'ask',
      reviewers: ['octocat', 'org/team'],
      schedule: '0 6 * * 1',
    });
  });

  it.each([
    ['timeout: 90s', { timeout: 90_000 }],
    ['timeout: 20m', { timeout: 1_200_000 }],
    ['timeout: 1h', { timeout: 3_600_000 }],
    ['budget: 5', { budget: { run: { usd: 5 } } }],
    ['budget: 2.50', { budget: { run: { usd: 2.5 } } }],
    ['budget: $0.75', { budget: { run: { usd: 0.75 } } }],
    ['budget: 500k tokens', { budget: { run: { tokens: 500_000 } } }],
    ['budget: $5, 1.5M tokens, 2h30m', { budget: { run: { usd: 5, tokens: 1_500_000, ms: 9_000_000 } } }],
    ['budget: [$5, 2000 tokens]', { budget: { run: { usd: 5, tokens: 2_000 } } }],
    ['budget: {run: $5, task: 1}', { budget: { run: { usd: 5 }, task: { usd: 1 } } }],
    ['budget:\n  task: [1d, $1]', { budget: { task: { usd: 1, ms: 86_400_000 } } }],
    ['verify: npm test', { verify: ['npm test'] }],
    ['', {}],
  ])('%j', (yaml, settings) => {
    expect(withFront(yaml)).toMatchObject({ settings, problems: [] });
    expect(withFront(yaml).settings).toEqual(settings);
  });

  it.each([
    ['verfiy: npm test', 2, 1, '`verify`'],
    ['loop: true\nmaxLoops: 3', 3, 1, '`max-loops`'],
    ['on_failure: stop', 2, 1, '`on-failure`'],
    ['colour: red', 2, 1, 'the settings are'],
    ['timeout: 20', 2, 10, '`timeout: 20m`'],
    ['timeout: 0s', 2, 10, '`timeout: 20m`'],
    ['timeout: 48h', 2, 10, 'at most a day'],
    ['budget: -1', 2, 9, '`budget: $5`'],
    ['budget: five', 2, 9, '`budget: $5`'],
    ['budget: $5, $6', 2, 9, '`budget: $5`'],
    ['budget: 0', 2, 9, '`budget: $5`'],
    ['budget: 5M', 2, 9, '2M tokens'],
    ['budget: {}', 2, 9, '`budget: {run: $5, task: $1}`'],
    ['budget: []', 2, 9, '`budget: [$5, 2M tokens, 3h]`'],
    ['budget:\n  run: $5\n  task: lots', 4, 9, '`budget: {run: $5, task: $1}`'],
    ['budget:\n  run: $5\n  day: $9', 3, 3, '`budget: {run: $5, task: $1}`'],
    ['parallel: 99', 2, 11, 'from 1 to 16'],
    ['effort: extreme', 2, 9, '`effort: high`'],
    ['loop: yes', 2, 7, '`loop: true`'],
    ['verify:\n  - npm test\n  - 3', 2 + 1, 3, '`verify: npm test`'],
    ['provider:', 2, 10, '`provider: claude-code`'],
    ['provider: Claude Code', 2, 11, '`provider: claude-code`'],
    ['reviewers: @octocat', 2, 12, 'quotes'],
    ['loop: true\nloop: false', 3, 1, 'Keep one'],
    ['verify: &x npm test', 2, 12, 'value itself'],
    ['verify: !!str npm test', 2, 15, 'value itself'],
    ['verify: !sh npm test', 2, 13, 'value itself'],
    ['after: ../x.md', 2, 8, '`after: .maestro/'],
    ['<<: {loop: true}', 2, 1, 'Remove it'],
    ['- loop', 2, 1, '`key: value`'],
    ['just words', 2, 1, '`key: value`'],
  ])('%j is a problem at %i:%i', (yaml, line, column, fix) => {
    const { settings, problems } = withFront(yaml);

    expect(problems).toMatchObject([{ line, column, fix: expect.stringContaining(fix) }]);
    expect(settings).toEqual({});
  });

  it('refuses aliases', () => {
    expect(withFront('setup: &x [a]\nverify: *x').problems.map(({ line, column }) => `${line}:${column}`)).toEqual([
      '2:11',
      '3:9',
    ]);
  });

  it('reports every wrong setting at once', () => {
    expect(withFront('verfiy: x\nloop: maybe\nbudget: lots').problems).toHaveLength(3);
  });

  it('does not read prototype names as settings', () => {
    expect(withFront('__proto__: {loop: true}').problems).toHaveLength(1);
    expect(withFront('constructor: 1').problems).toHaveLength(1);
  });

  it('refuses front matter over 16 kB', () => {
    expect(withFront(`verify: "${'a'.repeat(17_000)}"`).problems[0]?.message).toMatch(/larger than 16 kB/);
  });
});
