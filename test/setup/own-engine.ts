import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Background, findProgram, startBackground, waitUntil } from './background.ts';
import { engineAnswers } from './docker.ts';

const execute = promisify(execFile);

const ROOT = join(import.meta.dirname, '..', '..');

/** Why this machine can't start an engine of the tests' own; undefined when it can. */
export const whyNoOwnEngine: string | undefined =
  process.getuid?.() === 0
    ? ['dockerd', 'containerd', 'unshare', 'nsenter', 'docker']
        .filter((program) => findProgram(program) === undefined)
        .map((program) => `there is no ${program}`)[0]
    : 'only root can start one';

/**
 * A Docker engine to be broken: containers without a network, and a disk of its own, in memory. It lives in a mount namespace that
 * goes with it, and shares nothing with the engine of the machine but the kernel.
 */
export interface OwnEngine extends AsyncDisposable {
  /** As `DOCKER_HOST` is written. */
  readonly host: string;
  /** Ends the engine with a signal; with SIGKILL its containers live on. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>;
  /** Starts it again. */
  start(): Promise<void>;
  /** Takes all that is left of its disk, and gives it back. */
  fill(): Promise<void>;
  empty(): Promise<void>;
}

function program(name: string): string {
  return findProgram(name) ?? name;
}

/** Starts an engine whose disk has so many bytes. */
export async function startOwnEngine(diskBytes: number): Promise<OwnEngine> {
  const directory = await mkdtemp(join(tmpdir(), 'maestro-own-'));
  const host = `unix://${join(directory, 'docker.sock')}`;
  const data = join(directory, 'data');
  await mkdir(data);
  // Holds the namespace while the engine is down.
  const mount = `mount -t tmpfs -o size=${diskBytes} tmpfs ${data} && echo > ${directory}/ready && exec sleep infinity`;
  const holder = startBackground({
    // A network of its own, too: an engine without a bridge takes `docker0` away from the engine that has one.
    argv: [program('unshare'), '--mount', '--net', '--propagation', 'private', 'sh', '-c', mount],
    stopSignal: 'SIGTERM',
    graceMs: 1_000,
  });
  const ready = async (): Promise<boolean> => existsSync(join(directory, 'ready'));
  await waitUntil('the disk of an engine', ready, { timeoutMs: 10_000, died: holder.died });
  /** Its disk, as seen from outside its namespace. */
  const disk = `/proc/${holder.pid}/root${data}`;
  let engine: Background | undefined;

  async function start(): Promise<void> {
    const pidfile = join(directory, 'docker.pid');
    // Of processes that were killed, and may be taken for living ones where nobody waits for them.
    for (const stale of [pidfile, join(directory, 'exec', 'containerd', 'containerd.pid')])
      await rm(stale, { force: true });
    const places = ['--host', host, '--data-root', data, '--exec-root', join(directory, 'exec'), '--pidfile', pidfile];
    const network = ['--bridge=none', '--iptables=false', '--ip6tables=false', '--ip-forward=false'];
    const started = startBackground({
      argv: [
        program('nsenter'),
        `--mount=/proc/${holder.pid}/ns/mnt`,
        `--net=/proc/${holder.pid}/ns/net`,
        program('dockerd'),
        ...places,
        ...network,
      ],
      stopSignal: 'SIGTERM',
      graceMs: 20_000,
    });
    engine = started;
    const answers = async (): Promise<boolean> => engineAnswers(host);
    await waitUntil('an engine of our own', answers, { timeoutMs: 60_000, died: started.died });
  }

  async function end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const ending = engine;
    engine = undefined;
    if (ending === undefined) return;
    if (signal === 'SIGKILL') process.kill(ending.pid, signal);
    await ending.stop();
  }

  await start();
  return {
    host,
    end,
    start,
    fill: async () => {
      const { bavail, bsize } = await statfs(disk);
      await writeFile(join(disk, 'filler'), Buffer.alloc(bavail * bsize));
    },
    empty: async () => await rm(join(disk, 'filler'), { force: true }),
    [Symbol.asyncDispose]: async () => {
      await rm(join(disk, 'filler'), { force: true });
      // Only an engine ends its containers well; what it does not know any more is ended by what its command line says.
      if (engine === undefined) await start().catch(() => undefined);
      await end('SIGTERM');
      await endProcessesOf(directory);
      await holder.stop();
      await rm(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/** Puts the image without any agents, all that the scripted one needs, on an engine, from the tests' own. Gives its name. */
export async function shareImage(from: string, to: string): Promise<string> {
  const env = { ...process.env, DOCKER_HOST: from };
  const script = join(ROOT, 'scripts', 'image.ts');
  const { stdout } = await execute(process.execPath, [script, '--quiet', '--agents', 'none', '--tag', ''], {
    cwd: ROOT,
    env,
  });
  const image = stdout.trim().split('\n').at(-1) ?? '';
  const docker = program('docker');
  const save = spawn(docker, ['--host', from, 'save', image], { stdio: ['ignore', 'pipe', 'inherit'] });
  const load = spawn(docker, ['--host', to, 'load', '--quiet'], { stdio: ['pipe', 'ignore', 'inherit'] });
  save.stdout.pipe(load.stdin);
  const [code] = (await once(load, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${image} could not be put on an engine of our own`);
  return image;
}

/** Ends the shims that outlived their engine: they name the directory they work in. */
async function endProcessesOf(directory: string): Promise<void> {
  for (const pid of (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (command.includes(`${directory}/exec`)) process.kill(Number(pid), 'SIGKILL');
  }
}
