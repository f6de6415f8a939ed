import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:http';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Background, findProgram, startBackground, waitUntil } from './background.ts';

const execute = promisify(execFile);

export interface TestDocker extends AsyncDisposable {
  /** As `DOCKER_HOST` is written. */
  readonly host: string;
}

/**
 * A Docker engine: the one at DOCKER_HOST or the default socket if it answers, otherwise one of our own. Ours keeps its images
 * below the cache directory, so that the agent image is built once and not at every run.
 *
 * @throws Error when none answers and none can be started: no dockerd, not root, or what dockerd said.
 */
export async function startDocker(): Promise<TestDocker> {
  const usual = process.env['DOCKER_HOST'] ?? 'unix:///var/run/docker.sock';
  if (await engineAnswers(usual)) return { host: usual, [Symbol.asyncDispose]: async () => undefined };

  const program = findProgram('dockerd');
  if (program === undefined)
    throw new Error(`no Docker engine answers at ${usual}, and there is no dockerd to start one`);
  if (process.getuid?.() !== 0) throw new Error(`no Docker engine answers at ${usual}, and only root can start one`);
  // A short path: a Unix socket's name may have 107 bytes, and containerd's is longer than ours.
  const directory = await mkdtemp(join(tmpdir(), 'maestro-docker-'));
  try {
    return await startEngine(program, directory);
  } catch (error) {
    await rm(directory, { recursive: true, force: true });
    throw error;
  }
}

async function startEngine(program: string, directory: string): Promise<TestDocker> {
  const host = `unix://${join(directory, 'docker.sock')}`;
  const data = join(cacheDirectory(), 'docker');
  await mkdir(data, { recursive: true });
  const exec = join(directory, 'exec');
  const pidfile = join(directory, 'docker.pid');
  const argv = [program, '--host', host, '--data-root', data, '--exec-root', exec, '--pidfile', pidfile] as const;
  // The containers of Maestro have no network, so an engine that can make none is good enough.
  const engine = await startedWith(argv, host, []).catch(async () =>
    startedWith(argv, host, ['--iptables=false', '--ip6tables=false', '--bridge=none']),
  );
  return {
    host,
    async [Symbol.asyncDispose](): Promise<void> {
      await engine.stop();
      await unmountBelow(directory);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** An engine that ran a container on the host's network leaves that network mounted, and a mount can't be removed. */
async function unmountBelow(directory: string): Promise<void> {
  const mounts = (await readFile('/proc/self/mounts', 'utf8')).split('\n').map((line) => line.split(' ')[1] ?? '');
  for (const mount of mounts.filter((one) => one.startsWith(`${directory}/`))) await execute('umount', [mount]);
}

async function startedWith(
  argv: readonly [string, ...string[]],
  host: string,
  flags: readonly string[],
): Promise<Background> {
  const engine = startBackground({ argv: [...argv, ...flags], stopSignal: 'SIGTERM', graceMs: 20_000 });
  try {
    await waitUntil('the Docker engine', async () => engineAnswers(host), { timeoutMs: 60_000, died: engine.died });
    return engine;
  } catch (error) {
    await engine.stop();
    throw error;
  }
}

/** Where things are kept between runs of the tests, outside the repository. */
function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'];
  if (base !== undefined && base !== '') return join(base, 'maestro-tests');
  return process.getuid?.() === 0 ? '/var/cache/maestro-tests' : join(homedir(), '.cache', 'maestro-tests');
}

/** Whether an engine answers its ping there within 2 s. A TCP address is asked over plain HTTP. */
export async function engineAnswers(host: string): Promise<boolean> {
  const target = host.startsWith('unix://')
    ? { socketPath: host.slice('unix://'.length) }
    : { host: new URL(host).hostname, port: new URL(host).port };
  return new Promise((resolve) => {
    const ping = request({ ...target, path: '/_ping', timeout: 2000 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    ping.once('timeout', () => ping.destroy(new Error('no answer')));
    ping.once('error', () => resolve(false));
    ping.end();
  });
}
