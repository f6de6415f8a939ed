import { describe, expect, it } from 'vitest';
import { doctorCommand } from '../../src/cli/doctor/doctor.ts';
import type { Check } from '../../src/cli/doctor/check.ts';
import { describeWith } from '../setup/require.ts';
import { KEY_CANARY } from './stage.ts';
import { useHarness, useModel } from './suite.ts';

interface Report {
  readonly code: number;
  readonly ok: boolean;
  readonly checks: readonly Check[];
  readonly text: string;
}

async function doctor(
  env: Readonly<Record<string, string | undefined>>,
  options: { readonly providers?: readonly string[]; readonly calls?: boolean } = {},
): Promise<Report> {
  let text = '';
  const code = await doctorCommand({
    env,
    json: true,
    providers: options.providers ?? [],
    calls: options.calls ?? true,
    write: (said) => void (text += said),
  });
  return { code, text, ...(JSON.parse(text) as Pick<Report, 'ok' | 'checks'>) };
}

function states({ checks }: Report): Record<string, string> {
  return Object.fromEntries(checks.map(({ name, state }) => [name, state]));
}

function found(report: Report, name: string): Check {
  const check = report.checks.find((one) => one.name === name);
  if (check === undefined) throw new Error(`no check ${name} in ${report.text}`);
  return check;
}

describeWith('agentImage', 'maestro doctor beside a Maestro that runs', () => {
  const model = useModel();
  const suite = useHarness(() => ({
    runner: 'docker',
    database: 'embedded',
    env: { ANTHROPIC_BASE_URL: model().url, MAESTRO_PROVIDER: 'claude-code' },
  }));

  it('finds everything well, down to a word from the model', async () => {
    const { env } = suite.harness();
    const report = await doctor(env);
    expect(states(report)).toMatchObject({
      configuration: 'ok',
      store: 'ok',
      queue: 'ok',
      'GitHub App': 'ok',
      permissions: 'ok',
      installations: 'ok',
      'webhook settings': 'ok',
      runner: 'ok',
      gateway: 'ok',
      'claude-code: CLI': 'ok',
      'claude-code: model': 'ok',
    });
    expect(report).toMatchObject({ code: 0, ok: true });
    expect(found(report, 'store').detail).toContain('open in a Maestro that is running');
    expect(found(report, 'runner').detail).toMatch(/sha256:/);
    expect(found(report, 'claude-code: CLI').detail).toMatch(/^2\./);
    expect(report.text).not.toContain(KEY_CANARY);
    expect(model().requests.some(({ path }) => path.startsWith('/v1/messages'))).toBe(true);
  });

  it('says what to do about a key that is not accepted, an image that is missing and rights the App lacks', async () => {
    const { env, github } = suite.harness();
    const wrongKey = await doctor({ ...env, ANTHROPIC_API_KEY: 'sk-ant-wrong' });
    expect(found(wrongKey, 'claude-code: model')).toMatchObject({
      state: 'failed',
      advice: expect.stringContaining('key'),
    });
    expect(wrongKey.code).toBe(1);

    const noImage = await doctor({ ...env, MAESTRO_IMAGE: 'maestro-agent:never-built' });
    expect(found(noImage, 'runner')).toMatchObject({
      state: 'failed',
      detail: expect.stringContaining('npm run image'),
    });

    const asked = model().requests.length;
    const quiet = await doctor(env, { calls: false });
    expect(found(quiet, 'claude-code: model').state).toBe('skipped');
    expect(model().requests).toHaveLength(asked);

    const granted = { metadata: 'read', contents: 'write', pull_requests: 'write', issues: 'write' } as const;
    github.control.setPermissions(granted);
    try {
      const lacking = await doctor(env, { calls: false });
      expect(found(lacking, 'installations')).toMatchObject({ state: 'failed' });
      expect(lacking.code).toBe(1);
    } finally {
      github.control.setPermissions({ ...granted, checks: 'write' });
    }
  });
});

describe('maestro doctor without a configuration', () => {
  it('says which settings are missing and looks at nothing', async () => {
    const report = await doctor({});
    expect(report.code).toBe(78);
    expect(report.checks).toHaveLength(1);
    expect(found(report, 'configuration').detail).toContain('APP_ID is missing');
  });
});
