import { rename } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import Docker from 'dockerode';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/domain/clock.ts';
import { engineAt } from '../../../src/runners/docker/engine-address.ts';
import type { LaneRef, Runner } from '../../../src/runners/runner.ts';
import { withFence } from '../../../src/telemetry/fence.ts';
import type { EngineProxy } from '../../setup/engine-proxy.ts';
import { describeWith } from '../../setup/require.ts';
import { fillMirror, prepareOn, treeBase } from './tree-repository.ts';
import * as h from './harness.ts';

describeWith(['docker', 'agentImage'], 'spare lanes', () => {
  const host = inject('dockerHost') ?? '';
  const image = inject('agentImage') ?? '';
  const docker = new Docker(engineAt(host));
  let proxy: EngineProxy;
  let installation: h.Installation;
  let runner: Runner;
  let commit: string;

  beforeEach(async () => {
    ({ proxy, installation } = await h.installBehindProxy({ host, image, treesBytes: 1e9 }));
    runner = installation.runner();
    commit = fillMirror(installation.mirror);
    await visit('first');
  });
  afterEach(async () => {
    proxy.heal();
    await runner.close();
    await installation.remove();
    await proxy[Symbol.asyncDispose]();
  });

  const filters = () => ({ label: [`maestro.namespace=${installation.namespace}`] });

  /** A run of the repository, from its lane to the end of that; afterwards there is a spare. */
  async function visit(name: string): Promise<void> {
    const lane = h.laneOf(installation, name);
    await runner.ensureLane(lane, treeBase(commit));
    await runner.removeLane(lane);
    await expect.poll(keepers, { timeout: 30_000 }).toHaveLength(1);
  }

  /** Containers of keepers that run. */
  async function keepers(): Promise<readonly string[]> {
    const found = await docker.listContainers({ filters: filters() });
    return found.filter(({ Labels }) => Labels['maestro.job']?.endsWith('-keeper')).map(({ Id }) => Id);
  }

  async function left(): Promise<readonly string[]> {
    const containers = await docker.listContainers({ all: true, filters: filters() });
    const { Volumes } = await docker.listVolumes({ filters: JSON.stringify(filters()) });
    return [
      ...containers.map(({ Names }) => Names.join()),
      ...Volumes.filter(({ Labels }) => Labels?.['maestro.tree'] === undefined).map(({ Name }) => Name),
    ];
  }

  it('are what the next run of the repository starts on, and go with its lane', async () => {
    const [spare] = await keepers();
    const lane = h.laneOf(installation, 'next');
    expect(await runner.listLanes()).toEqual([]);
    expect(await runner.ensureLane(lane, treeBase(commit))).toBe(true);
    expect(await prepareOn(runner, lane, { commit, isFresh: true })).toMatchObject({ code: 0, stderr: '' });
    expect(await keepers()).toEqual([spare]);
    expect(await runner.listLanes()).toEqual(['next']);
    const work = h.sh('git status --porcelain; ls d | wc -l; echo mine > d/1');
    expect((await h.ask(runner, { argv: work, lane })).stdout).toBe('30\n');
    expect((await h.tend(runner, { argv: ['cat', 'd/1'], lane })).stdout).toBe('mine\n');

    // Whoever goes on with the run, here or elsewhere, finds the same lane.
    expect(await runner.ensureLane(lane, treeBase(commit))).toBe(false);
    const other = installation.runner();
    expect((await h.ask(other, { argv: ['cat', 'd/1'], lane })).stdout).toBe('mine\n');
    await other.removeLane(lane);
    await other.close();
    await runner.close();
    expect(await left()).toEqual([]);
  });

  it('have a keeper that is taken from a run whose lease is gone', async () => {
    const [spare] = await keepers();
    const lane = h.laneOf(installation, 'next');
    await runner.ensureLane(lane, treeBase(commit));
    const elsewhere = installation.runner();
    expect(await elsewhere.reap(({ epoch }) => epoch >= 1)).toEqual([]);
    expect(await keepers()).toEqual([spare]);
    expect(await elsewhere.reap(({ epoch }) => epoch >= 2)).toHaveLength(1);
    expect(await keepers()).toEqual([]);
    expect(await h.tend(runner, { argv: ['true'], lane, owner: h.owner(2) })).toMatchObject({ code: 0 });
  });

  it('are not for a run that starts from another tree, and give way to its', async () => {
    const [before] = await keepers();
    const lane: LaneRef = h.laneOf(installation, 'next');
    const apart = { ...treeBase(commit, () => undefined), name: 'another' };
    await runner.ensureLane(lane, apart);
    expect(await prepareOn(runner, lane, { commit, isFresh: true })).toMatchObject({ code: 0 });
    const beside = await keepers();
    expect(beside).toHaveLength(2);
    await runner.removeLane(lane);
    const made = async () => (await keepers()).filter((id) => !beside.includes(id));
    await expect.poll(made, { timeout: 30_000 }).toHaveLength(1);
    await expect.poll(keepers, { timeout: 30_000 }).not.toContain(before);
  });

  it('are removed by a reaper when their worker has died, and not before', async () => {
    const other = installation.runner();
    expect(await other.reap(() => false)).toEqual([]);
    expect(await keepers()).toHaveLength(1);
    await proxy.cut(/\/attach/);
    await expect.poll(keepers, { timeout: 30_000 }).toEqual([]);
    expect(await other.reap(() => false)).toHaveLength(1);
    expect(await left()).toHaveLength(2);
    const later = installation.runner({ ...systemClock, now: () => systemClock.now() + 11 * 60_000 });
    await later.reap(() => false);
    expect(await left()).toEqual([]);
  });

  it('that died are done without', async () => {
    await proxy.cut(/\/attach/);
    await expect.poll(keepers, { timeout: 30_000 }).toEqual([]);
    const lane = h.laneOf(installation, 'next');
    expect(await runner.ensureLane(lane, treeBase(commit))).toBe(true);
    expect(await prepareOn(runner, lane, { commit, isFresh: true })).toMatchObject({ code: 0, stderr: '' });
    await runner.removeLane(lane);
    await runner.close();
    expect(await left()).toEqual([]);
  });

  it('that know a mirror which was made anew since are done without', async () => {
    const before = await keepers();
    await rename(installation.mirror, `${installation.mirror}-old`);
    fillMirror(installation.mirror);
    const lane = h.laneOf(installation, 'next');
    expect(await runner.ensureLane(lane, treeBase(commit))).toBe(true);
    expect(await prepareOn(runner, lane, { commit, isFresh: true })).toMatchObject({ code: 0, stderr: '' });
    expect(await keepers()).not.toEqual(before);
  });

  it('that cannot be given to a run are removed', async () => {
    const lane = h.laneOf(installation, 'next');
    proxy.fail({ kind: 'answer', status: 500, words: 'no space left on device' }, /^POST \/volumes\/create/);
    await expect(runner.ensureLane(lane, treeBase(commit))).rejects.toThrow(/no space left/);
    proxy.heal();
    expect(await left()).toEqual([]);
    expect(await runner.ensureLane(lane, treeBase(commit))).toBe(true);
  });

  it('are made whatever becomes of the lease of the run that ended', async () => {
    const other = installation.runner();
    const lane = h.laneOf(installation, 'another');
    let isGone = false;
    const fence = (): void => {
      if (isGone) throw new Error('not ours any more');
    };
    await withFence('run', fence, async () => {
      await other.ensureLane(lane, treeBase(commit));
      await other.removeLane(lane);
      isGone = true;
    });
    await expect.poll(keepers, { timeout: 30_000 }).toHaveLength(2);
    await Promise.all([other.close(), runner.close()]);
    expect(await left()).toEqual([]);
  });

  it.each([0, 300, 600, 900])('that are being made for %i ms when their worker ends go with it', async (ms) => {
    const other = installation.runner();
    const lane = h.laneOf(installation, 'another');
    await other.ensureLane(lane, treeBase(commit));
    await runner.close();
    await other.removeLane(lane);
    await delay(ms);
    await other.close();
    expect(await left()).toEqual([]);
  });

  it('that were given to a run whose engine did not answer any more are its, all the same', async () => {
    const lane = h.laneOf(installation, 'next');
    const failing = treeBase(commit, (names) => {
      proxy.fail({ kind: 'answer', status: 500, words: 'no answer' }, /^GET \/volumes\/maestro-.*-next$/);
      return names[0];
    });
    await expect(runner.ensureLane(lane, failing)).rejects.toThrow(/no answer/);
    proxy.heal();
    expect(await runner.listLanes()).toEqual(['next']);
    expect(await runner.ensureLane(lane, treeBase(commit))).toBe(false);
    expect(await prepareOn(runner, lane, { commit, isFresh: false })).toMatchObject({ code: 0, stderr: '' });
    expect((await h.ask(runner, { argv: h.sh('git status --porcelain; ls d | wc -l'), lane })).stdout).toBe('30\n');
    await runner.removeLane(lane);
    await runner.close();
    expect(await left()).toEqual([]);
  });
});
