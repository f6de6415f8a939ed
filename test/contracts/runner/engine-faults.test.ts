import Docker from 'dockerode';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { engineAt } from '../../../src/runners/docker/engine-address.ts';
import { InfrastructureError, type Runner } from '../../../src/runners/runner.ts';
import type { EngineProxy } from '../../setup/engine-proxy.ts';
import { describeWith } from '../../setup/require.ts';
import * as h from './harness.ts';

/** So short that a test can wait for it, and longer than the engine takes on a busy machine. */
const PATIENCE = { callMs: 1_200, startMs: 2_000, deathMs: 1_500, removalMs: 2_000, absenceMs: 600, lookMs: 300 };

/** Every call that a job needs, by what the engine is asked for. */
const CALLS: Readonly<Record<string, RegExp>> = {
  'look at a volume': /^GET \/volumes\//,
  'make a volume': /^POST \/volumes\/create/,
  'create a container': /^POST \/containers\/create/,
  'look at a container': /^GET \/containers\/[^/]+\/json/,
  'attach to a container': /^POST \/containers\/[^/]+\/attach/,
  'start a container': /^POST \/containers\/[^/]+\/start/,
};

describeWith(['docker', 'agentImage'], 'a docker runner whose engine', () => {
  const host = inject('dockerHost') ?? '';
  const image = inject('agentImage') ?? '';
  const docker = new Docker(engineAt(host));
  let proxy: EngineProxy;
  let installation: h.Installation;
  let runner: Runner;

  beforeEach(async () => {
    ({ proxy, installation } = await h.installBehindProxy({ host, image, more: { patience: PATIENCE } }));
    runner = installation.runner();
    await runner.check();
  });
  afterEach(async () => {
    proxy.heal();
    await installation.remove();
    await proxy[Symbol.asyncDispose]();
  });

  async function expectNothingLeft(): Promise<void> {
    await runner.reap(() => false);
    for (const name of await runner.listLanes()) await runner.removeLane({ name });
    const filters = { label: [`maestro.namespace=${installation.namespace}`] };
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
    expect((await docker.listVolumes({ filters: JSON.stringify(filters) })).Volumes).toEqual([]);
  }

  it.each(Object.entries(CALLS))(
    'answers 500 or nothing when asked to %s says so in time, goes on when it heals, and leaves nothing',
    async (what, request) => {
      const lane = h.laneOf(installation);
      const job = { argv: ['true'], lane, name: h.randomName('job') };
      proxy.fail({ kind: 'answer', status: 500 }, request);
      const refused = h.ask(runner, job);
      await expect(refused).rejects.toThrow(`The Docker engine could not ${what}: the proxy was told to say so`);
      await expect(refused).rejects.toThrow(InfrastructureError);
      expect(proxy.heal()).toBeGreaterThan(0);

      proxy.fail({ kind: 'hang' }, request);
      const silent = h.ask(runner, job);
      await expect(silent).rejects.toThrow(`did not ${what} within `);
      await expect(silent).rejects.toThrow(InfrastructureError);
      // What hung is done after all, some time: the next try finds it.
      expect(proxy.heal()).toBeGreaterThan(0);

      expect(await h.ask(runner, job)).toMatchObject({ ending: 'exited', code: 0 });
      await runner.release(lane);
      await expectNothingLeft();
    },
  );

  it('holds the name of a container that it is still making, asked for in vain before, is waited for, not for ever', async () => {
    const lane = h.laneOf(installation);
    const taken = { kind: 'answer', status: 409, words: 'The container name is already in use' } as const;
    proxy.fail(taken, CALLS['create a container']);
    setTimeout(() => proxy.heal(), 500);
    expect(await h.ask(runner, { argv: ['true'], lane })).toMatchObject({ ending: 'exited', code: 0 });

    proxy.fail(taken, CALLS['create a container']);
    await expect(h.ask(runner, { argv: ['true'], lane })).rejects.toThrow(
      'The Docker engine could not create a container: The container name is already in use',
    );
    proxy.heal();
    await runner.release(lane);
    await expectNothingLeft();
  });

  it('stands still while a command runs gives it up in time, and one whose connections hang for a moment does not', async () => {
    const lane = h.laneOf(installation);
    const up = h.waitingFor('up');
    const brief = h.ask(runner, { argv: h.sh('echo up; sleep 1; exit 3'), lane, stdout: up.sink });
    await up.seen;
    proxy.fail({ kind: 'hang' });
    setTimeout(() => proxy.heal(), 500);
    expect(await brief).toMatchObject({ ending: 'exited', code: 3 });

    const again = h.waitingFor('up');
    const seconds = h.oddSeconds();
    const long = h.ask(runner, { argv: h.sh(`echo up; sleep ${seconds}`), lane, stdout: again.sink });
    await again.seen;
    proxy.fail({ kind: 'hang' });
    await expect(long).rejects.toThrow(/The Docker engine did not look at a container within/);
    proxy.heal();
    await expectNothingLeft();
    expect(await h.untilProcesses(`sleep ${seconds}`, false)).toEqual([]);
  });

  it('does not answer is not kept waiting on: no connection to it stays open', async () => {
    proxy.fail({ kind: 'hang' });
    await expect(runner.reap(() => false)).rejects.toThrow(/did not list containers within 1\.2 s\. Is it overloaded/);
    await expect(h.ask(runner, { argv: ['true'], lane: h.laneOf(installation) })).rejects.toThrow(InfrastructureError);
    await expect.poll(() => proxy.open()).toBe(0);
  });

  it('cannot remove the container of a job that has ended gives the result all the same, and it is removed later', async () => {
    const lane = h.laneOf(installation);
    proxy.fail({ kind: 'answer', status: 500 }, /^DELETE \/containers\//);
    expect(await h.ask(runner, { argv: ['true'], lane })).toMatchObject({ ending: 'exited', code: 0 });
    await runner.release(lane);
    expect(proxy.heal()).toBeGreaterThan(0);
    await expectNothingLeft();
  });
});
