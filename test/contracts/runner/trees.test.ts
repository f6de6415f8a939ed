import { execFileSync } from 'node:child_process';
import Docker from 'dockerode';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { engineAt } from '../../../src/runners/docker/engine-address.ts';
import type { LaneBase, LaneRef, Runner } from '../../../src/runners/runner.ts';
import { createEngineProxy } from '../../setup/engine-proxy.ts';
import { describeWith } from '../../setup/require.ts';
import { commitTo, fillMirror, prepareOn, treeBase } from './tree-repository.ts';
import * as h from './harness.ts';

describeWith(['docker', 'agentImage'], 'prepared trees', () => {
  const host = inject('dockerHost') ?? '';
  const image = inject('agentImage') ?? '';
  const docker = new Docker(engineAt(host));
  let installation: h.Installation;
  let runner: Runner;
  let commit: string;

  beforeEach(async () => {
    installation = await h.installDocker({ host, image, treesBytes: 1e9 })();
    runner = installation.runner();
    commit = fillMirror(installation.mirror);
  });
  afterEach(async () => {
    await runner.close();
    await installation.remove();
  });

  const base = (nearest?: (names: readonly string[]) => string | undefined): LaneBase => treeBase(commit, nearest);

  async function prepared(lane: LaneRef, isFresh = false, to = commit): Promise<h.Told> {
    return await prepareOn(runner, lane, { commit: to, isFresh });
  }

  async function volumes(): Promise<readonly Docker.VolumeInspectInfo[]> {
    const found = await docker.listVolumes();
    return found.Volumes.filter(({ Labels }) => Labels?.['maestro.namespace'] === installation.namespace);
  }

  it('are made once; lanes start from them, write beside each other, and change nothing of them', async () => {
    const [one, two] = [h.laneOf(installation, 'one'), h.laneOf(installation, 'two')];
    await runner.ensureLane(one, base());
    await runner.ensureLane(two, base());
    const marks = async () => (await volumes()).filter(({ Labels }) => Labels?.['maestro.tree.kb'] !== undefined);
    await expect.poll(marks).toHaveLength(1);

    const there = await h.ask(runner, {
      argv: h.sh('ls d | wc -l; mount | grep -c "on /lane type overlay"'),
      lane: one,
    });
    expect(there.stdout).toBe('30\n1\n');
    expect(await prepared(one)).toMatchObject({ code: 0, stderr: '' });
    const work =
      'git status --porcelain; echo mine > d/1; rm d/2; git status --porcelain; touch /tree/x 2>/dev/null || echo refused';
    const worked = await h.ask(runner, { argv: h.sh(work), lane: one });
    expect(worked.stdout).toBe(' M d/1\n D d/2\nrefused\n');
    const other = await h.ask(runner, { argv: h.sh('ls d | wc -l; cat d/1; echo'), lane: two });
    expect(other.stdout).toBe('30\n  1\n');
    expect(await prepared(one)).toMatchObject({ code: 0 });
    const again = await h.ask(runner, { argv: h.sh('git status --porcelain; cat d/1; echo'), lane: one });
    expect(again.stdout).toBe('  1\n');

    expect([...(await runner.listLanes())].toSorted()).toEqual(['one', 'two']);
    await runner.removeLane(one);
    await runner.removeLane(two);
    expect(await runner.listLanes()).toEqual([]);
    await runner.close();
    expect((await volumes()).every(({ Labels }) => Labels?.['maestro.tree'] !== undefined)).toBe(true);
    expect(await runner.reap(() => false)).toEqual([]);
  });

  it('are made by two processes at once without harm, and one is kept', async () => {
    const later = installation.runner();
    await Promise.all([
      runner.ensureLane(h.laneOf(installation, 'one'), base()),
      later.ensureLane(h.laneOf(installation, 'two'), base()),
    ]);
    for (const name of ['one', 'two']) {
      expect(await prepared(h.laneOf(installation, name))).toMatchObject({ code: 0, stderr: '' });
    }
    const trees = (await volumes()).filter(({ Labels }) => Labels?.['maestro.tree'] !== undefined);
    expect(trees).toHaveLength(2);
  });

  it('of another commit are brought forward, whatever differs, on a lane nobody has been on', async () => {
    const changes = 'M 100644 inline d/1\ndata 4\nnew\nD d/2\nM 100755 inline d/3/run\ndata 3\nrun\nD d/4\n';
    const next = commitTo(installation.mirror, changes, commit);
    const [one, two] = [h.laneOf(installation, 'one'), h.laneOf(installation, 'two')];
    expect(await runner.ensureLane(one, base())).toBe(true);
    expect(await runner.ensureLane(two, base())).toBe(true);
    expect(await runner.ensureLane(two, base())).toBe(false);

    expect(await prepared(one, true, next)).toMatchObject({ code: 0, stderr: '' });
    const look = h.sh('git status --porcelain; git ls-files | wc -l; ls d | wc -l; cat d/1; ls -l d/3/run | cut -c1-4');
    expect((await h.ask(runner, { argv: look, lane: one })).stdout).toBe('28\n28\nnew\n-rwx\n');
    const untouched = await h.ask(runner, { argv: h.sh('ls d | wc -l; cat d/1; echo'), lane: two });
    expect(untouched.stdout).toBe('30\n  1\n');
  });

  it('that are damaged are mended on the lane', async () => {
    const broken: LaneBase = {
      ...base(),
      plant: () => [
        'sh',
        '-c',
        'mkdir -p /lane/lane/repo/d && echo no > /lane/lane/repo/d/1 && echo bad > /lane/index && echo bad > /lane/commit && echo 4',
      ],
    };
    const lane = h.laneOf(installation);
    expect(await prepared(lane, await runner.ensureLane(lane, broken))).toMatchObject({ code: 0 });
    const told = await h.ask(runner, { argv: h.sh('git status --porcelain; ls d | wc -l; cat d/1'), lane });
    expect(told.stdout).toBe('30\n  1');
  });

  it('that cannot be made leave the lane empty, and nothing behind', async () => {
    const lane = h.laneOf(installation);
    await runner.ensureLane(lane, { ...base(), plant: () => ['false'] });
    expect((await volumes()).map(({ Labels }) => Labels?.['maestro.lane'])).toEqual([lane.name]);
    expect(await prepared(lane)).toMatchObject({ code: 0 });
  });

  it('go when the budget is spent, but not while a lane starts from them', async () => {
    const small = await h.installDocker({ host, image, treesBytes: 1 })();
    const other = small.runner();
    try {
      const lane = { name: 'one', mirror: installation.mirror };
      const left = async (): Promise<number> =>
        (await docker.listVolumes()).Volumes.filter(({ Labels }) => Labels?.['maestro.namespace'] === small.namespace)
          .length;
      await other.ensureLane(lane, base());
      await other.removeLane({ name: 'another' });
      expect(await left()).toBe(4);
      await other.removeLane(lane);
      expect(await left()).toBe(0);
    } finally {
      await small.remove();
    }
  });

  it.each([
    ['that is known to mount no overlays', undefined],
    ['that refuses to mount one', 'error while mounting volume: failed to mount local volume: invalid argument'],
  ])('are done without on an engine %s: the lane starts empty, and work goes on', async (_, words) => {
    await using proxy = await createEngineProxy(engineAt(host).socketPath ?? '');
    const other = await h.installDocker({
      host,
      image,
      docker: { socketPath: proxy.socketPath },
      treesBytes: 1e9,
      more: words === undefined ? { overlays: 'fail' } : {},
    })();
    try {
      // The first prepares a tree; the second finds it, and out what the engine can.
      const [before, by] = [other.runner(), other.runner()];
      execFileSync('git', ['clone', '--quiet', '--bare', installation.mirror, other.mirror]);
      const asked = base((names) => {
        // Nothing but the look whether an overlay works is started after this.
        if (names.length > 0 && words !== undefined)
          proxy.fail({ kind: 'answer', status: 500, words }, /^POST \/containers\/[^/]+\/start/);
        return names[0];
      });
      const [planted, lane] = [h.laneOf(other), h.laneOf(other)];
      await before.ensureLane(planted, asked);
      expect(await by.ensureLane(lane, asked)).toBe(false);
      const met = proxy.heal();
      expect(met > 0).toBe(words !== undefined);
      expect((await h.ask(by, { argv: h.sh('ls -A; mount | grep -c "on /lane type overlay"'), lane })).stdout).toBe(
        '0\n',
      );
      expect(await prepareOn(by, lane, { commit, isFresh: false })).toMatchObject({ code: 0 });
      expect((await h.ask(by, { argv: h.sh('ls d | wc -l'), lane })).stdout).toBe('30\n');
      await by.removeLane(lane);
      await by.removeLane(planted);
    } finally {
      await other.remove();
    }
  });
});
