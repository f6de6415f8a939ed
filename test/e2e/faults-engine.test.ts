import Docker from 'dockerode';
import { expect, inject, it } from 'vitest';
import { engineAt } from '../../src/runners/docker/engine-address.ts';
import { namespaceOf } from '../../src/compose/runner.ts';
import { describeWith } from '../setup/require.ts';
import { useHarness } from './suite.ts';

const WORK = '`scripted: write 1.txt 1` `scripted: say now` `scripted: sleep 5s`';

describeWith(['docker', 'agentImage'], 'on a Docker engine', () => {
  const suite = useHarness({ runner: 'docker' });
  const docker = new Docker(engineAt(inject('dockerHost')));

  it('a container that disappears while the agent works costs a retry and is explained', async () => {
    const place = await suite.place();
    await place.label(await place.issue('One', WORK));
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    const filters = { label: [`maestro.namespace=${namespaceOf(suite.harness().config)}`] };
    for (const { Id } of await docker.listContainers({ filters }))
      await docker.getContainer(Id).remove({ force: true });

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(sessions.map(({ outcome }) => outcome)).toMatchObject([
      {
        kind: 'failed',
        failure: { kind: 'infra', message: expect.stringMatching(/removed while it ran|broke off|ended before/) },
      },
      { kind: 'committed' },
    ]);
    expect(await place.pulls()).toHaveLength(1);
  });

  it('what a dead worker left is removed at a start, and what is not ours stays', async () => {
    const namespace = namespaceOf(suite.harness().config);
    const image = inject('agentImage') ?? '';
    const labels = {
      'maestro.app': 'maestro',
      'maestro.namespace': namespace,
      'maestro.run': 'rgone',
      'maestro.epoch': '1',
      'maestro.job': 'rgone-1-1-agent',
      'maestro.lane': 'rgone',
    };
    const host = { Image: image, Cmd: ['sleep', '600'], Entrypoint: [], HostConfig: { NetworkMode: 'none' } };
    const orphan = await docker.createContainer({ ...host, name: `maestro-test-orphan-${namespace}`, Labels: labels });
    const bystander = await docker.createContainer({ ...host, name: `bystander-${namespace}` });
    try {
      await Promise.all([orphan.start(), bystander.start()]);
      await suite.harness().stopWorker();
      await suite.harness().startWorker();
      await expect(orphan.inspect()).rejects.toMatchObject({ statusCode: 404 });
      expect((await bystander.inspect()).State.Running).toBe(true);
    } finally {
      await bystander.remove({ force: true });
      await orphan.remove({ force: true }).catch(() => undefined);
    }
  });
});
