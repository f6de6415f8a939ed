import Docker from 'dockerode';
import { expect, inject, it } from 'vitest';
import { engineAt } from '../../src/runners/docker/engine-address.ts';
import { describeWith } from '../setup/require.ts';
import { useHarness } from './suite.ts';

/** Bare images that one of the agent images was built on: what stands for a repository's own. */
const BARE = ['maestro/base:debian-bookworm', 'node:24-bookworm-slim'];

describeWith(['docker', 'agentImage'], 'a repository with an image of its own', () => {
  const suite = useHarness({ runner: 'docker', env: { MAESTRO_IMAGES: 'acme/*=devcontainer' } });

  it('has its agents, checks and setup run in it, where the operator lets it', async () => {
    const image = await firstThere();
    const config = { image, postCreateCommand: 'test -x /opt/maestro/bin/node && mkdir made && touch made/x' };
    const place = await suite.place({
      files: { 'README.md': '# Demo\n', '.devcontainer/devcontainer.json': JSON.stringify(config) },
    });
    await place.pushPlaybook(
      'a.md',
      '---\nverify: test -x /opt/maestro/bin/node && test -d made\n---\n- [ ] One `scripted: write a.txt a`\n',
    );
    const run = await place.settledRun();
    expect(run.tasks.map(({ outcome }) => outcome?.kind)).toEqual(['committed']);
    const [session] = await suite.harness().store.sessionsOf(run.id);
    expect(session?.image).toContain(`${image}@sha256:`);
  });
});

async function firstThere(): Promise<string> {
  const docker = new Docker(engineAt(inject('dockerHost') ?? ''));
  const images = await docker.listImages();
  const found = BARE.find((name) => images.some(({ RepoTags }) => RepoTags?.includes(name)));
  if (found === undefined) throw new Error(`None of ${BARE.join(', ')} is on the engine.`);
  return found;
}
