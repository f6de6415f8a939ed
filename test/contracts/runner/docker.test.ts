import { once } from 'node:events';
import { chmod, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { systemClock } from '../../../src/domain/clock.ts';
import { createDockerRunner } from '../../../src/runners/docker/docker-runner.ts';
import { InfrastructureError, type Runner } from '../../../src/runners/runner.ts';
import { createLog } from '../../../src/telemetry/log.ts';
import { describeWith } from '../../setup/require.ts';
import { createEngineProxy } from '../../setup/engine-proxy.ts';
import { engineAt } from '../../../src/runners/docker/engine-address.ts';
import * as h from './harness.ts';

const log = createLog({ level: 'silent' });

/** Tries to do what no job may, and prints `<probe> yes` where it could. Runs as well where everything is allowed. */
const PROBE = `
try() { name=$1; shift; if "$@" >/dev/null 2>&1; then echo "$name yes"; else echo "$name no"; fi; }
try root-writable touch /probe
try usr-writable touch /usr/bin/probe
try is-root test "$(id -u)" = 0
try has-capabilities grep -Eq '^CapEff:.*[1-9a-f]' /proc/self/status
try may-gain-privileges grep -q '^NoNewPrivs:.*0$' /proc/self/status
try without-seccomp grep -q '^Seccomp:.*0$' /proc/self/status
try mounts mount -t tmpfs none /mnt
try unshares unshare --mount true
try changes-hostname hostname probe
try makes-devices mknod /tmp/probe-device b 8 0
try sees-hidden-files grep -q . /proc/timer_list
try writes-kernel-settings sh -c 'echo core > /proc/sys/kernel/core_pattern.probe || cat /proc/sys/kernel/core_pattern > /proc/sys/kernel/core_pattern'
try has-network-device grep -q 'eth0' /proc/net/dev
try sees-engine test -S /var/run/docker.sock
try writes-mirror touch /mirror/probe
`;

describeWith(['docker', 'agentImage'], 'docker runner, looked at from inside', () => {
  const host = inject('dockerHost') ?? '';
  const image = inject('agentImage') ?? '';
  const docker = new Docker(engineAt(host));
  let installation: h.Installation;
  let runner: Runner;

  beforeEach(async () => {
    installation = await h.installDocker({ host, image })();
    runner = installation.runner();
  });
  afterEach(async () => {
    await installation.remove();
  });

  /**
   * Runs a script as root in a container that has what a job must not have. Not `Privileged`: that asks for more capabilities than
   * an engine which is itself confined can give.
   */
  async function runUnconfined(script: string): Promise<string> {
    const output = h.collector();
    const [, container] = await docker.run(image, ['bash', '-c', script], output.sink, {
      User: '0:0',
      Tty: true,
      HostConfig: {
        CapAdd: ['SYS_ADMIN'],
        SecurityOpt: ['seccomp=unconfined', 'apparmor=unconfined'],
        MaskedPaths: [],
        ReadonlyPaths: [],
        NetworkMode: 'bridge',
        Binds: [`${installation.mirror}:/mirror`, `${engineAt(host).socketPath ?? ''}:/var/run/docker.sock`],
      },
    });
    await container.remove({ force: true });
    return output.text().replaceAll('\r', '');
  }

  it('allows none of what a container without our defences allows', async () => {
    await chmod(installation.mirror, 0o777);
    const told = await h.ask(runner, { argv: ['bash', '-c', PROBE], lane: h.laneOf(installation) });
    const answers = told.stdout.trim().split('\n');
    expect(answers).toHaveLength(PROBE.match(/^try [a-z]/gm)?.length ?? 0);
    expect(answers.filter((answer) => !answer.endsWith(' no'))).toEqual([]);
    const control = (await runUnconfined(PROBE)).trim().split('\n');
    expect(control.filter((answer) => !answer.endsWith(' yes'))).toEqual([]);
  });

  it('has loopback for a network and nothing else', async () => {
    const script = `
      cut -d: -f1 /proc/net/dev | tail -n +3 | tr -d ' '
      for to in 1.1.1.1/53 172.17.0.1/22 169.254.169.254/80 192.0.2.1/80; do
        timeout 2 bash -c ": < /dev/tcp/$to" 2>/dev/null && echo "reached $to"
      done
      getent hosts example.com || echo 'no names'`;
    const told = await h.ask(runner, { argv: ['bash', '-c', script], lane: h.laneOf(installation) });
    expect(told.stdout).toBe('lo\nno names\n');
  });

  it('has its own user, a writable HOME and /tmp, and the mirror to read', async () => {
    await writeFile(join(installation.mirror, 'HEAD'), 'ref: refs/heads/main\n');
    const script =
      'id -un; cat /mirror/HEAD; touch /tmp/x $HOME/x x && echo wrote; hostname; git --version; command -v claude';
    const told = await h.ask(runner, { argv: h.sh(script), lane: h.laneOf(installation) });
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(
      /^agent\nref: refs\/heads\/main\nwrote\nmaestro\ngit version .*\n\/usr\/local\/bin\/claude\n$/,
    );
  });

  it('reaches the gateway through its socket, from the first moment, and only with one', async () => {
    const urls: string[] = [];
    let connections = 0;
    const server = createServer((request, response) => {
      urls.push(request.url ?? '');
      response.end('hello from the gateway');
    });
    server.on('connection', () => (connections += 1));
    const socket = join(installation.mirror, '..', 'gateway.sock');
    server.listen(socket);
    await once(server, 'listening');
    await chmod(socket, 0o666);
    try {
      const lane = h.laneOf(installation);
      const { gatewayUrl } = runner.inside(lane);
      const argv = ['curl', '--silent', '--show-error', `${gatewayUrl}/v1`];
      const wired = await h.ask(runner, { argv, lane, socket });
      expect(wired).toMatchObject({ code: 0, stdout: 'hello from the gateway', stderr: '' });
      expect({ urls, connections }).toEqual({ urls: ['/v1'], connections: 1 });
      const alone = await h.ask(runner, { argv, lane });
      expect(alone.code).toBe(7);
      const parallel = `for i in $(seq 40); do curl --silent ${gatewayUrl}/$i >/dev/null || echo failed & done; wait; echo all`;
      const many = await h.ask(runner, { argv: h.sh(parallel), lane, socket });
      expect(many.stdout).toBe('all\n');
    } finally {
      server.close();
    }
    await expect(h.ask(runner, { argv: ['true'], lane: h.laneOf(installation), socket })).rejects.toThrow(/gateway/);
  });

  it('ends a job that takes more memory than it may', async () => {
    const argv = h.sh('head -c 500000000 /dev/zero | tail');
    const limits = { memoryBytes: 48 * 1024 * 1024 };
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), limits });
    expect(told).toMatchObject({ ending: 'memory', code: 137 });
  });

  it('counts what is written to HOME as memory', async () => {
    const argv = h.sh('exec head -c 500000000 /dev/zero > $HOME/fill');
    const limits = { memoryBytes: 48 * 1024 * 1024 };
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation), limits });
    expect(told).toMatchObject({ ending: 'memory' });
  });

  it('contains a fork bomb', async () => {
    const seconds = h.oddSeconds();
    const argv = ['bash', '-c', `bomb() { bomb | bomb & sleep ${seconds}; }; bomb; sleep ${seconds}`];
    const limits = { pids: 40, wallMs: 2_500, cpus: 0.5 };
    const running = h.ask(runner, { argv, lane: h.laneOf(installation), limits });
    const during = await h.untilProcesses(`sleep ${seconds}`, true);
    expect(during.length).toBeLessThanOrEqual(40);
    const neighbour = await h.ask(runner, { argv: h.sh('echo fine'), lane: h.laneOf(installation) });
    expect(neighbour.stdout).toBe('fine\n');
    expect((await running).ending).toMatch(/wall|exited/);
    expect(await h.processesWith(`sleep ${seconds}`)).toEqual([]);
  });

  it('leaves no container behind, and labels the one that runs', async () => {
    const { sink, seen } = h.waitingFor('up');
    const lane = h.laneOf(installation);
    const abort = new AbortController();
    const name = h.randomName('job');
    const argv = h.sh('echo up; sleep 60');
    const running = h.ask(runner, { argv, lane, name, stdout: sink, signal: abort.signal });
    await seen;
    const filters = { label: [`maestro.job=${name}`] };
    const [found] = await docker.listContainers({ all: true, filters });
    expect(found?.Labels).toMatchObject({
      'maestro.run': 'rcontract',
      'maestro.epoch': '1',
      'maestro.lane': lane.name,
    });
    abort.abort();
    await running;
    await runner.release(lane);
    expect(await docker.listContainers({ all: true, filters })).toEqual([]);
  });

  it('refuses a container or a volume of its name that is not its own', async () => {
    const lane = h.laneOf(installation);
    await runner.ensureLane(lane);
    const [volume] = (await docker.listVolumes()).Volumes.filter(({ Name }) => Name.endsWith(lane.name));
    const foreign = volume?.Name.replace(lane.name, 'foreign') ?? '';
    await docker.createVolume({ Name: foreign });
    const container = await docker.createContainer({ name: foreign, Image: image, Cmd: ['true'] });
    try {
      await expect(runner.removeLane({ ...lane, name: 'foreign' })).rejects.toThrow(/not made by this installation/);
      await expect(runner.ensureLane({ ...lane, name: 'foreign' })).rejects.toThrow(InfrastructureError);
      await expect(h.ask(runner, { argv: ['true'], lane, name: 'foreign' })).rejects.toThrow(/is not ours/);
      expect(await runner.reap(() => false)).toEqual([]);
      await expect(container.inspect()).resolves.toBeDefined();
    } finally {
      await container.remove({ force: true });
      await docker.getVolume(foreign).remove();
    }
  });

  it('says what to do when the image or the engine is not there', async () => {
    const options = { namespace: 'nowhere', log, clock: systemClock };
    const noImage = createDockerRunner({ ...options, docker: engineAt(host), image: 'maestro-agent:none' });
    await expect(noImage.check()).rejects.toThrow(InfrastructureError);
    await expect(noImage.check()).rejects.toThrow(/npm run image/);
    const noEngine = createDockerRunner({ ...options, docker: { socketPath: '/nowhere.sock' }, image });
    await expect(noEngine.check()).rejects.toThrow(/No Docker engine answers.*Start Docker/);
    await expect(h.ask(noEngine, { argv: ['true'], lane: h.laneOf(installation) })).rejects.toThrow(
      InfrastructureError,
    );
    await expect(noEngine.reap(() => false)).rejects.toThrow(InfrastructureError);
    const noRuntime = createDockerRunner({ ...options, docker: engineAt(host), image, runtime: 'no-such' });
    await expect(noRuntime.check()).rejects.toThrow(/no runtime 'no-such'/);
  });

  it('says so when the place could not be set up, and not that the command failed', async () => {
    const job = { argv: ['true'], lane: h.laneOf(installation), files: { a: '', 'a/b': 'below a file' } };
    await expect(h.ask(runner, job)).rejects.toThrow(/could not be set up.*HOME/s);
  });

  it("can't be made to believe that by a command that talks like it", async () => {
    const argv = h.sh('echo the files for HOME could not be unpacked >&2; exit 125');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation) });
    expect(told).toMatchObject({ ending: 'exited', code: 125, stderr: 'the files for HOME could not be unpacked\n' });
  });

  it('does not take a connection that breaks for the end of the job', async () => {
    await using proxy = await createEngineProxy(engineAt(host).socketPath ?? '');
    const proxied = await h.installDocker({ host, image, docker: { socketPath: proxy.socketPath } })();
    try {
      const { sink, seen } = h.waitingFor('up');
      const argv = h.sh('echo up; sleep 1.5; exit 3');
      const running = h.ask(proxied.runner(), { argv, lane: h.laneOf(proxied), stdout: sink });
      await seen;
      await proxy.cut(/\/wait/);
      expect(await running).toMatchObject({ ending: 'exited', code: 3 });
    } finally {
      await proxied.remove();
    }
  });

  it('rejects, and leaves nothing, when the output breaks off', async () => {
    await using proxy = await createEngineProxy(engineAt(host).socketPath ?? '');
    const proxied = await h.installDocker({ host, image, docker: { socketPath: proxy.socketPath } })();
    try {
      const { sink, seen } = h.waitingFor('up');
      const seconds = h.oddSeconds();
      const argv = h.sh(`echo up; sleep ${seconds}`);
      const running = h.ask(proxied.runner(), { argv, lane: h.laneOf(proxied), stdout: sink });
      await seen;
      await proxy.cut(/\/attach\?.*stdout/);
      await expect(running).rejects.toThrow(InfrastructureError);
      expect(await h.processesWith(`sleep ${seconds}`)).toEqual([]);
    } finally {
      await proxied.remove();
    }
  });

  it('does not take a command that closes its outputs for a broken connection', async () => {
    const argv = h.sh('echo bye; exec >&- 2>&-; sleep 3; exit 4');
    const told = await h.ask(runner, { argv, lane: h.laneOf(installation) });
    expect(told).toMatchObject({ ending: 'exited', code: 4, stdout: 'bye\n' });
  });

  it('rejects when somebody removes the container', async () => {
    const { sink, seen } = h.waitingFor('up');
    const name = h.randomName('job');
    const argv = h.sh('echo up; sleep 30');
    const running = h.ask(runner, { argv, lane: h.laneOf(installation), name, stdout: sink });
    await seen;
    const [found] = await docker.listContainers({ all: true, filters: { label: [`maestro.job=${name}`] } });
    const removal = docker.getContainer(found?.Id ?? '').remove({ force: true });
    await Promise.allSettled([removal, running]);
    await expect(running).rejects.toThrow(/removed while it ran/);
  });

  it('finds nothing of one job in the next, but on its lane', async () => {
    const lane = h.laneOf(installation);
    const places = '/tmp /dev/shm $HOME /var/tmp /run /opt /lane';
    const plant = `for place in ${places}; do echo planted > $place/planted 2>/dev/null; done; true`;
    await h.ask(runner, { argv: h.sh(plant), lane });
    const told = await h.ask(runner, { argv: h.sh('find / -name planted 2>/dev/null'), lane });
    expect(told.stdout).toBe('/lane/planted\n');
  });
});
