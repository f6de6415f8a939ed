import { describe, expect, test } from 'vitest';
import { chooseAgents, composeImage } from '../../scripts/image-agents.ts';
import { createProviders } from '../../src/providers/registry.ts';

const DOCKERFILE = new URL('../../docker/agent-image/Dockerfile', import.meta.url);
const ALL = Object.values(createProviders({ scriptedAgent: '' })).flatMap(({ id, cli }) =>
  cli === undefined ? [] : id,
);

/** Names of the stages of a Dockerfile, in order. */
function stages(dockerfile: string): readonly string[] {
  return [...dockerfile.matchAll(/^FROM \S+ AS (\S+)$/gm)].map(([, name]) => name!);
}

describe('the agents of an image', () => {
  test('are all, none or those that were named, in the order of their layers', () => {
    expect(chooseAgents('all')).toEqual(ALL);
    expect(chooseAgents('none')).toEqual([]);
    expect(chooseAgents('gemini,codex')).toEqual(['codex', 'gemini']);
  });

  test('that do not exist are refused with those that do', () => {
    expect(() => chooseAgents('codex,cursor')).toThrow(
      "There is no agent 'cursor': name some of claude-code, codex, opencode, factory-droid, gemini, copilot, or all, or none.",
    );
  });
});

describe('the Dockerfile', () => {
  test('of one agent installs no other, and copies one layer', async () => {
    const { dockerfile, versions } = await composeImage(DOCKERFILE, ['codex']);
    expect(stages(dockerfile)).toEqual(['tools', 'npm', 'codex-install', 'agents']);
    expect(dockerfile.match(/^COPY --from=.*$/gm)).toEqual(['COPY --from=codex-install /out/ /']);
    expect(versions).toEqual({ CODEX_VERSION: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });

  test('of none installs nothing from npm', async () => {
    const { dockerfile, versions } = await composeImage(DOCKERFILE, []);
    expect(stages(dockerfile)).toEqual(['tools', 'agents']);
    expect(versions).toEqual({});
  });

  test('of all has a stage and a pinned version for each', async () => {
    const { dockerfile, versions } = await composeImage(DOCKERFILE, ALL);
    expect(stages(dockerfile)).toEqual(['tools', 'npm', ...ALL.map((id) => `${id}-install`), 'agents']);
    for (const name of Object.keys(versions)) expect(dockerfile).toContain(`ARG ${name}\n`);
    expect(dockerfile.trimEnd().endsWith('USER 1000:1000')).toBe(true);
  });
});
