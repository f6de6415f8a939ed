import Docker from 'dockerode';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { engineAt } from '../../../src/runners/docker/engine-address.ts';
import { InfrastructureError, type ImageChoice, type Runner } from '../../../src/runners/runner.ts';
import { describeWith } from '../../setup/require.ts';
import * as h from './harness.ts';

/** Bare images that one of the agent images was built on: what stands for a repository's own. */
const BARE = ['maestro/base:debian-bookworm', 'node:24-bookworm-slim', 'node:24-bookworm'];

/** Adding our layer fetches packages the first time. */
const SLOW_MS = 300_000;

describeWith(['docker', 'agentImage'], "a repository's own image", () => {
  const host = inject('dockerHost') ?? '';
  const image = inject('agentImage') ?? '';
  const docker = new Docker(engineAt(host));
  let installation: h.Installation;
  let runner: Runner;
  let choice: ImageChoice;

  beforeAll(async () => {
    installation = await h.installDocker({ host, image })();
    runner = installation.runner();
    const own = await firstThere();
    choice = { own };
    await runner.check(choice);
  }, SLOW_MS);
  afterAll(async () => {
    await runner.close();
    await installation.remove();
  });

  async function firstThere(): Promise<string> {
    for (const name of BARE) {
      if (
        await docker
          .getImage(name)
          .inspect()
          .then(
            () => true,
            () => false,
          )
      )
        return name;
    }
    throw new Error(`None of ${BARE.join(', ')} is on the engine.`);
  }

  it('gets what agents need, and is confined like ours', async () => {
    const script = [
      'for tool in git socat tar ps bash node; do command -v "$tool" >/dev/null || echo "no $tool"; done',
      'test -e /opt/maestro/scripted-agent.mjs && /opt/maestro/bin/node -e "console.log(40 + 2)"',
      'id -u; touch /usr/x 2>/dev/null || echo read-only; touch "$HOME/x" /lane/x /tmp/x && echo writable',
      'grep -c eth /proc/net/dev; find / -xdev -type f -perm /6000 2>/dev/null | wc -l',
    ].join('\n');
    const lane = h.laneOf(installation);
    const told = await h.ask(runner, { argv: h.sh(script), lane, image: choice });
    expect(told).toMatchObject({ ending: 'exited', stdout: '42\n1000\nread-only\nwritable\n0\n0\n' });
    const ours = await h.ask(runner, { argv: h.sh('cat /lane/x && echo same lane'), lane });
    expect(ours.stdout).toBe('same lane\n');
    await runner.removeLane(lane);
  });

  it('is made once, and said by its name', async () => {
    const [first, second] = [await runner.check(choice), await installation.runner().check(choice)];
    expect(first.image).toBe(second.image);
    expect(first.image).toMatch(new RegExp(`^${choice.own ?? ''}@sha256:[0-9a-f]{64}$`));
    expect((await runner.check()).image).not.toBe(first.image);
  });

  it('that cannot be had is our side that broke, said with its name', async () => {
    const missing = runner.check({ agents: 'maestro-agent:never-built' });
    await expect(missing).rejects.toThrow(InfrastructureError);
    await expect(missing).rejects.toThrow('maestro-agent:never-built');
  });
});
