import Docker from 'dockerode';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import { engineAt } from '../../src/runners/docker/engine-address.ts';
import { namespaceOf } from '../../src/compose/runner.ts';
import { createEngineProxy, type EngineFault, type EngineProxy } from '../setup/engine-proxy.ts';
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

  it('the next session has its container at hand while an agent still waits, and only the next one', async () => {
    const place = await suite.place();
    const tasks = [
      '`scripted: say now` `scripted: write 1.txt 1` `scripted: sleep 9s`',
      '`scripted: write 2.txt 2` `scripted: sleep 2s`',
    ];
    await place.label(await place.issue('Two', tasks.map((task, at) => `- [ ] Task ${at} ${task}\n`).join('')));
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    const namespace = `maestro.namespace=${namespaceOf(suite.harness().config)}`;
    const seats = async (): Promise<ReadonlyMap<string, string>> => {
      const found = await docker.listContainers({ filters: { label: [namespace] } });
      const named = found.map(({ Id, Labels }) => [Labels['maestro.job'] ?? '', Id] as const);
      return new Map(named.filter(([job]) => job.endsWith('-agent')));
    };
    const [run] = await place.runs();
    const [first, second] = [`${run?.id}-1-1-agent`, `${run?.id}-2-1-agent`];
    expect([...(await seats()).keys()]).toEqual([first]);
    await place.until('the container of the next session', async () => (await seats()).has(second));
    const meanwhile = await seats();
    expect([...meanwhile.keys()].toSorted()).toEqual([first, second]);
    await place.until('the next session', async () => !(await seats()).has(first));
    expect((await seats()).get(second)).toBe(meanwhile.get(second));
    expect(await place.settledRun()).toMatchObject({ state: 'succeeded' });
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

describeWith(['docker', 'agentImage'], 'while an agent works, a Docker engine that', () => {
  let proxy: EngineProxy;
  beforeAll(async () => {
    proxy = await createEngineProxy(engineAt(inject('dockerHost')).socketPath ?? '');
  });
  // Before the product's own, which asks the engine: what is declared first is done last.
  afterAll(async () => {
    await proxy[Symbol.asyncDispose]();
  });
  const suite = useHarness(() => ({
    runner: 'docker',
    env: { DOCKER_HOST: `unix://${proxy.socketPath}` },
    patience: { callMs: 1_500, startMs: 5_000, deathMs: 2_000, removalMs: 5_000, absenceMs: 1_000, lookMs: 500 },
  }));

  it.each<[string, EngineFault, string]>([
    [
      'hangs',
      { kind: 'hang' },
      'Our side broke (The Docker engine did not list containers within 1.5 s. Is it overloaded?)',
    ],
    [
      'answers 500 to everything',
      { kind: 'answer', status: 500 },
      'Our side broke (The Docker engine could not list containers: the proxy was told to say so)',
    ],
  ])('%s makes the run wait, which says why, and goes on when the engine is well again', async (_, fault, why) => {
    const place = await suite.place();
    const issue = await place.issue('One', WORK);
    await place.label(issue);
    await place.until('the agent at work', async () => await place.agentSaid('"now"'));
    proxy.fail(fault);
    const cutting = fault.kind === 'answer' ? proxy.cut(/\/attach\?.*stdout/) : undefined;
    await place.until('the comment that says why', async () => {
      const [answer = ''] = await place.answers(issue);
      return answer.includes('is waiting') && answer.includes(why);
    });
    await cutting;
    expect(proxy.heal()).toBeGreaterThan(3);

    const run = await place.settledRun();
    expect(run).toMatchObject({ state: 'succeeded' });
    const sessions = await suite.harness().store.sessionsOf(run.id);
    expect(sessions.map(({ outcome }) => outcome)).toMatchObject([
      { kind: 'failed', failure: { kind: 'infra' } },
      { kind: 'committed' },
    ]);
    expect(await place.pulls()).toHaveLength(1);
    expect(await place.answers(issue)).toHaveLength(1);
  });
});
